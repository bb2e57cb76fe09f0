#!/usr/bin/python3
"""Berth's command line: snapshots, copies, files, metadata and templates, and that it says what lxc 5.0.2 says."""

import hashlib
import json
import os
import re
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Terminal, bad, case, contains, equal, good, run_cases  # noqa: E402  pylint: disable=wrong-import-position


def names(berth, *more):
    return good(berth.berth("list", "--format", "csv", "-c", "nS", *more)).split()


def in_guest(berth, name, *argv):
    return good(berth.berth("exec", name, "--", *argv))


def same(berth, *argv):
    """The command says the same as lxc's."""
    ours, theirs = berth.berth(*argv), berth.lxc(*argv)
    equal((ours.code, ours.out), (theirs.code, theirs.out), " ".join(argv))
    return ours.out


@case("Containers to work with are launched")
def _(berth):
    good(berth.berth("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    good(berth.berth("launch", "bb", "c1"))
    good(berth.berth("init", "bb", "c2"))


@case("snapshot takes one of a running instance, with a name, without, and anew")
def _(berth):
    in_guest(berth, "c1", "sh", "-c", "echo one > /root/file")
    equal(good(berth.berth("snapshot", "c1", "before")), "")
    good(berth.berth("snapshot", "c1"))
    bad(berth.berth("snapshot", "c1", "before"), "already exists")
    good(berth.berth("snapshot", "c1", "before", "--reuse"))
    equal(names(berth), ["c1,2", "c2,0"])


@case("info lists snapshots as lxc does, and list counts them")
def _(berth):
    table = re.compile(r"\nSnapshots:\n.*", re.S)
    ours, theirs = (table.search(good(client("info", "c1")))[0] for client in (berth.berth, berth.lxc))
    equal(ours, theirs)
    contains(ours, "| before |")


@case("Configuration of snapshots is shown and edited as lxc does")
def _(berth):
    shown = same(berth, "config", "show", "c1/before")
    contains(shown, "expires_at: 0001-01-01T00:00:00Z\n")
    good(berth.berth("config", "edit", "c1/before", stdin="expires_at: 2040-01-02T03:04:05Z\n"))
    contains(same(berth, "config", "show", "c1/before"), "expires_at: 2040-01-02T03:04:05Z\n")


@case("restore brings the files back")
def _(berth):
    in_guest(berth, "c1", "sh", "-c", "echo two > /root/file")
    good(berth.berth("restore", "c1", "before"))
    equal(in_guest(berth, "c1", "cat", "/root/file"), "one\n")
    bad(berth.berth("restore", "c1", "nothing"), "not found")


@case("Snapshots are renamed and deleted")
def _(berth):
    good(berth.berth("rename", "c1/before", "c1/first"))
    good(berth.berth("move", "c1/first", "c1/second"))
    bad(berth.berth("rename", "c1/second", "c2/second"), "parent must be the same as source")
    good(berth.berth("delete", "c1/second", "c1/snap0"))
    equal(names(berth, "c1"), ["c1,0"])
    bad(berth.berth("delete", "c1/second"), "not found")


@case("copy takes an instance with its snapshots, without them, a snapshot, and other settings")
def _(berth):
    good(berth.berth("snapshot", "c1", "s"))
    good(berth.berth("copy", "c1", "copy1"))
    good(berth.berth("copy", "c1", "copy2", "--instance-only", "-c", "user.x=1", "-d", "root,size=2GiB", "-p", "default"))
    good(berth.berth("copy", "c1/s", "local:copy3", "--ephemeral"))
    equal(names(berth, "copy"), ["copy1,1", "copy2,0", "copy3,0"])
    equal(good(berth.berth("config", "get", "copy2", "user.x")), "1\n")
    equal(good(berth.berth("config", "device", "get", "copy2", "root", "size")), "2GiB\n")
    contains(good(berth.berth("list", "copy3", "-c", "t", "--format", "csv")), "EPHEMERAL")
    good(berth.berth("start", "copy1"))
    equal(in_guest(berth, "copy1", "cat", "/root/file"), "one\n")
    bad(berth.berth("copy", "c1", "copy1"), "already exists")


@case("copy --refresh brings a copy up to date")
def _(berth):
    in_guest(berth, "c1", "sh", "-c", "echo three > /root/file")
    good(berth.berth("stop", "copy1", "--force"))
    good(berth.berth("copy", "c1", "copy1", "--refresh"))
    good(berth.berth("start", "copy1"))
    equal(in_guest(berth, "copy1", "cat", "/root/file"), "three\n")


@case("move renames, and copies and deletes where it has to")
def _(berth):
    bad(berth.berth("move", "copy2", "moved", "-c", "user.x=2"), "Can't override configuration or profiles in local rename")
    good(berth.berth("move", "copy2", "moved"))
    equal(names(berth, "moved"), ["moved,0"])
    good(berth.berth("delete", "-f", "copy1", "copy3", "moved"))


@case("Files are pushed and pulled byte for byte, with owners and modes, running or stopped")
def _(berth):
    data = os.urandom(3 << 20)
    with open(f"{berth.work}/data", "wb") as file:
        file.write(data)
    os.chmod(f"{berth.work}/data", 0o640)
    for name in ("c1", "c2"):
        good(berth.berth("file", "push", f"{berth.work}/data", f"{name}/root/a", "--uid", "5", "--gid", "6"))
        good(berth.berth("file", "push", f"{berth.work}/data", f"{name}/root/", "--mode", "600"))
        good(berth.berth("file", "pull", f"{name}/root/data", f"{name}/root/a", f"{berth.work}/got/"))
        with open(f"{berth.work}/got/a", "rb") as file:
            equal(hashlib.sha256(file.read()).hexdigest(), hashlib.sha256(data).hexdigest())
        equal([stat.S_IMODE(os.stat(f"{berth.work}/got/{part}").st_mode) for part in ("a", "data")], [0o640, 0o600])
    equal(in_guest(berth, "c1", "stat", "-c", "%u %g %a", "/root/a", "/root/data"), "5 6 640\n0 0 600\n")


@case("Standard input and output are files, too")
def _(berth):
    good(berth.berth("file", "push", "-", "c1/srv/new/text", "--create-dirs", stdin="typed\n"))
    equal(good(berth.berth("file", "pull", "c1/srv/new/text", "-")), "typed\n")
    equal(in_guest(berth, "c1", "stat", "-c", "%a", "/srv/new"), "755\n")
    bad(berth.berth("file", "push", "-", "c1/nowhere/text", stdin=""), "there is no such file")
    bad(berth.berth("file", "pull", "c1/nothing", "-"), "there is no such file")


@case("Trees go in and out with links and modes, as with lxc")
def _(berth):
    top = f"{berth.work}/tree"
    os.makedirs(f"{top}/a/b")
    for n in range(10):
        with open(f"{top}/a/b/f{n}", "w", encoding="ascii") as file:
            file.write(str(n))
    os.symlink("b/f3", f"{top}/a/link")
    os.chmod(f"{top}/a/b/f1", 0o751)
    good(berth.berth("file", "push", "-r", "-p", top, "c1/srv/berth"))
    good(berth.lxc("file", "push", "-r", "-p", top, "c1/srv/lxc"))
    found = "find . -print0 | sort -z | xargs -0 stat -c '%n %u %g %a %F %s'"
    ours, theirs = (in_guest(berth, "c1", "sh", "-c", f"cd /srv/{who} && {found}") for who in ("berth", "lxc"))
    equal(ours, theirs)
    good(berth.berth("file", "pull", "-r", "c1/srv/berth/tree", f"{berth.work}/back"))
    equal(os.readlink(f"{berth.work}/back/tree/a/link"), "b/f3")
    equal(os.stat(f"{berth.work}/back/tree/a/b/f1").st_mode & 0o777, 0o751)
    with open(f"{berth.work}/back/tree/a/b/f7", encoding="ascii") as file:
        equal(file.read(), "7")
    bad(berth.berth("file", "pull", "c1/srv", f"{berth.work}/back"), "--recursive")


@case("A link that a tree brings is not followed by the same tree")
def _(berth):
    in_guest(berth, "c1", "sh", "-c", f"mkdir -p /srv/trap && ln -s {berth.work}/victim /srv/trap/x")
    good(berth.berth("file", "pull", "-r", "c1/srv/trap", f"{berth.work}/trapped"))
    in_guest(berth, "c1", "sh", "-c", "rm /srv/trap/x && echo evil > /srv/trap/x")
    bad(berth.berth("file", "pull", "-r", "c1/srv/trap", f"{berth.work}/trapped"), "cannot write")
    equal(os.path.exists(f"{berth.work}/victim"), False)


@case("file edit keeps owner and mode, from standard input and in the editor; file delete deletes")
def _(berth):
    good(berth.berth("file", "edit", "c1/root/a", stdin="edited\n"))
    equal(in_guest(berth, "c1", "sh", "-c", "cat /root/a; stat -c '%u %g %a' /root/a"), "edited\n5 6 640\n")
    with open(f"{berth.work}/editor", "w", encoding="ascii") as file:
        file.write("#!/bin/sh\necho by hand >> \"$1\"\n")
    os.chmod(f"{berth.work}/editor", 0o755)
    equal(Terminal(berth, "berth", "file", "edit", "c1/root/a", EDITOR=f"{berth.work}/editor").end(), 0)
    equal(in_guest(berth, "c1", "cat", "/root/a"), "edited\nby hand\n")
    good(berth.berth("file", "delete", "c1/root/a", "c1/root/data"))
    bad(berth.berth("file", "delete", "c1/root/a"), "there is no such file")


@case("Metadata and templates are shown, changed and deleted as with lxc")
def _(berth):
    shown = same(berth, "config", "metadata", "show", "c2")
    good(berth.berth("config", "metadata", "edit", "c2", stdin=shown.replace("  os: ", "  added: yes\n  os: ")))
    contains(same(berth, "config", "metadata", "show", "c2"), "  added: \"yes\"\n")
    good(berth.berth("config", "template", "create", "c2", "motd.tpl"))
    good(berth.berth("config", "template", "edit", "c2", "motd.tpl", stdin="welcome to {{ container.name }}\n"))
    contains(same(berth, "config", "template", "list", "c2"), "| motd.tpl ")
    equal(same(berth, "config", "template", "show", "c2", "motd.tpl"), "welcome to {{ container.name }}\n")
    good(berth.berth("config", "template", "delete", "c2", "motd.tpl"))
    bad(berth.berth("config", "template", "show", "c2", "motd.tpl"), "There is no template")


@case("What only shows says what lxc says")
def _(berth):
    for line in ("list -c ns46tS", "list -f csv -c nsacPtdeblFfpS", "list -f compact", "list c1 -f yaml", "list --fast -f csv",
                 "list type=container -c n -f csv", "image list", "image list -f csv -c lLfFpdasut", "image show bb", "image alias list",
                 "profile list", "profile show default", "profile list -f yaml", "config show c1",
                 "config show c1 --expanded", "config show", "config device list c1", "config device show c1", "config trust list",
                 "config trust list-tokens", "config get c1 volatile.base_image", "query /1.0/profiles/default",
                 "config template list c1 -f csv", "remote get-default", "alias list -f csv"):
        same(berth, *line.split())


@case("What is not served says so")
def _(berth):
    served = json.loads(good(berth.berth("query", "/1.0")))["api_extensions"]
    contains(bad(berth.berth("copy", "c1", "x", "--target", "there"), "").err, "cluster")
    if "projects" not in served:
        bad(berth.berth("project", "list"), "projects")
    if "container_backup" not in served:
        bad(berth.berth("export", "c2", f"{berth.work}/c2.tar.gz"), "backups")


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
