#!/usr/bin/python3
"""SFTP to instances: OpenSSH's sftp, sshfs by `lxc file mount`, and its SSH server."""

import hashlib
import os
import re
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import SOURCE, Instance, Rest, bad, case, command, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position
from sftp_client import open_sftp  # noqa: E402  pylint: disable=wrong-import-position

MEBIBYTE = 1 << 20


def sftp(berth, name, *lines):
    """Runs the lines of a batch; a dash before one lets it fail."""
    return command("sftp", "-q", "-b", "-", "-D", f"{SOURCE}/tests/support/sftp_client.py", "x", stdin="".join(f"{line}\n" for line in lines),
                   environment={**berth.environment, "SFTP_INSTANCE": name})


def in_guest(berth, *argv):
    return good(berth.lxc("exec", "run", "--", *argv))


def helpers(berth):
    """The session helpers of this Berth, which are in its network namespace."""
    network, found = os.readlink(f"/proc/{berth.pids()['berthd']}/ns/net"), []
    for pid in subprocess.run(["pgrep", "-f", "berth-helper sftp"], capture_output=True, text=True, check=False).stdout.split():
        try:
            if os.readlink(f"/proc/{pid}/ns/net") == network:
                found.append(pid)
        except OSError:
            continue  # it has ended
    return found


