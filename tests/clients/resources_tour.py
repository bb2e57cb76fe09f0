#!/usr/bin/python3
"""Debian's own lxc 5.0.2 against a private Berth: what the host is made of, and what a pool holds."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, case, contains, equal, good, run_cases  # noqa: E402  pylint: disable=wrong-import-position


def rest_of(berth):
    return Rest(f"{berth.dir}/run/unix.socket")


@case("info --resources prints processors, memory and storage")
def _(berth):
    told = good(berth.lxc("info", "--resources"))
    if not re.search(rf"^CPUs? \({os.uname().machine}\):$", told, re.M):
        raise AssertionError(told)
    contains(told, "        - 0 (id: 0, online: true, NUMA node: 0")
    contains(told, "Memory:\n")
    if not re.search(r"Total: \d+\.\d+[MGT]iB", told):
        raise AssertionError(told)


@case("Every part has the fields of LXD 5.0.2, and its lists are counted")
def _(berth):
    seen = rest_of(berth).metadata("GET", "/1.0/resources")
    equal(sorted(seen), ["cpu", "gpu", "memory", "network", "pci", "storage", "system", "usb"])
    equal(seen["cpu"]["total"], sum(len(core["threads"]) for socket in seen["cpu"]["sockets"] for core in socket["cores"]))
    equal(seen["cpu"]["total"], len([n for n in os.listdir("/sys/devices/system/cpu") if re.fullmatch(r"cpu\d+", n) and os.path.isdir(f"/sys/devices/system/cpu/{n}/topology")]))
    for part, name in (("gpu", "cards"), ("network", "cards"), ("storage", "disks"), ("usb", "devices"), ("pci", "devices")):
        equal(seen[part]["total"], len(seen[part][name]), part)
    for disk in seen["storage"]["disks"]:
        missing = {"id", "device", "read_only", "size", "removable", "numa_node", "block_size", "rpm", "device_id", "partitions"} - set(disk)
        equal(missing, set(), disk["id"])
    for name in ("firmware", "chassis", "motherboard"):
        if not (seen["system"][name] is None or isinstance(seen["system"][name], dict)):
            raise AssertionError(f"{name}: {seen['system'][name]!r}")
    memory = seen["memory"]
    if not 0 < memory["used"] < memory["total"]:
        raise AssertionError(f"{memory}")


@case("A pool tells what of it is used")
def _(berth):
    space = rest_of(berth).metadata("GET", "/1.0/storage-pools/default/resources")
    equal((sorted(space), sorted(space["space"])), (["inodes", "space"], ["total", "used"]))


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
