#!/usr/bin/python3
"""SIGKILL of berthd, fifty times at random moments under load: containers, consoles and commands live on, and the next berthd
finds them, operations of running commands included."""

import http.client
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

KILLS = 50
NAMES = ("keep1", "keep2", "keep3")
SEED = int(os.environ.get("BERTH_TEST_SEED", random.randrange(1 << 30)))


class World:
    """What the cases share."""

    def __init__(self):
        self.berth = Instance("--no-polkit")
        self.rest = Rest(f"{self.berth.dir}/run/unix.socket")
        self.inits, self.operations, self.stream, self.refused = {}, {}, None, 0

    def start_exec(self, name, script):
        return self.rest.metadata("POST", f"/1.0/instances/{name}/exec", {
            "command": ["sh", "-c", script], "wait-for-websocket": False, "interactive": False, "record-output": False})["id"]

    def state(self, name):
        return self.rest.metadata("GET", f"/1.0/instances/{name}/state")

    def berthd(self):
        return int(self.berth.pids().get("berthd", 0))


def churn(world, number, enough):
    """Load: a container that comes and goes. Errors are expected while nobody answers; wrong answers are not."""
    name = f"churn{number}"
    while not enough.is_set():
        rest = Rest(f"{world.berth.dir}/run/unix.socket", timeout=30)
        try:
            steps = [("POST", "/1.0/instances", {"name": name, "source": {"type": "image", "alias": "bb"}}),
                     ("PUT", f"/1.0/instances/{name}/state", {"action": "start", "timeout": 20}),
                     ("PUT", f"/1.0/instances/{name}/state", {"action": "stop", "force": True, "timeout": 20}),
                     ("DELETE", f"/1.0/instances/{name}", None)]
            for method, path, body in steps:
                answer = rest.ask(method, path, body)
                if answer["type"] == "error":
                    world.refused += 1
                else:
                    rest.ask("GET", f"/1.0/operations/{answer['metadata']['id']}/wait?timeout=20")
                rest.ask("GET", "/1.0/instances?recursion=2")
        except (OSError, http.client.HTTPException):
            world.refused += 1


@case("Three containers run, each with a command, and one that streams to lxc")
def _(world):
    berth = world.berth
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox"), "--alias", "bb"))
    for name in NAMES:
        good(berth.lxc("launch", "bb", name))
        world.inits[name] = world.state(name)["pid"]
        world.operations[name] = world.start_exec(name, "trap 'exit 7' USR1; while [ ! -e /tmp/end ]; do sleep 0.1; done; exit 7")
    world.stream = subprocess.Popen(
        ["lxc", "exec", "keep1", "--", "sh", "-c", "i=0; while [ ! -e /tmp/end ]; do echo $i; i=$((i+1)); sleep 0.05; done; exit 9"],
        env=berth.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    equal(world.stream.stdout.readline(), "0\n")


@case(f"berthd is killed {KILLS} times under load (seed {SEED}), and every time another one answers")
def _(world):
    chance, enough = random.Random(SEED), threading.Event()
    load = [threading.Thread(target=churn, args=(world, number, enough)) for number in range(2)]
    for thread in load:
        thread.start()
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.0, 0.6))  # the random moment, not a wait for anything
            victim = until(world.berthd, "a berthd to kill")
            os.kill(victim, signal.SIGKILL)
            until(lambda victim=victim: world.berthd() not in (0, victim), "the next berthd")
    finally:
        enough.set()
        for thread in load:
            thread.join()
    world.rest.close()
    until(lambda: answers(world), "an answer")


def answers(world):
    try:
        return world.rest.ask("GET", "/1.0")["status_code"] == 200
    except (OSError, http.client.HTTPException):
        world.rest.close()
        return False


@case("The containers are the same, and run")
def _(world):
    for name in NAMES:
        state = world.state(name)
        equal((name, state["status"], state["pid"]), (name, "Running", world.inits[name]))
        equal(good(world.berth.lxc("exec", name, "--", "hostname")), f"{name}\n")


@case("Running commands have their operations, by the same id")
def _(world):
    for name, operation in world.operations.items():
        equal((name, world.rest.metadata("GET", f"/1.0/operations/{operation}")["status"]), (name, "Running"))


@case("They end as they like, and the operation says how")
def _(world):
    good(world.berth.lxc("exec", "keep1", "--", "true"))
    for name, operation in world.operations.items():
        good(world.berth.lxc("exec", name, "--", "touch", "/tmp/end"))
        done = world.rest.metadata("GET", f"/1.0/operations/{operation}/wait?timeout=20")
        equal((name, done["status"], done["metadata"]["return"]), (name, "Success", 7))


@case("The stream lost nothing")
def _(world):
    out, err = world.stream.communicate(timeout=60)
    numbers = [int(line) for line in out.splitlines()]
    equal(numbers, list(range(1, len(numbers) + 1)), f"lines of the stream (standard error: {err!r})")


@case("What the load left can be deleted, and nothing else is there")
def _(world):
    names = [row["name"] for row in world.rest.metadata("GET", "/1.0/instances?recursion=1")]
    contains(names, "keep1")
    for name in names:
        if world.state(name)["status"] != "Stopped":
            world.rest.finished("PUT", f"/1.0/instances/{name}/state", {"action": "stop", "force": True, "timeout": 30})
        world.rest.finished("DELETE", f"/1.0/instances/{name}")
    equal(world.rest.metadata("GET", "/1.0/instances"), [])
    until(lambda: not supervisors(world), "the end of all supervisors")


def supervisors(world):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as file:
                ours = f"{world.berth.dir}/run /run/berth " in file.read()
            if ours and re.search("berth-supervisor$", os.readlink(f"/proc/{pid}/exe")):
                found.append(pid)
        except OSError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(1 if run_cases(World()) else 0)