class Mount:
    """`lxc file mount NAME/path TARGET`, for the time of a `with`."""

    def __init__(self, berth, source, target, client="lxc"):
        self.berth, self.source, self.target, self.client = berth, source, target, client

    def __enter__(self):
        os.makedirs(self.target, exist_ok=True)
        self.process = subprocess.Popen([self.client, "file", "mount", self.source, self.target], env=self.berth.environment,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until(lambda: os.path.ismount(self.target) or self.process.poll() is not None, "it is mounted")
        if self.process.poll() is not None:
            raise AssertionError(f"lxc ended: {self.process.stdout.read()}")
        return self.target

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        finally:
            subprocess.run(["umount", "-l", self.target], stderr=subprocess.DEVNULL, check=False)
            self.process.kill()
            self.process.wait()


@case("A running and a stopped container are there")
def _(berth):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    good(berth.lxc("launch", "bb", "run"))
    good(berth.lxc("init", "bb", "still"))


@case("OpenSSH's sftp brings files in and out, byte for byte")
def _(berth):
    data = os.urandom(3 * MEBIBYTE + 17)
    with open(f"{berth.work}/data", "wb") as file:
        file.write(data)
    for name in ("run", "still"):
        good(sftp(berth, name, f"put {berth.work}/data /root/data", f"get /root/data {berth.work}/back"))
        with open(f"{berth.work}/back", "rb") as file:
            equal(hashlib.sha256(file.read()).hexdigest(), hashlib.sha256(data).hexdigest())
    equal(in_guest(berth, "stat", "-c", "%u %g %s", "/root/data"), f"0 0 {len(data)}\n")


@case("Folders, links, modes and names are worked on")
def _(berth):
    said = good(sftp(berth, "run", "mkdir /root/a", f"put {berth.work}/data /root/a/one", "chmod 600 /root/a/one", "rename /root/a/one /root/a/two",
                     "ln -s two /root/a/link", "ln /root/a/two /root/a/hard", "ls -l /root/a", "df /root", "rm /root/a/hard", "-rmdir /root/a"))
    for part in ("two", "link", "hard", "-rw-------", "%Capacity"):
        contains(said, part)
    equal(in_guest(berth, "stat", "-c", "%a %h", "/root/a/two"), "600 1\n")
    equal(in_guest(berth, "readlink", "/root/a/link"), "two\n")
    bad(sftp(berth, "run", "get /no/such"), "not found")


@case("No link of the guest leads out of it, and no pipe of the guest is waited for")
def _(berth):
    with open(f"{berth.work}/canary", "w", encoding="ascii") as file:
        file.write("untouched")
    in_guest(berth, "sh", "-c", f"ln -s {berth.work}/canary /root/out; ln -s /proc/1/root/../../../..{berth.work}/canary /root/magic; mkfifo /root/fifo")
    for path in ("/root/out", "/root/magic", "/root/fifo"):
        if sftp(berth, "run", f"get {path} {berth.work}/got").code == 0:
            raise AssertionError(f"{path} was read")
        sftp(berth, "run", f"-put {berth.work}/data {path}")
    with open(f"{berth.work}/canary", encoding="ascii") as file:
        equal(file.read(), "untouched")


@case("lxc file mount shows the instance's files, and what is done to them is done in it")
def _(berth):
    for name in ("run", "still"):
        with Mount(berth, f"{name}/root", f"{berth.work}/mnt") as top:
            with open(f"{top}/mounted", "w", encoding="ascii") as file:
                file.write("by sshfs\n")
            os.makedirs(f"{top}/tree/deep")
            for number in range(50):
                with open(f"{top}/tree/deep/{number}", "w", encoding="ascii") as file:
                    file.write(str(number))
            equal(len(os.listdir(f"{top}/tree/deep")), 50)
            os.rename(f"{top}/tree/deep/1", f"{top}/tree/deep/2")
            os.chmod(f"{top}/mounted", 0o600)
            os.truncate(f"{top}/mounted", 2)
            os.symlink("mounted", f"{top}/link")
            with open(f"{top}/link", encoding="ascii") as file:
                equal(file.read(), "by")
            if os.statvfs(top).f_blocks == 0:
                raise AssertionError("the size of the file system is not told")
            with open(f"{top}/big", "wb") as file:
                file.write(b"\x07" * 8 * MEBIBYTE)
        until(lambda: not helpers(berth), "the session's helper has ended")
        if name == "still":
            good(berth.lxc("start", "still"))
        equal(good(berth.lxc("exec", name, "--", "sh", "-c", "cat /root/mounted; ls /root/tree/deep | wc -l; stat -c %s /root/big")), f"by49\n{8 * MEBIBYTE}\n")
    good(berth.lxc("stop", "--force", "still"))


@case("berth file mount does the same, and ends its mount when it is ended")
def _(berth):
    with Mount(berth, "still/root", f"{berth.work}/mnt", "berth") as top:
        with open(f"{top}/mounted", "a", encoding="ascii") as file:
            file.write("e")
        with open(f"{top}/mounted", encoding="ascii") as file:
            equal(file.read(), "bye")
    equal(os.path.ismount(f"{berth.work}/mnt"), False)
    until(lambda: not helpers(berth), "the session's helper has ended")
    bad(command("berth", "file", "mount", "none/root", f"{berth.work}/mnt", environment=berth.environment), "not found")


@case("Without a target it listens for SSH")
def _(berth):
    with subprocess.Popen(["lxc", "file", "mount", "run", "--no-auth"], env=berth.environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:
        try:
            said = process.stdout.readline()
            port = re.search(r"127\.0\.0\.1:(\d+)", said)
            if not port:
                raise AssertionError(f"no port in {said!r}")
            done = command("sftp", "-q", "-b", "-", "-P", port.group(1), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                           "root@127.0.0.1", stdin=f"get /root/data {berth.work}/by-ssh\n", environment=berth.environment)
            good(done)
        finally:
            process.kill()
    with open(f"{berth.work}/by-ssh", "rb") as got, open(f"{berth.work}/data", "rb") as sent:
        equal(got.read() == sent.read(), True)


@case("A stopped container starts in spite of a session, which ends; other work on its files is told why it cannot be")
def _(berth):
    connection, head = open_sftp(berth.environment["LXD_SOCKET"], "still")
    contains(head, "101 Switching Protocols\r\nUpgrade: sftp\r\n")
    bad(berth.lxc("file", "push", "-", "still/root/x", stdin="x"), "SFTP session")
    good(berth.lxc("start", "still"))
    equal(connection.recv(1), b"")
    connection.close()
    good(berth.lxc("file", "push", "-", "still/root/x", stdin="x"))


@case("A session ends with its container and its client, and leaves no helper")
def _(berth):
    connection, _ = open_sftp(berth.environment["LXD_SOCKET"], "still")
    connection.sendall(struct.pack(">IBI", 5, 1, 3))
    contains(connection.recv(4096), b"posix-rename@openssh.com")
    good(berth.lxc("stop", "--force", "still"))
    equal(connection.recv(1), b"")
    connection.close()
    connection, _ = open_sftp(berth.environment["LXD_SOCKET"], "run")
    equal(len(helpers(berth)), 1)
    connection.close()
    until(lambda: not helpers(berth), "the helper has ended")


@case("What is no SFTP is refused, and nobody comes to harm")
def _(berth):
    _, head = open_sftp(berth.environment["LXD_SOCKET"], "run", upgrade="other")
    contains(head, "400 ")
    _, head = open_sftp(berth.environment["LXD_SOCKET"], "none")
    contains(head, "404 ")
    for hostile in (b"GET / HTTP/1.1\r\n\r\n", struct.pack(">I", 0), struct.pack(">IBI", 5, 3, 0), b"\xff" * 4096):
        connection, _ = open_sftp(berth.environment["LXD_SOCKET"], "run")
        connection.sendall(hostile)
        equal(connection.recv(1), b"")
        connection.close()
    answer = Rest(berth.environment["LXD_SOCKET"]).ask("GET", "/1.0/instances/run/sftp")
    equal((answer["error_code"], answer["error"]), (400, "Missing or invalid upgrade header"))


@case("SFTP carries hundreds of mebibytes a second")
def _(berth):
    with open(f"{berth.work}/large", "wb") as file:
        file.truncate(256 * MEBIBYTE)
    begin = time.monotonic()
    good(sftp(berth, "run", f"put {berth.work}/large /tmp/large", f"get /tmp/large {berth.work}/back"))
    rate = 512 / (time.monotonic() - begin)
    print(f"# {rate:.0f} MiB/s")
    if rate < 10:  # the bench measures; this finds what goes byte by byte
        raise AssertionError(f"{rate:.0f} MiB/s")


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
