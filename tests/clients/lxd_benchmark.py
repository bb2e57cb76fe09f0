#!/usr/bin/python3
"""lxd-benchmark of LXD 5.0.2 against a private Berth."""

import csv
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, case, command, contains, equal, good, run_cases  # noqa: E402  pylint: disable=wrong-import-position


def benchmark(berth, action, *argv):
    return good(command("lxd-benchmark", action, *argv, "--report-label", action, "--report-file", f"{berth.work}/report.csv", environment=berth.environment, timeout=300))


def statuses(rest):
    return [row["status"] for row in rest.metadata("GET", "/1.0/instances?recursion=1")]


@case("launch makes and starts containers in batches")
def _(berth, rest):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    told = benchmark(berth, "launch", "--count", "6", "--parallel", "3", "bb")
    contains(told, "Server backend: berth")
    equal(statuses(rest), ["Running"] * 6)


@case("stop, start and delete take them all")
def _(berth, rest):
    benchmark(berth, "stop", "--parallel", "3")
    equal(statuses(rest), ["Stopped"] * 6)
    benchmark(berth, "start", "--parallel", "3")
    equal(statuses(rest), ["Running"] * 6)
    benchmark(berth, "delete", "--parallel", "3")
    equal(statuses(rest), [])


@case("The report has a line for each action")
def _(berth, rest):
    with open(f"{berth.work}/report.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    equal([(row["label"], row["success"]) for row in rows], [(action, "true") for action in ("launch", "stop", "start", "delete")])


if __name__ == "__main__":
    BERTH = Instance()
    sys.exit(1 if run_cases(BERTH, Rest(BERTH.environment["LXD_SOCKET"])) else 0)
