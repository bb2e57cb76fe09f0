#!/usr/bin/python3
"""The command line of Berth against a private Berth: what its user does in a day, and what scripts rely on."""

import hashlib
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, bad, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position


def status(berth, name):
    return good(berth.berth("list", f"^{name}$", "--format", "csv", "-c", "s")).strip()


def init_pid(berth, name):
    return re.search(r"^PID: (\d+)$", good(berth.berth("info", name)), re.M)[1]


def fails(done, said, code=1):
    """An error as every one is told: one line on standard error, status 1, nothing on standard output."""
    equal((done.code, done.out, done.err), (code, "", f"Error: {said}\n"))


@case("version tells both versions, and --version one")
def _(berth):
    versions = re.fullmatch(r"Client version: (\S+)\nServer version: (\S+)\n", good(berth.berth("version")))
    equal(versions[1], versions[2])
    equal(good(berth.berth("--version")), f"{versions[1]}\n")


@case("Help shows an example, and only commands that are there")
def _(berth):
    text = good(berth.berth("--help"))
    for part in ("Available Commands:", "launch", "Usage:\n  berth [command]"):
        contains(text, part)
    for absent in ("network", "cluster", "warning", "manpage", "lxc", "lxd"):
        if re.search(rf"\b{absent}\b", text, re.I):
            raise AssertionError(f"{absent} is advertised")
    contains(good(berth.berth("launch", "--help")), "Examples:\n  berth launch ")
    equal(good(berth.berth("help", "image", "import")), good(berth.berth("image", "import", "--help")))


@case("Unknown commands, flags and servers are refused by name")
def _(berth):
    fails(berth.berth("network", "list"), 'unknown command "network" for "berth"')
    fails(berth.berth("image", "burn"), 'unknown command "burn" for "berth image"')
    fails(berth.berth("list", "--nonsense"), "unknown flag: --nonsense")
    contains(bad(berth.berth("list", "far:"), "").err, 'The remote "far" doesn\'t exist')
    contains(bad(berth.berth("launch", "images:debian/12", "c1"), "").err, 'The remote "images" doesn\'t exist')
    equal(good(berth.berth("list", "local:", "--format", "csv")), "")


@case("A unified image is imported with aliases and properties")
def _(berth):
    path = berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip")
    said = good(berth.berth("image", "import", path, "--alias", "bb", "--alias", "busybox", "owner=me & you"))
    fingerprint = re.fullmatch(r"Image imported with fingerprint: ([0-9a-f]{64})\n", said)[1]
    with open(path, "rb") as file:
        equal(fingerprint, hashlib.sha256(file.read()).hexdigest(), "fingerprint")
    equal(good(berth.berth("image", "list", "--format", "csv", "-c", "lfp")), f"bb (1 more),{fingerprint[:12]},no\n")
    equal(good(berth.berth("image", "get-property", "bb", "owner")), "me & you\n")
    bad(berth.berth("image", "import", path), "already exists")


@case("A split image is imported, with the fingerprint of both parts")
def _(berth):
    base = berth.make_image("split", "--busybox", "--split")
    good(berth.berth("image", "import", f"{base}.meta.tar.xz", f"{base}.squashfs", "--alias", "bb-split", "--public"))
    digest = hashlib.sha256()
    for part in (f"{base}.meta.tar.xz", f"{base}.squashfs"):
        with open(part, "rb") as file:
            digest.update(file.read())
    said = good(berth.berth("image", "info", "bb-split"))
    contains(said, f"Fingerprint: {digest.hexdigest()}\n")
    contains(said, "Public: yes\n")


@case("Image aliases are made, renamed and deleted")
def _(berth):
    fingerprint = good(berth.berth("image", "list", "busybox", "--format", "csv", "-c", "F")).strip()
    good(berth.berth("image", "alias", "create", "spare", fingerprint))
    good(berth.berth("image", "alias", "rename", "spare", "spare2"))
    equal(good(berth.berth("image", "alias", "list", "spare", "--format", "csv")), f"spare2,{fingerprint[:12]},CONTAINER,\n")
    good(berth.berth("image", "alias", "delete", "spare2"))
    bad(berth.berth("image", "alias", "delete", "spare2"), "not found")


@case("Image properties are set, unset, shown and edited")
def _(berth):
    good(berth.berth("image", "set-property", "bb", "owner", "nobody"))
    good(berth.berth("image", "unset-property", "bb", "owner"))
    bad(berth.berth("image", "get-property", "bb", "owner"), "Property not found")
    shown = good(berth.berth("image", "show", "bb"))
    contains(shown, "auto_update: false\nproperties:\n  architecture: x86_64\n")
    good(berth.berth("image", "edit", "bb", stdin=shown.replace("  os: Busybox", "  os: Other")))
    equal(good(berth.berth("image", "get-property", "bb", "os")), "Other\n")


