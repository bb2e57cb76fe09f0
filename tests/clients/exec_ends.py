#!/usr/bin/python3
"""How a command and its streams end: with the command, with its client, and with neither, as real clients see it."""

import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, Terminal, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

PYLXD = """
import sys, pylxd, warnings
warnings.simplefilter("ignore")
done = pylxd.Client().containers.get("c1").execute(sys.argv[1:])
sys.stdout.write(done.stdout)
sys.exit(done.exit_code)
"""
CLIENTS = {
    "lxc": ("lxc", "exec", "c1", "--"),
    "berth": ("berth", "exec", "c1", "--"),
    "pylxd": (sys.executable, "-c", PYLXD),
}


def processes(berth):
    return good(berth.lxc("exec", "c1", "--", "ps", "-o", "args"))


def descriptors(berth):
    """How many each of the programs has open that an exec passes through."""
    pids = [int(pid) for name, pid in berth.pids().items() if name in ("berthd", "berth-rest")]
    network = os.readlink(f"/proc/{pids[0]}/ns/net")  # the private Berth's own
    for pid in subprocess.run(["pgrep", "-f", "berth-supervisor"], capture_output=True, text=True, check=False).stdout.split():
        try:
            if os.readlink(f"/proc/{pid}/ns/net") == network:
                pids.append(int(pid))
        except OSError:
            continue  # it has ended
    return {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in pids}


@case("A container to work in is launched")
def _(berth):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    good(berth.lxc("launch", "bb", "c1"))


for client, words in CLIENTS.items():

    @case(f"{client}: the output ends with the command, though something that it started holds it open")
    def _(berth, words=words):
        begin = time.monotonic()
        done = subprocess.run([*words, "sh", "-c", "sleep 600 & echo ended; exit 3"], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env=berth.environment, timeout=60, check=False)
        equal((done.returncode, done.stdout, done.stderr), (3, "ended\n", ""))
        if time.monotonic() - begin > 20:
            raise AssertionError("it took too long")
        contains(processes(berth), "sleep 600")
        good(berth.lxc("exec", "c1", "--", "killall", "sleep"))


@case("All that an ended command wrote comes before the end")
def _(berth):
    for words in (CLIENTS["lxc"], CLIENTS["berth"]):
        done = subprocess.run([*words, "sh", "-c", "sleep 600 & dd if=/dev/zero bs=1k count=20000 2>/dev/null; printf %065000d 7"],
                              stdin=subprocess.DEVNULL, capture_output=True, env=berth.environment, timeout=60, check=True)
        equal((len(done.stdout), done.stdout[-1:]), (20000 * 1024 + 65000, b"7"))
    good(berth.lxc("exec", "c1", "--", "killall", "sleep"))


@case("A command that closes its output reads on, and its end is the end")
def _(berth):
    done = subprocess.run(["lxc", "exec", "c1", "--", "sh", "-c", "echo one; exec >&- 2>&-; cat >/tmp/read; exit 6"], input="late\n" * 3,
                          capture_output=True, text=True, env=berth.environment, timeout=60, check=False)
    equal((done.returncode, done.stdout), (6, "one\n"))
    equal(good(berth.lxc("exec", "c1", "--", "cat", "/tmp/read")), "late\n" * 3)


for client, words in CLIENTS.items():

    @case(f"{client}: a client that is killed leaves no process behind")
    def _(berth, client=client, words=words):
        mark = f"60{len(client)}71"
        with subprocess.Popen([*words, "sh", "-c", f"sleep {mark}; true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=berth.environment) as process:
            until(lambda: f"sleep {mark}" in processes(berth), "the command runs")
            process.send_signal(signal.SIGKILL)
        until(lambda: mark not in processes(berth), "the command and its child are gone")


@case("A client that is killed takes a command on a terminal along that will not hear a hang-up")
def _(berth):
    terminal = Terminal(berth, "lxc", "exec", "-t", "c1", "--", "sh", "-c", "trap '' HUP; echo re''ady; while :; do sleep 61; done")
    terminal.expect("ready")
    terminal.process.kill()
    terminal.end()
    until(lambda: "sleep 61" not in processes(berth), "the command is gone")


@case("Clients that are killed leave no descriptor behind")
def _(berth):
    def kill_one():
        with subprocess.Popen(["lxc", "exec", "c1", "--", "sh", "-c", "sleep 6666"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=berth.environment) as process:
            until(lambda: "sleep 6666" in processes(berth), "the command runs")
            process.send_signal(signal.SIGKILL)
        until(lambda: "sleep 6666" not in processes(berth), "the command is gone")

    kill_one()  # what is opened once is open from now on
    processes(berth)
    before = descriptors(berth)
    if len(before) < 3:
        raise AssertionError(f"not every program is looked at: {before}")
    for _ in range(5):
        kill_one()
    until(lambda: all(now <= before[pid] for pid, now in descriptors(berth).items()), f"as few as before: {before}, {descriptors(berth)}")


def websocket(berth, operation, secret):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(berth.environment["LXD_SOCKET"])
    connection.sendall(f"GET /1.0/operations/{operation}/websocket?secret={secret} HTTP/1.1\r\nHost: berth\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    contains(head, b" 101 ")
    return connection


@case("A client that says goodbye leaves its command to itself, one that just goes takes it along")
def _(berth):
    rest = Rest(berth.environment["LXD_SOCKET"])
    for mark, goodbye in (("alone", b"\x88\x82\0\0\0\0\x03\xe8"), ("along", b"")):
        operation = rest.metadata("POST", "/1.0/instances/c1/exec",
                                  {"command": ["sh", "-c", f"touch /tmp/{mark}1; until test -e /tmp/{mark}-go; do sleep 0.1; done; touch /tmp/{mark}2"],
                                   "wait-for-websocket": True})
        streams = [websocket(berth, operation["id"], secret) for secret in operation["metadata"]["fds"].values()]
        until(lambda mark=mark: f"{mark}1" in good(berth.lxc("exec", "c1", "--", "ls", "/tmp")), "the command runs")
        for stream in streams:
            stream.sendall(goodbye)
            stream.close()
        if goodbye:
            good(berth.lxc("exec", "c1", "--", "touch", f"/tmp/{mark}-go"))
        done = rest.metadata("GET", f"/1.0/operations/{operation['id']}/wait")
        equal(done["metadata"]["return"], 0 if goodbye else 137, mark)
        equal(f"{mark}2" in good(berth.lxc("exec", "c1", "--", "ls", "/tmp")), bool(goodbye), mark)


@case("A request for an exec that nobody connects to leaves nothing running")
def _(berth):
    rest = Rest(berth.environment["LXD_SOCKET"])
    operation = rest.metadata("POST", "/1.0/instances/c1/exec", {"command": ["sleep", "6262"], "wait-for-websocket": True})
    rest.close()
    equal(sorted(operation["metadata"]["fds"]), ["0", "1", "2", "control"])
    if "sleep 6262" in processes(berth):
        raise AssertionError("it was begun")


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
