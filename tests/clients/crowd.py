#!/usr/bin/python3
"""Many clients at once against a private Berth: listeners, commands, and mixed work."""

import base64
import json
import os
import select
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, case, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

LISTENERS = 200
COMMANDS = 100
CLIENTS = 16


class Listener:
    """A websocket of events, read as frames from the server: text, short or with 16 or 64 bits of length."""

    def __init__(self, path, types="lifecycle"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET /1.0/events?type={types} HTTP/1.1\r\nHost: berth\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        equal(int(self.file.readline().split()[1]), 101, "the handshake")
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def event(self):
        while True:
            first, size = self.file.read(1)[0], self.file.read(1)[0]
            if size >= 126:
                size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
            payload = self.file.read(size)
            if first & 0x0f == 1:
                return json.loads(payload)

    def close(self):
        self.file.close()
        self.socket.close()


def descriptors(berth):
    """What daemon and bridge have open."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for name, pid in berth.pids().items() if name in ("berthd", "berth-rest"))


def together(count, work):
    """Runs `work(number)` in threads of their own at once; the first failure is the caller's."""
    failures = []

    def run(number):
        try:
            work(number)
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise AssertionError(f"{len(failures)} of {count} failed, the first with: {failures[0]!r}")


@case("Two hundred listeners hear each event, in order")
def _(berth, rest):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    rest.finished("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "bb"}})
    rest.finished("PUT", "/1.0/instances/c1/state", {"action": "start"})
    berth.descriptors = descriptors(berth)
    listeners = [Listener(rest.path) for _ in range(LISTENERS)]
    for action in ("freeze", "unfreeze"):
        rest.finished("PUT", "/1.0/instances/c1/state", {"action": action})
    for listener in listeners:
        equal([listener.event()["metadata"]["action"] for _ in range(2)], ["instance-paused", "instance-resumed"])
        listener.close()


@case("A listener that stops reading is cut, and another one misses nothing")
def _(_, rest):
    silent, awake = Listener(rest.path, "operation,lifecycle"), Listener(rest.path)
    ended = select.poll()
    ended.register(silent.socket, select.POLLRDHUP)
    for _ in range(5000):
        for action, word in (("freeze", "instance-paused"), ("unfreeze", "instance-resumed")):
            rest.finished("PUT", "/1.0/instances/c1/state", {"action": action})
            equal(awake.event()["metadata"]["action"], word)
        if ended.poll(0):
            break
    else:
        raise AssertionError("it was never cut")
    silent.close()
    rest.finished("PUT", "/1.0/instances/c1/state", {"action": "freeze"})
    equal(awake.event()["metadata"]["action"], "instance-paused")
    rest.finished("PUT", "/1.0/instances/c1/state", {"action": "unfreeze"})
    awake.close()


@case("A hundred commands at once end with their own codes")
def _(_, rest):
    def run(number):
        own = Rest(rest.path, timeout=120)
        done = own.finished("POST", "/1.0/instances/c1/exec", {"command": ["sh", "-c", f"exit {number}"], "wait-for-websocket": False,
                                                               "interactive": False})
        equal(done["metadata"]["return"], number)

    together(COMMANDS, run)


@case("Clients that make, start, ask, stop and delete at once do not meet each other")
def _(_, rest):
    def run(number):
        own, name = Rest(rest.path, timeout=120), f"own{number}"
        own.finished("POST", "/1.0/instances", {"name": name, "source": {"type": "image", "alias": "bb"}, "config": {"user.n": str(number)}})
        own.finished("PUT", f"/1.0/instances/{name}/state", {"action": "start"})
        seen = own.metadata("GET", f"/1.0/instances/{name}")
        equal((seen["status"], seen["config"]["user.n"]), ("Running", str(number)))
        own.finished("POST", f"/1.0/instances/{name}/snapshots", {"name": "s"})
        equal(name in [row["name"] for row in own.metadata("GET", "/1.0/instances?recursion=2")], True)
        own.finished("PUT", f"/1.0/instances/{name}/state", {"action": "stop", "force": True})
        own.finished("DELETE", f"/1.0/instances/{name}")

    together(CLIENTS, run)
    equal(rest.metadata("GET", "/1.0/instances"), ["/1.0/instances/c1"])


@case("Afterwards daemon and bridge have no descriptor more than before")
def _(berth, _):
    until(lambda: descriptors(berth) <= berth.descriptors, f"descriptors back at {berth.descriptors}", seconds=90)


if __name__ == "__main__":
    BERTH = Instance()
    sys.exit(1 if run_cases(BERTH, Rest(BERTH.environment["LXD_SOCKET"])) else 0)
