#!/usr/bin/python3
"""Ansible's lxd_container and lxd_profile against a private Berth."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, case, command, contains, equal, good, run_cases  # noqa: E402  pylint: disable=wrong-import-position

MODULES = "community.general."


def module(berth, module_name, **arguments):
    """Runs one module on this machine; gives what it returned."""
    arguments["url"] = f"unix:{berth.environment['LXD_SOCKET']}"
    done = command("ansible", "localhost", "--connection", "local", "--one-line", "--module-name", MODULES + module_name,
                   "--args", json.dumps(arguments), environment={**berth.environment, "ANSIBLE_LOCALHOST_WARNING": "False"})
    line = next(line for line in (done.out + done.err).splitlines() if " => " in line)
    return json.loads(line.split(" => ", 1)[1])


def container(berth, **arguments):
    return module(berth, "lxd_container", name="web", **arguments)


def started(berth, **more):
    return container(berth, state="started", profiles=["default"], source={"type": "image", "alias": "bb"}, timeout=60, **more)


def changed(result, wanted):
    if result.get("failed"):
        raise AssertionError(f"it failed: {result}")
    equal(result["changed"], wanted, str(result))
    return result


@case("A container that shall be started is created and started, and left alone when it is")
def _(berth, rest):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    equal(changed(started(berth), True)["actions"], ["create", "start"])
    changed(started(berth), False)
    equal(rest.metadata("GET", "/1.0/instances/web")["status"], "Running")


@case("Its configuration is changed where it differs, and only there")
def _(berth, rest):
    equal(changed(started(berth, config={"user.role": "web"}), True)["actions"], ["apply_instance_configs"])
    changed(started(berth, config={"user.role": "web"}), False)
    equal(rest.metadata("GET", "/1.0/instances/web")["config"]["user.role"], "web")


@case("A key that Berth does not know fails with its name, and changes nothing")
def _(berth, rest):
    result = started(berth, config={"limits.nonsense": "1"})
    contains(result["msg"], "Unknown configuration key: limits.nonsense")
    equal("limits.nonsense" in rest.metadata("GET", "/1.0/instances/web")["config"], False)


@case("It is frozen, restarted and stopped")
def _(berth, rest):
    equal(changed(container(berth, state="frozen", timeout=60), True)["actions"], ["freeze"])
    equal(rest.metadata("GET", "/1.0/instances/web")["status"], "Frozen")
    changed(container(berth, state="started", timeout=60), True)
    changed(container(berth, state="restarted", force_stop=True, timeout=60), True)
    changed(container(berth, state="stopped", force_stop=True, timeout=60), True)
    changed(container(berth, state="stopped", force_stop=True, timeout=60), False)
    equal(rest.metadata("GET", "/1.0/instances/web")["status"], "Stopped")


@case("It is deleted, and being gone is no change")
def _(berth, rest):
    equal(changed(container(berth, state="absent", force_stop=True), True)["actions"], ["delete"])
    changed(container(berth, state="absent", force_stop=True), False)
    equal(rest.metadata("GET", "/1.0/instances"), [])


@case("A profile is made, changed, renamed and deleted")
def _(berth, rest):
    wanted = {"name": "small", "config": {"limits.memory": "64MiB"}, "description": "a small one", "devices": {}}
    changed(module(berth, "lxd_profile", state="present", **wanted), True)
    changed(module(berth, "lxd_profile", state="present", **wanted), False)
    wanted["config"] = {"limits.memory": "32MiB"}
    changed(module(berth, "lxd_profile", state="present", **wanted), True)
    equal(rest.metadata("GET", "/1.0/profiles/small")["config"], {"limits.memory": "32MiB"})
    changed(module(berth, "lxd_profile", name="small", new_name="tiny", state="present"), True)
    changed(module(berth, "lxd_profile", name="tiny", state="absent"), True)
    equal(rest.metadata("GET", "/1.0/profiles"), ["/1.0/profiles/default"])


if __name__ == "__main__":
    BERTH = Instance()
    sys.exit(1 if run_cases(BERTH, Rest(BERTH.environment["LXD_SOCKET"])) else 0)
