#!/usr/bin/python3
"""Debian's own lxc 5.0.2 against a private Berth: what its user does in a day."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import LXC, Instance, Rest, Terminal, bad, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position


def status(berth, name):
    return good(berth.lxc("list", f"^{name}$", "--format", "csv", "-c", "s")).strip()


def init_pid(berth, name):
    return re.search(r"^PID: (\d+)$", good(berth.lxc("info", name)), re.M)[1]


@case("lxc version names a server")
def _(berth):
    contains(good(berth.lxc("version")), "Server version: ")


@case("A unified image is imported and listed by its alias")
def _(berth):
    said = good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    fingerprint = re.search(r"fingerprint: ([0-9a-f]{64})", said)[1]
    with open(f"{berth.work}/bb.tar.gz", "rb") as file:
        equal(fingerprint, hashlib.sha256(file.read()).hexdigest(), "fingerprint")
    rows = json.loads(good(berth.lxc("image", "list", "--format", "json")))
    equal([(row["fingerprint"], [alias["name"] for alias in row["aliases"]]) for row in rows], [(fingerprint, ["bb"])])


@case("A split image is imported, with the fingerprint of both parts")
def _(berth):
    base = berth.make_image("split", "--busybox", "--split")
    good(berth.lxc("image", "import", f"{base}.meta.tar.xz", f"{base}.squashfs", "--alias", "bb-split"))
    digest = hashlib.sha256()
    for part in (f"{base}.meta.tar.xz", f"{base}.squashfs"):
        with open(part, "rb") as file:
            digest.update(file.read())
    contains(good(berth.lxc("image", "info", "bb-split")), f"Fingerprint: {digest.hexdigest()}")


@case("image list shows both in a table")
def _(berth):
    table = good(berth.lxc("image", "list"))
    for part in ("ALIAS", "FINGERPRINT", "| bb ", "| bb-split ", "CONTAINER"):
        contains(table, part)


@case("An image that is there already is refused by name")
def _(berth):
    bad(berth.lxc("image", "import", f"{berth.work}/bb.tar.gz"), "already exists")


@case("launch makes a container that runs")
def _(berth):
    good(berth.lxc("launch", "bb", "c1"))
    equal(status(berth, "c1"), "RUNNING")


@case("list shows it in a table and as JSON")
def _(berth):
    table = good(berth.lxc("list"))
    for part in ("NAME", "STATE", "IPV4", "| c1 ", "RUNNING", "CONTAINER"):
        contains(table, part)
    rows = json.loads(good(berth.lxc("list", "--format", "json")))
    equal([(row["name"], row["status"], row["state"]["status"]) for row in rows], [("c1", "Running", "Running")])


@case("info says what it is and what it uses")
def _(berth):
    said = good(berth.lxc("info", "c1"))
    for part in ("Name: c1", "Status: RUNNING", "Type: container", "Resources:", "Processes: "):
        contains(said, part)


@case("exec gives the command's exit code")
def _(berth):
    for code in (0, 7, 255):
        equal(berth.lxc("exec", "c1", "--", "sh", "-c", f"exit {code}").code, code)


@case("exec of a command that is not there ends with 127")
def _(berth):
    equal(berth.lxc("exec", "c1", "--", "no-such-command").code, 127)


@case("exec keeps standard output and standard error apart")
def _(berth):
    done = berth.lxc("exec", "c1", "--", "sh", "-c", "echo one; echo two >&2")
    equal((done.out, done.err), ("one\n", "two\n"))


@case("A mebibyte goes in by standard input and comes back")
def _(berth):
    text = "0123456789abcdef" * 65536
    equal(hashlib.sha256(good(berth.lxc("exec", "c1", "--", "cat", stdin=text)).encode()).hexdigest(),
          hashlib.sha256(text.encode()).hexdigest())
    contains(good(berth.lxc("exec", "c1", "--", "sha256sum", stdin=text)), hashlib.sha256(text.encode()).hexdigest())


@case("exec takes environment, user, group and folder")
def _(berth):
    equal(good(berth.lxc("exec", "c1", "--env", "COLOUR=green", "--user", "1000", "--group", "1001", "--cwd", "/tmp", "--",
                         "sh", "-c", "echo $COLOUR $(id -u) $(id -g) $(pwd)")), "green 1000 1001 /tmp\n")


@case("The guest's root is nobody's root on the host")
def _(berth):
    inside, outside, _ = good(berth.lxc("exec", "c1", "--", "cat", "/proc/self/uid_map")).split()[:3]
    equal(inside, "0")
    if outside == "0":
        raise AssertionError("the container is privileged")


@case("A signal to the client reaches the command")
def _(berth):
    process = subprocess.Popen([LXC, "exec", "c1", "--", "sh", "-c", "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.1; done"],
                               env=berth.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    equal(process.stdout.readline(), "ready\n")
    process.send_signal(signal.SIGTERM)
    equal((process.stdout.read(), process.wait(20)), ("caught\n", 3))


@case("An interactive exec has a terminal of the client's size, and follows it")
def _(berth):
    terminal = Terminal(berth, LXC, "exec", "c1", "--", "sh")
    terminal.write("tty; stty size\r")
    terminal.expect(r"/dev/pts/\d+")
    terminal.expect(r"30 100")
    terminal.resize(44, 132)
    os.killpg(terminal.process.pid, signal.SIGWINCH)

    def follows():
        terminal.write("stty size\r")
        return re.search("44 132", terminal.expect(r"\d+ \d+\r")[0])

    until(follows, "the new window size")
    terminal.write("exit 5\r")
    equal(terminal.end(), 5)


@case("Ctrl-C in an interactive exec ends the command in the guest")
def _(berth):
    terminal = Terminal(berth, LXC, "exec", "c1", "--", "sh", "-c", "echo ready; sleep 100")
    terminal.expect("ready")
    terminal.write("\x03")
    equal(terminal.end(), 130)


@case("pause freezes it, and start lets it go on")
def _(berth):
    before = init_pid(berth, "c1")
    good(berth.lxc("pause", "c1"))
    equal(status(berth, "c1"), "FROZEN")
    good(berth.lxc("start", "c1"))
    equal((status(berth, "c1"), init_pid(berth, "c1")), ("RUNNING", before))


@case("restart gives it a new init")
def _(berth):
    before = init_pid(berth, "c1")
    good(berth.lxc("restart", "c1", "--timeout", "30"))
    equal(status(berth, "c1"), "RUNNING")
    if init_pid(berth, "c1") == before:
        raise AssertionError("it is the same init")
    good(berth.lxc("restart", "c1", "--force"))
    equal(status(berth, "c1"), "RUNNING")


@case("stop ends it cleanly, and start brings its files back")
def _(berth):
    good(berth.lxc("exec", "c1", "--", "sh", "-c", "echo kept > /root/file"))
    good(berth.lxc("stop", "c1", "--timeout", "30"))
    equal(status(berth, "c1"), "STOPPED")
    bad(berth.lxc("exec", "c1", "--", "true"), "not running")
    good(berth.lxc("start", "c1"))
    equal(good(berth.lxc("exec", "c1", "--", "cat", "/root/file")), "kept\n")


@case("Starting what runs and stopping what is stopped are refused")
def _(berth):
    bad(berth.lxc("start", "c1"), "already running")
    good(berth.lxc("stop", "c1", "--force"))
    bad(berth.lxc("stop", "c1"), "already stopped")


@case("rename moves a stopped container with all it has")
def _(berth):
    good(berth.lxc("rename", "c1", "c2"))
    bad(berth.lxc("info", "c1"), "not found")
    good(berth.lxc("start", "c2"))
    equal(good(berth.lxc("exec", "c2", "--", "cat", "/root/file")), "kept\n")
    equal(good(berth.lxc("exec", "c2", "--", "hostname")), "c2\n")


@case("monitor tells of starts and stops as they happen")
def _(berth):
    monitor = subprocess.Popen([LXC, "monitor", "--format", "json", "--type", "lifecycle"], env=berth.environment,
                               stdout=subprocess.PIPE)
    try:
        os.set_blocking(monitor.stdout.fileno(), False)
        seen = []

        def actions():
            seen.extend(json.loads(line)["metadata"]["action"] for line in (monitor.stdout.read() or b"").splitlines() if line)
            return seen

        until(lambda: good(berth.lxc("restart", "c2", "--force")) or actions(), "any event")
        good(berth.lxc("stop", "c2", "--force"))
        until(lambda: "instance-stopped" in actions(), "instance-stopped")
        good(berth.lxc("start", "c2"))
        until(lambda: "instance-started" in actions(), "instance-started")
    finally:
        monitor.terminate()
        monitor.wait(10)


@case("A split image runs as well")
def _(berth):
    good(berth.lxc("launch", "bb-split", "c3"))
    equal(good(berth.lxc("exec", "c3", "--", "hostname")), "c3\n")


@case("Twenty execs at once all get their own answer")
def _(berth):
    running = [subprocess.Popen([LXC, "exec", "c3", "--", "sh", "-c", f"echo {n}; exit {n}"], env=berth.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) for n in range(20)]
    equal([(process.communicate(timeout=60)[0], process.returncode) for process in running], [(f"{n}\n", n) for n in range(20)])


@case("A request in flight outlives another connection of the same process")
def _(berth):
    gone, second, third = (Rest(f"{berth.dir}/run/unix.socket") for _ in range(3))
    made = third.metadata("POST", "/1.0/instances/c3/exec", {"command": ["cat"], "wait-for-websocket": True})
    for waiting in (gone, second):  # both wait, and so listen, many round trips before the first of them goes
        waiting.request("GET", f"/1.0/operations/{made['id']}/wait?timeout=1")
        for _ in range(50):
            third.metadata("GET", f"/1.0/operations/{made['id']}")
    gone.close()
    equal(second.getresponse().status, 200)


@case("Wrong names are refused in words that name them")
def _(berth):
    bad(berth.lxc("launch", "no-such-image", "c4"), "not found")
    bad(berth.lxc("launch", "bb", "c3"), "already exists")
    bad(berth.lxc("launch", "bb", "bad_name"), "name")
    bad(berth.lxc("info", "c9"), "not found")


@case("delete refuses what runs unless forced")
def _(berth):
    bad(berth.lxc("delete", "c3"), "running")
    good(berth.lxc("delete", "c3", "--force"))
    good(berth.lxc("stop", "c2"))
    good(berth.lxc("delete", "c2"))
    equal(json.loads(good(berth.lxc("list", "--format", "json"))), [])


@case("An ephemeral container is gone after its stop")
def _(berth):
    good(berth.lxc("launch", "bb", "brief", "--ephemeral"))
    good(berth.lxc("stop", "brief"))
    until(lambda: good(berth.lxc("list", "--format", "csv")) == "", "the deletion")


@case("Images are deleted, and nothing is left")
def _(berth):
    good(berth.lxc("image", "delete", "bb"))
    good(berth.lxc("image", "delete", "bb-split"))
    equal(json.loads(good(berth.lxc("image", "list", "--format", "json"))), [])
    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and "berth-supervisor" in name_of(pid)
            and berth.dir in environment_of(pid)]
    equal(left, [], "supervisors left")


def name_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def environment_of(pid):
    try:
        with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
