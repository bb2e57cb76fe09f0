"""What script tests share: cases in order, their report as TAP, and a private Berth to run against."""

import atexit
import fcntl
import http.client
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
# Who stands for lxc: `berth` has its names and flags, so tours of the one are tours of the other.
LXC = os.environ.get("BERTH_TEST_CLIENT", "lxc")
_cases = []


def case(sentence):
    """Registers a test; its name is a sentence about behaviour."""

    def register(function):
        _cases.append((sentence, function))
        return function

    return register


def run_cases(*arguments):
    """Runs the cases in their order, each with the arguments; one that fails does not stop the others."""
    print(f"1..{len(_cases)}", flush=True)
    failed = 0
    for number, (sentence, function) in enumerate(_cases, 1):
        begin = time.monotonic()
        try:
            function(*arguments)
            print(f"ok {number} {sentence} ({(time.monotonic() - begin) * 1000:.0f} ms)", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} {sentence}", flush=True)
            for line in traceback.format_exc().splitlines()[-25:]:
                print(f"# {line}", flush=True)
    return failed


def equal(seen, wanted, what=""):
    if seen != wanted:
        raise AssertionError(f"{what or 'value'}: saw {seen!r}, wanted {wanted!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def until(condition, what, seconds=20):
    """Asks until the condition holds and returns what it said; the deadline is a failure."""
    deadline = time.monotonic() + seconds
    while True:
        said = condition()
        if said:
            return said
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Done:
    """How a command ended."""

    def __init__(self, completed):
        self.code, self.out, self.err = completed.returncode, completed.stdout, completed.stderr

    def __repr__(self):
        return f"code {self.code}, out {self.out[-2000:]!r}, err {self.err[-2000:]!r}"


def command(*argv, stdin="", environment=None, timeout=120):
    return Done(subprocess.run(argv, input=stdin, text=True, capture_output=True, env=environment, timeout=timeout, check=False))


def good(done):
    if done.code != 0:
        raise AssertionError(f"it failed: {done}")
    return done.out


def bad(done, text):
    """A refusal that says `text` on standard error."""
    if done.code == 0:
        raise AssertionError(f"it should have failed: {done}")
    contains(done.err, text)
    return done


class Instance:
    """A private Berth that ends with this process."""

    def __init__(self, *up_options):
        self.work = tempfile.mkdtemp(prefix="berth-test.", dir="/var/tmp")
        os.chmod(self.work, 0o755)
        self.dir = f"{self.work}/i"
        atexit.register(self.end)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(1))
        good(command(f"{SOURCE}/tools/instance", "up", *up_options, self.dir))
        with open(f"{self.dir}/env", encoding="utf-8") as file:
            exported = dict(re.findall(r"^export (\w+)='([^']*)'", file.read(), re.M))
        path = exported.pop("PATH")
        self.environment = {**os.environ, **exported, "PATH": f"{path}:{os.environ['PATH']}", "HOME": self.work,
                            "LXD_CONF": f"{self.work}/lxc", "LC_ALL": "C.UTF-8", "TERM": "xterm"}

    def end(self):
        subprocess.run([f"{SOURCE}/tools/instance", "down", "--delete", self.dir], check=False)
        shutil.rmtree(self.work, ignore_errors=True)

    def run(self, *argv, user=None, **more):
        """Inside the namespaces."""
        as_user = ["--user", user] if user else []
        return command(f"{SOURCE}/tools/instance", "run", *as_user, self.dir, "--", *argv, environment=self.environment, **more)

    def lxc(self, *argv, **more):
        """Debian's LXD client (or whoever stands for it), from outside the namespaces."""
        return command(LXC, *argv, environment=self.environment, **more)

    def berth(self, *argv, **more):
        return command("berth", *argv, environment=self.environment, **more)

    def pids(self):
        return dict(line.split() for line in good(command(f"{SOURCE}/tools/instance", "pids", self.dir)).splitlines())

    def make_image(self, name, *options):
        good(command(f"{SOURCE}/tools/make-image", *options, f"{self.work}/{name}", timeout=600))
        return f"{self.work}/{name}"


class Terminal:
    """A command on a pty of ours, which tells how its mode is set."""

    def __init__(self, berth, *argv, rows=30, columns=100, **environment):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env={**berth.environment, **environment},
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.slave = slave
        self.seen = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def write(self, text):
        os.write(self.master, text.encode())

    def expect(self, pattern, seconds=20):
        deadline = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.seen)
            if match:
                self.seen = self.seen[match.end():]
                return match
            if not select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"{pattern!r} did not come; saw {self.seen!r}")
            try:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"{pattern!r} did not come before the end; saw {self.seen!r}") from None

    def end(self):
        try:
            return self.process.wait(20)
        finally:
            os.close(self.slave)
            os.close(self.master)


class Rest(http.client.HTTPConnection):
    """The REST API through the unix socket."""

    def __init__(self, path, timeout=60):
        super().__init__("berth", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        """The whole answer, whatever it says."""
        self.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        return json.loads(self.getresponse().read())

    def metadata(self, method, path, body=None):
        answer = self.ask(method, path, body)
        if answer["type"] == "error":
            raise AssertionError(f"{method} {path}: {answer['error']}")
        return answer["metadata"]

    def finished(self, method, path, body=None):
        """Waits for the operation, which must succeed; gives it."""
        operation = self.metadata(method, path, body)
        done = self.metadata("GET", f"/1.0/operations/{operation['id']}/wait")
        equal(done["status"], "Success", f"{method} {path} ({done['err']})")
        return done