@case("launch makes a container that runs")
def _(berth):
    equal(good(berth.berth("launch", "bb", "c1")), "Creating c1\nStarting c1\n")
    equal(status(berth, "c1"), "RUNNING")


@case("list shows it in every format")
def _(berth):
    table = good(berth.berth("list", "-c", "nst"))
    equal(table, "+------+---------+-----------+\n| NAME |  STATE  |   TYPE    |\n+------+---------+-----------+\n"
                 "| c1   | RUNNING | CONTAINER |\n+------+---------+-----------+\n")
    equal(good(berth.berth("list", "-c", "ns", "-f", "compact")), "  NAME   STATE   \n  c1    RUNNING  \n")
    equal(good(berth.berth("list", "--fast", "--format", "csv")).split(",")[:3], ["c1", "RUNNING", "x86_64"])
    rows = json.loads(good(berth.berth("list", "--format", "json")))
    equal([(row["name"], row["status"], row["state"]["status"]) for row in rows], [("c1", "Running", "Running")])
    contains(good(berth.berth("list", "--format", "yaml")), "- architecture: x86_64\n  config:\n    image.architecture: ")
    fails(berth.berth("list", "--format", "xml"), 'Invalid format "xml"')


@case("list filters by name, key and state")
def _(berth):
    for filters in (["c"], ["^c1$"], ["status=running"], ["i.os=Other"], ["local:", "c1", "type=container"]):
        equal(good(berth.berth("list", *filters, "--format", "csv", "-c", "n")), "c1\n", filters)
    for filters in (["1"], ["status=stopped"], ["i.os=Debian"], ["c", "nothing"]):
        equal(good(berth.berth("list", *filters, "--format", "csv", "-c", "n")), "", filters)


@case("info says what it is and what it uses, and what the server is")
def _(berth):
    said = good(berth.berth("info", "c1"))
    for part in ("Name: c1\n", "Status: RUNNING\n", "Type: container\n", "Resources:\n  Processes: "):
        contains(said, part)
    server = good(berth.berth("info"))
    for part in ("api_status: stable\n", "api_version: \"1.0\"\n", "environment:\n  addresses: "):
        contains(server, part)


@case("Configuration is set, got, shown and unset")
def _(berth):
    good(berth.berth("config", "set", "c1", "user.a=1", "user.b=x=y"))
    good(berth.berth("config", "set", "c1", "user.c", "old form"))
    good(berth.berth("config", "set", "c1", "user.d", "-", stdin="from input"))
    equal([good(berth.berth("config", "get", "c1", f"user.{key}")) for key in "abcde"], ["1\n", "x=y\n", "old form\n", "from input\n", "\n"])
    contains(good(berth.berth("config", "show", "c1")), '  user.a: "1"\n  user.b: x=y\n  user.c: old form\n')
    good(berth.berth("config", "unset", "c1", "user.a"))
    fails(berth.berth("config", "unset", "c1", "user.a"), "Can't unset key 'user.a', it's not currently set")
    bad(berth.berth("config", "set", "c1", "no.such.key=1"), "no.such.key")
    contains(good(berth.berth("config", "show", "c1", "--expanded")), "devices:\n  root:\n    path: /\n")


@case("What config show prints, config edit takes")
def _(berth):
    shown = good(berth.berth("config", "show", "c1"))
    good(berth.berth("config", "edit", "c1", stdin=shown.replace('description: ""', "description: edited")))
    equal(good(berth.berth("config", "show", "c1")), shown.replace('description: ""', "description: edited"))
    bad(berth.berth("config", "edit", "c1", stdin="config: [nonsense"), "not YAML")


@case("Devices are overridden, set, shown and removed")
def _(berth):
    bad(berth.berth("config", "device", "remove", "c1", "root"), "cannot be removed from individual instance")
    equal(good(berth.berth("config", "device", "override", "c1", "root", "size=1GiB")), "Device root overridden for c1\n")
    good(berth.berth("config", "device", "set", "c1", "root", "size=2GiB"))
    equal(good(berth.berth("config", "device", "get", "c1", "root", "size")), "2GiB\n")
    equal(good(berth.berth("config", "device", "list", "c1")), "root\n")
    bad(berth.berth("config", "device", "add", "c1", "root", "disk", "path=/"), "already exists")
    equal(good(berth.berth("config", "device", "remove", "c1", "root")), "Device root removed from c1\n")
    equal(good(berth.berth("config", "device", "show", "c1")), "{}\n")


