#!/usr/bin/python3
"""Debian's own lxc 5.0.2 against a private Berth: snapshots and copies."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, bad, case, contains, equal, good, run_cases  # noqa: E402  pylint: disable=wrong-import-position


def write(berth, name, text):
    good(berth.lxc("exec", name, "--", "sh", "-c", f"echo {text} > /root/note"))


def note(berth, name):
    return good(berth.lxc("exec", name, "--", "cat", "/root/note")).strip()


def status(berth, name):
    return good(berth.lxc("list", f"^{name}$", "--format", "csv", "-c", "s")).strip()


def full(berth, name):
    return next(row for row in json.loads(good(berth.lxc("list", "--format", "json"))) if row["name"] == name)


def snapshots(berth, name):
    return [row["name"] for row in full(berth, name)["snapshots"] or []]


@case("A running container is snapshotted and runs on")
def _(berth):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    good(berth.lxc("launch", "bb", "c1"))
    write(berth, "c1", "then")
    good(berth.lxc("exec", "c1", "--", "rm", "/etc/hostname"))
    good(berth.lxc("config", "set", "c1", "user.when", "then"))
    good(berth.lxc("snapshot", "c1"))
    good(berth.lxc("snapshot", "c1", "before"))
    equal(status(berth, "c1"), "RUNNING")
    equal(snapshots(berth, "c1"), ["snap0", "before"])


@case("list counts them, info names them, config show prints one")
def _(berth):
    equal(good(berth.lxc("list", "--format", "csv", "-c", "nS")).strip(), "c1,2")
    told = good(berth.lxc("info", "c1"))
    contains(told, "Snapshots:")
    contains(told, "| before ")
    contains(good(berth.lxc("config", "show", "c1/before")), "user.when: then")


@case("A name that is taken and a state of processes are refused")
def _(berth):
    bad(berth.lxc("snapshot", "c1", "before"), "already exists")
    bad(berth.lxc("snapshot", "--stateful", "c1", "s1"), "tateful snapshots are not supported")
    bad(berth.lxc("delete", "c1/nope"), "InstanceSnapshot not found")


@case("restore brings back files, whiteouts and configuration, and the container runs again")
def _(berth):
    write(berth, "c1", "now")
    good(berth.lxc("config", "set", "c1", "user.when", "now"))
    good(berth.lxc("exec", "c1", "--", "touch", "/etc/hostname", "/root/new"))
    good(berth.lxc("restore", "c1", "before"))
    equal(status(berth, "c1"), "RUNNING")
    equal(note(berth, "c1"), "then")
    equal(good(berth.lxc("config", "get", "c1", "user.when")).strip(), "then")
    for gone in ("/etc/hostname", "/root/new"):
        bad(berth.lxc("exec", "c1", "--", "ls", gone), "No such file")
    write(berth, "c1", "later")


@case("A snapshot is renamed, given an expiry and deleted")
def _(berth):
    good(berth.lxc("rename", "c1/snap0", "c1/first"))
    equal(snapshots(berth, "c1"), ["first", "before"])
    rest = Rest(f"{berth.dir}/run/unix.socket")
    rest.finished("PUT", "/1.0/instances/c1/snapshots/first", {"expires_at": "2040-01-01T00:00:00Z"})
    row = rest.metadata("GET", "/1.0/instances/c1/snapshots/first")
    equal((row["expires_at"], row["size"], row["stateful"]), ("2040-01-01T00:00:00Z", -1, False))
    equal(rest.metadata("GET", "/1.0/instances/c1/snapshots"),
          ["/1.0/instances/c1/snapshots/first", "/1.0/instances/c1/snapshots/before"])
    equal(rest.ask("POST", "/1.0/instances/c1/snapshots", {"name": "a/b"})["error"], 'Invalid snapshot name: Cannot contain "/"')
    rest.close()
    good(berth.lxc("delete", "c1/first"))
    equal(snapshots(berth, "c1"), ["before"])


@case("Pattern and expiry of the configuration are followed")
def _(berth):
    good(berth.lxc("config", "set", "c1", "snapshots.pattern=day-{{ creation_date|date:'2006-01-02' }}", "snapshots.expiry=3d"))
    good(berth.lxc("snapshot", "c1"))
    last = full(berth, "c1")["snapshots"][-1]
    if not re.fullmatch(r"day-\d{4}-\d\d-\d\d", last["name"]) or last["expires_at"].startswith("0001"):
        raise AssertionError(f"saw {last['name']} until {last['expires_at']}")
    good(berth.lxc("delete", f"c1/{last['name']}"))


@case("A copy has the files, the configuration and the snapshots, and lives by itself")
def _(berth):
    good(berth.lxc("copy", "c1", "c2"))
    equal(snapshots(berth, "c2"), ["before"])
    good(berth.lxc("start", "c2"))
    equal(note(berth, "c2"), "later")
    write(berth, "c2", "own")
    equal(note(berth, "c1"), "later")
    rows = {name: full(berth, name)["config"]["volatile.uuid"] for name in ("c1", "c2")}
    if rows["c1"] == rows["c2"]:
        raise AssertionError("two containers have one uuid")


@case("A snapshot becomes a container")
def _(berth):
    good(berth.lxc("copy", "c1/before", "c3"))
    good(berth.lxc("start", "c3"))
    equal(note(berth, "c3"), "then")
    equal(snapshots(berth, "c3"), [])


@case("copy --refresh brings a stopped copy up to date")
def _(berth):
    bad(berth.lxc("copy", "--refresh", "c1", "c2"), "running instance")
    good(berth.lxc("stop", "--force", "c2"))
    good(berth.lxc("delete", "c1/before"))
    good(berth.lxc("snapshot", "c1", "after"))
    good(berth.lxc("copy", "--refresh", "c1", "c2"))
    equal(snapshots(berth, "c2"), ["after"])
    good(berth.lxc("start", "c2"))
    equal(note(berth, "c2"), "later")


@case("What is not there is not copied")
def _(berth):
    bad(berth.lxc("copy", "nope", "c9"), "not found")
    bad(berth.lxc("copy", "c1/nope", "c9"), "not found")
    bad(berth.lxc("copy", "c1", "c2"), "already exists")


@case("Snapshots outlive the daemon, and go with their instance")
def _(berth):
    good(berth.lxc("delete", "--force", "c1", "c2", "c3"))
    left = [name for _, folders, _ in os.walk(f"{berth.dir}/state/storage-pools/default/snapshots") for name in folders]
    equal(left, [])


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
