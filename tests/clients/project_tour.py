#!/usr/bin/python3
"""Debian's own lxc 5.0.2 against a private Berth: projects, what they share, and what they restrict."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, bad, case, contains, equal, good, run_cases  # noqa: E402  pylint: disable=wrong-import-position


def rest_of(berth):
    return Rest(f"{berth.dir}/run/unix.socket")


def names(berth, *argv, project):
    return good(berth.lxc("list", "--project", project, "--format", "csv", "-c", "n", *argv)).split()


def row(berth, name):
    listed = json.loads(good(berth.lxc("project", "list", "--format", "json")))
    return next(project for project in listed if project["name"] == name)


@case("project create, list, show and info print a new project")
def _(berth):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    contains(good(berth.lxc("project", "create", "web", "-c", "features.images=false", "-c", "user.a=b")), "Project web created")
    bad(berth.lxc("project", "create", "web"), "already exists")
    bad(berth.lxc("project", "create", "a_b"), "Project names may not contain underscores")
    bad(berth.lxc("project", "create", "x", "-c", "no.such=1"), 'Invalid project configuration key "no.such"')
    bad(berth.lxc("project", "create", "x", "-c", "features.networks=true"), "features.networks")
    bad(berth.lxc("project", "create", "x", "-c", "limits.disk=1GiB"), "limits.disk")
    contains(good(berth.lxc("project", "list")), "| default (current) | YES    | YES      | YES             | YES      | Default LXD project |")
    contains(good(berth.lxc("project", "show", "web")), 'features.images: "false"\n  features.profiles: "true"\n')
    equal(row(berth, "web")["used_by"], ["/1.0/profiles/default?project=web"])
    equal(row(berth, "default")["config"], {f"features.{name}": "true" for name in ("images", "networks", "profiles", "storage.volumes")})
    contains(good(berth.lxc("project", "info", "web")), "| CONTAINERS       | UNLIMITED | 0     |")


@case("project get, set, unset and edit change one")
def _(berth):
    equal(good(berth.lxc("project", "get", "web", "user.a")).strip(), "b")
    good(berth.lxc("project", "set", "web", "user.a=c", "user.d=e"))
    good(berth.lxc("project", "unset", "web", "user.d"))
    equal(row(berth, "web")["config"]["user.a"], "c")
    equal("user.d" in row(berth, "web")["config"], False)
    text = good(berth.lxc("project", "show", "web")).replace('description: ""', "description: The web")
    good(berth.lxc("project", "edit", "web", stdin=text))
    equal(row(berth, "web")["description"], "The web")
    bad(berth.lxc("project", "set", "default", "features.images=false"), "You can't change the features of the default project")


@case("A project is renamed with its profile, whatever project the client is in")
def _(berth):
    good(berth.lxc("project", "create", "first"))
    contains(good(berth.lxc("project", "rename", "first", "second", timeout=20)), "Project first renamed to second")
    contains(good(berth.lxc("project", "rename", "second", "third", "--project", "web", timeout=20)), "renamed to third")
    equal(row(berth, "third")["used_by"], ["/1.0/profiles/default?project=third"])
    bad(berth.lxc("project", "rename", "third", "web", timeout=20), 'A project named "web" already exists')
    bad(berth.lxc("project", "rename", "default", "other"), "The 'default' project cannot be renamed")
    contains(good(berth.lxc("project", "delete", "third")), "Project third deleted")
    bad(berth.lxc("project", "delete", "default"), "The 'default' project cannot be deleted")
    bad(berth.lxc("project", "delete", "third"), "Project not found")


@case("Instances of one name live apart, with images of the default project and a profile of their own")
def _(berth):
    bad(berth.lxc("launch", "bb", "c1", "--project", "web"), "No root device could be found")
    good(berth.lxc("profile", "device", "add", "default", "root", "disk", "path=/", "pool=default", "--project", "web"))
    equal("root" in good(berth.lxc("profile", "show", "default", "--project", "web")), True)
    good(berth.lxc("launch", "bb", "c1", "--project", "web"))
    good(berth.lxc("launch", "bb", "c1"))
    for project in ("web", "default"):
        good(berth.lxc("exec", "c1", "--project", project, "--", "sh", "-c", f"echo {project} > /root/where"))
    for project in ("web", "default"):
        equal(good(berth.lxc("exec", "c1", "--project", project, "--", "cat", "/root/where")).strip(), project)
        equal(names(berth, project=project), ["c1"])
    equal(sorted(good(berth.lxc("list", "--all-projects", "--format", "csv", "-c", "en")).split()), ["default,c1", "web,c1"])
    contains(good(berth.lxc("config", "show", "c1", "--project", "web")), "volatile.uuid")
    good(berth.lxc("config", "set", "c1", "user.x=y", "--project", "web"))
    equal(good(berth.lxc("config", "get", "c1", "user.x")).strip(), "")
    contains(good(berth.lxc("info", "c1", "--project", "web")), "Status: RUNNING")


@case("Everything of an instance goes by its project: files, snapshots, logs, rename, stop")
def _(berth):
    good(berth.lxc("file", "push", f"{berth.work}/bb.tar.gz", "c1/root/file", "--project", "web"))
    bad(berth.lxc("file", "pull", "c1/root/file", f"{berth.work}/out"), "")
    good(berth.lxc("snapshot", "c1", "s1", "--project", "web"))
    rest = rest_of(berth)
    equal(rest.metadata("GET", "/1.0/instances/c1/snapshots?project=web"), ["/1.0/instances/c1/snapshots/s1?project=web"])
    equal(rest.metadata("GET", "/1.0/instances/c1/snapshots"), [])
    equal(rest.metadata("GET", "/1.0/instances?project=web"), ["/1.0/instances/c1?project=web"])
    equal(rest.metadata("GET", "/1.0/instances?project=nope"), [])
    rest.close()
    good(berth.lxc("stop", "-f", "c1", "--project", "web"))
    equal(good(berth.lxc("list", "--format", "csv", "-c", "ns")).strip(), "c1,RUNNING")
    good(berth.lxc("rename", "c1", "c2", "--project", "web"))
    equal(names(berth, project="web"), ["c2"])
    good(berth.lxc("start", "c2", "--project", "web"))
    equal(good(berth.lxc("exec", "c2", "--project", "web", "--", "hostname")).strip(), "c2")


@case("Operations and events are those of the project asked for")
def _(berth):
    rest = rest_of(berth)
    good(berth.lxc("config", "set", "c2", "user.n=1", "--project", "web"))
    seen = [one for rows in rest.metadata("GET", "/1.0/operations?project=web&recursion=1").values() for one in rows]
    urls = [url for one in seen for list_of in (one["resources"] or {}).values() for url in list_of]
    equal("/1.0/instances/c2" in urls, True)
    here = [one for rows in rest.metadata("GET", "/1.0/operations?recursion=1").values() for one in rows]
    equal([one for one in here if one["resources"] and any("/c2" in u for u in one["resources"].get("instances", []))], [])
    rest.close()
    contains(good(berth.lxc("init", "bb", "--project", "web")), "Instance name is: ")
    made = [name for name in names(berth, project="web") if name != "c2"]
    good(berth.lxc("delete", *made, "--project", "web"))


@case("A copy of a container goes to another project, and moves back")
def _(berth):
    good(berth.lxc("stop", "-f", "c2", "--project", "web"))
    good(berth.lxc("copy", "c2", "c3", "--project", "web", "--target-project", "default"))
    equal(names(berth, project="default"), ["c1", "c3"])
    good(berth.lxc("start", "c3"))
    equal(good(berth.lxc("exec", "c3", "--", "cat", "/root/where")).strip(), "web")
    bad(berth.lxc("move", "c3", "c5", "--target-project", "web"), "stopped")
    good(berth.lxc("stop", "-f", "c3"))
    good(berth.lxc("snapshot", "c3", "before"))
    bad(berth.lxc("move", "c3", "c2", "--target-project", "web"), "already in use")
    bad(berth.lxc("move", "c3", "c5", "--target-project", "nowhere"), "not found")
    good(berth.lxc("move", "c3", "c5", "--target-project", "web"))
    equal((names(berth, project="default"), names(berth, project="web")), (["c1"], ["c2", "c5"]))
    contains(good(berth.lxc("info", "c5", "--project", "web")), "before")
    good(berth.lxc("start", "c5", "--project", "web"))
    equal(good(berth.lxc("exec", "c5", "--project", "web", "--", "cat", "/root/where")).strip(), "web")
    good(berth.lxc("delete", "-f", "c5", "--project", "web"))


@case("Profiles and images of a project are its own where its features say so")
def _(berth):
    good(berth.lxc("project", "create", "own"))
    equal(json.loads(good(berth.lxc("image", "list", "--format", "json", "--project", "own"))), [])
    equal(len(json.loads(good(berth.lxc("image", "list", "--format", "json", "--project", "web")))), 1)
    bad(berth.lxc("init", "bb", "c1", "--project", "own"), "not found")
    good(berth.lxc("image", "import", f"{berth.work}/bb.tar.gz", "--alias", "mine", "--project", "own"))
    equal(good(berth.lxc("image", "alias", "list", "--format", "csv", "--project", "own")).split(",")[0], "mine")
    equal(good(berth.lxc("image", "alias", "list", "--format", "csv")).split(",")[0], "bb")
    good(berth.lxc("profile", "create", "p", "--project", "own"))
    bad(berth.lxc("profile", "show", "p"), "not found")
    bad(berth.lxc("project", "delete", "own"), "Only empty projects can be removed")
    bad(berth.lxc("project", "set", "own", "features.images=false"), 'Project feature "features.images" cannot be disabled on non-empty projects')
    good(berth.lxc("image", "delete", "mine", "--project", "own"))
    good(berth.lxc("profile", "delete", "p", "--project", "own"))
    good(berth.lxc("project", "delete", "own"))
    good(berth.lxc("image", "info", "bb"))


@case("Limits of a project hold")
def _(berth):
    good(berth.lxc("project", "set", "web", "limits.containers=1"))
    bad(berth.lxc("init", "bb", "c4", "--project", "web"), 'Reached maximum number of instances of type "container" in project "web"')
    bad(berth.lxc("project", "set", "web", "limits.memory=1GiB"), 'has no "limits.memory" config')
    good(berth.lxc("config", "set", "c2", "limits.memory=512MiB", "--project", "web"))
    good(berth.lxc("project", "set", "web", "limits.memory=1GiB"))
    bad(berth.lxc("config", "set", "c2", "limits.memory=2GiB", "--project", "web"), "Reached maximum aggregate value")
    contains(good(berth.lxc("project", "info", "web")), "| MEMORY           | 1.00GiB   | 512.00MiB |")
    good(berth.lxc("project", "unset", "web", "limits.memory"))


@case("Restrictions of a project hold")
def _(berth):
    good(berth.lxc("project", "set", "web", "restricted=true"))
    bad(berth.lxc("config", "set", "c2", "security.nesting=true", "--project", "web"), "Container nesting is forbidden")
    bad(berth.lxc("config", "set", "c2", "security.privileged=true", "--project", "web"), "Privileged containers are forbidden")
    bad(berth.lxc("config", "set", "c2", "raw.lxc=lxc.cap.drop=mknod", "--project", "web"), "low-level")
    bad(berth.lxc("profile", "set", "default", "security.privileged=true", "--project", "web"), "Privileged containers are forbidden")
    bad(berth.lxc("snapshot", "c2", "--project", "web"), "doesn't allow for snapshot creation")
    good(berth.lxc("project", "set", "web", "restricted.containers.nesting=allow", "restricted.snapshots=allow"))
    good(berth.lxc("config", "set", "c2", "security.nesting=true", "--project", "web"))
    good(berth.lxc("snapshot", "c2", "--project", "web"))
    bad(berth.lxc("project", "set", "web", "restricted.containers.nesting=block"), "Container nesting is forbidden")


@case("A project is switched to, and goes when it is empty")
def _(berth):
    good(berth.lxc("project", "switch", "web"))
    contains(good(berth.lxc("project", "list")), "web (current)")
    equal(good(berth.lxc("list", "--format", "csv", "-c", "n")).strip(), "c2")
    bad(berth.lxc("project", "switch", "nope"), "not found")
    good(berth.lxc("delete", "-f", "c2"))
    good(berth.lxc("project", "switch", "default"))
    good(berth.lxc("project", "delete", "web"))
    equal([one["name"] for one in json.loads(good(berth.lxc("project", "list", "--format", "json")))], ["default"])
    equal(names(berth, project="default"), ["c1"])


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