@case("Profiles are made, changed, shown, applied, copied, renamed and deleted")
def _(berth):
    equal(good(berth.berth("profile", "create", "p1", stdin="config:\n  user.x: 1\ndescription: mine\n")), "Profile p1 created\n")
    good(berth.berth("profile", "set", "p1", "user.y=2"))
    equal(good(berth.berth("profile", "device", "add", "p1", "n0", "none")), "Device n0 added to p1\n")
    equal(good(berth.berth("profile", "show", "p1")),
          'config:\n  user.x: "1"\n  user.y: "2"\ndescription: mine\ndevices:\n  n0:\n    type: none\nname: p1\nused_by: []\n')
    equal(good(berth.berth("profile", "add", "c1", "p1")), "Profile p1 added to c1\n")
    contains(good(berth.berth("profile", "list", "--format", "csv")), "p1,mine,1\n")
    bad(berth.berth("profile", "delete", "p1"), "in use")
    equal(good(berth.berth("config", "get", "c1", "user.x", "--expanded")), "1\n")
    equal(good(berth.berth("profile", "remove", "c1", "p1")), "Profile p1 removed from c1\n")
    equal(good(berth.berth("profile", "assign", "c1", "default,p1")), "Profiles default,p1 applied to c1\n")
    equal(good(berth.berth("profile", "assign", "c1", "default")), "Profiles default applied to c1\n")
    good(berth.berth("profile", "copy", "p1", "p2"))
    good(berth.berth("project", "create", "elsewhere"))
    good(berth.berth("profile", "copy", "p1", "p3", "--target-project", "elsewhere"))
    contains(good(berth.berth("profile", "list", "--project", "elsewhere")), "p3")
    good(berth.berth("profile", "delete", "p3", "--project", "elsewhere"))
    good(berth.berth("project", "delete", "elsewhere"))
    equal(good(berth.berth("profile", "rename", "p2", "p3")), "Profile p2 renamed to p3\n")
    for name in ("p1", "p3"):
        equal(good(berth.berth("profile", "delete", name)), f"Profile {name} deleted\n")
    bad(berth.berth("profile", "show", "p1"), "not found")


@case("pause freezes it, and start lets it go on")
def _(berth):
    before = init_pid(berth, "c1")
    good(berth.berth("pause", "c1"))
    equal(status(berth, "c1"), "FROZEN")
    good(berth.berth("start", "c1"))
    equal((status(berth, "c1"), init_pid(berth, "c1")), ("RUNNING", before))


@case("restart gives it a new init; stop and start keep its files")
def _(berth):
    before = init_pid(berth, "c1")
    good(berth.berth("restart", "c1", "--timeout", "30"))
    if init_pid(berth, "c1") == before:
        raise AssertionError("it is the same init")
    good(berth.berth("exec", "c1", "--", "sh", "-c", "echo kept > /root/file"))
    good(berth.berth("stop", "c1", "--timeout", "30"))
    equal(status(berth, "c1"), "STOPPED")
    bad(berth.berth("stop", "c1"), "already stopped")
    bad(berth.berth("exec", "c1", "--", "true"), "not running")
    good(berth.berth("start", "c1"))
    bad(berth.berth("start", "c1"), "already running")
    equal(good(berth.berth("exec", "c1", "--", "cat", "/root/file")), "kept\n")


@case("Several instances are changed at once, and each failure has its name")
def _(berth):
    good(berth.berth("init", "bb-split", "c2"))
    good(berth.berth("start", "c2"))
    done = bad(berth.berth("stop", "c1", "nobody", "c2", "--force"), "Error: Some instances failed to stop\n")
    contains(done.err, 'nobody: error: Instance "nobody" not found\n')
    equal((status(berth, "c1"), status(berth, "c2")), ("STOPPED", "STOPPED"))
    good(berth.berth("start", "--all"))
    equal((status(berth, "c1"), status(berth, "c2")), ("RUNNING", "RUNNING"))


@case("monitor tells of what happens, as JSON, YAML and for people")
def _(berth):
    running = {form: subprocess.Popen(["berth", "monitor", "--format", form, "--type", "lifecycle"], env=berth.environment,
                                      stdout=subprocess.PIPE) for form in ("json", "yaml", "pretty")}
    seen = {form: "" for form in running}
    marks = {"json": '"action":"instance-restarted"', "yaml": "  action: instance-restarted\n", "pretty": "Action: instance-restarted, Source: "}
    try:
        for process in running.values():
            os.set_blocking(process.stdout.fileno(), False)

        def complete():
            for form, process in running.items():
                seen[form] += (process.stdout.read() or b"").decode()
            return all(mark in seen[form] for form, mark in marks.items())

        until(lambda: good(berth.berth("restart", "c2", "--force")) or complete(), "the events")
        equal({json.loads(line)["type"] for line in seen["json"].splitlines() if line}, {"lifecycle"})
        contains(seen["yaml"], "type: lifecycle\n\n\n")
    finally:
        for process in running.values():
            process.terminate()
            process.wait(10)


@case("query asks anything, waits, and gives errors as errors")
def _(berth):
    equal(json.loads(good(berth.berth("query", "/1.0/instances"))), ["/1.0/instances/c1", "/1.0/instances/c2"])
    ended = json.loads(good(berth.berth("query", "-X", "PUT", "--wait", "-d", '{"action":"restart","force":true}', "/1.0/instances/c2/state")))
    equal(ended["status"], "Success")
    equal(json.loads(good(berth.berth("query", "--raw", "/1.0/instances")))["type"], "sync")
    fails(berth.berth("query", "/1.0/instances/nobody"), 'Instance "nobody" not found')


@case("Operations are listed, and one that is not there is refused")
def _(berth):
    equal(good(berth.berth("operation", "list", "-f", "compact")).split()[:6], ["ID", "TYPE", "DESCRIPTION", "STATUS", "CANCELABLE", "CREATED"])
    bad(berth.berth("operation", "show", "344a79e4-d88a-45bf-9c39-c72c26f6ab8a"), "not found")


@case("The storage pool is shown with its users")
def _(berth):
    equal(good(berth.berth("storage", "list", "--format", "csv")).split(",")[0], "default")
    contains(good(berth.berth("storage", "info", "default")), "used by:\n  instances:\n  - c1\n  - c2\n")


@case("A launch takes configuration from its flags and from standard input")
def _(berth):
    good(berth.berth("launch", "bb", "c3", "-c", "user.flag=1", "-d", "root,size=1GiB", "-e", stdin="config:\n  user.file: 2\n  user.flag: 3\ndescription: given\n"))
    equal([good(berth.berth("config", "get", "c3", f"user.{key}")) for key in ("flag", "file")], ["1\n", "2\n"])
    contains(good(berth.berth("list", "c3", "-c", "td", "--format", "csv")), "CONTAINER (EPHEMERAL),given")
    good(berth.berth("stop", "c3"))
    until(lambda: good(berth.berth("list", "c3", "--format", "csv")) == "", "the deletion")
    equal(good(berth.berth("launch", "bb", "-q")), "")
    names = good(berth.berth("list", "--format", "csv", "-c", "n")).split()
    equal(len(names), 3, "instances")
    good(berth.berth("delete", "--force", *set(names) - {"c1", "c2"}))


@case("Wrong names are refused in words that name them")
def _(berth):
    bad(berth.berth("launch", "no-such-image", "c4"), '"no-such-image" not found')
    bad(berth.berth("launch", "bb", "c2"), "already exists")
    bad(berth.berth("launch", "bb", "bad_name"), "name")
    bad(berth.berth("info", "c9"), '"c9" not found')
    bad(berth.berth("launch", "bb", "c4", "-p", "nobody"), '"nobody"')


@case("rename moves a stopped container with all it has")
def _(berth):
    good(berth.berth("stop", "c1", "--force"))
    good(berth.berth("rename", "c1", "c5"))
    bad(berth.berth("info", "c1"), "not found")
    good(berth.berth("start", "c5"))
    equal(good(berth.berth("exec", "c5", "--", "cat", "/root/file")), "kept\n")


@case("delete refuses what runs unless forced, and asks when it should")
def _(berth):
    bad(berth.berth("delete", "c5"), "The instance is currently running, stop it first or pass --force")
    bad(berth.berth("delete", "-i", "-f", "c5", stdin="no\n"), "User aborted delete operation")
    good(berth.berth("delete", "-i", "-f", "c5", stdin="yes\n"))
    good(berth.berth("delete", "c2", "--force"))
    equal(json.loads(good(berth.berth("list", "--format", "json"))), [])
    good(berth.berth("image", "delete", "bb", "bb-split"))
    equal(good(berth.berth("image", "list", "--format", "csv")), "")


@case("Without a daemon the error says so, and version still tells its own")
def _(berth):
    environment = {**berth.environment, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}
    done = subprocess.run(["berth", "list"], env=environment, capture_output=True, text=True, check=False)
    equal((done.returncode, done.stdout), (1, ""))
    contains(done.stderr, "Error: cannot connect to the system bus")
    done = subprocess.run(["berth", "version"], env=environment, capture_output=True, text=True, check=False)
    contains(done.stdout, "Server version: unreachable\n")


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
