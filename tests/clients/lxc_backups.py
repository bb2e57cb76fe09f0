#!/usr/bin/python3
"""Backups, as Debian's lxc 5.0.2 exports and imports them; and, where LXD itself is installed, Berth's restored by LXD and
LXD's restored by Berth."""

import ctypes
import gzip
import http.client
import importlib.machinery
import importlib.util
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import SOURCE, Instance, Rest, bad, case, command, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position


def request(berth, method, url, body=None, headers=None):
    connection = Rest(berth.environment["LXD_SOCKET"])
    connection.request(method, url, body, headers or {})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def rest(berth):
    return Rest(berth.environment["LXD_SOCKET"])


def members(path):
    with tarfile.open(path) as tar:
        return {member.name: member for member in tar.getmembers()}


def upload(berth, data, **headers):
    """The end of the operation that the upload of a backup begins."""
    named = {f"X-LXD-{name}": value for name, value in headers.items()}
    status, _, answer = request(berth, "POST", "/1.0/instances", data, {"Content-Type": "application/octet-stream", **named})
    answer = json.loads(answer)
    if status != 202:
        return answer["error"]
    return rest(berth).metadata("GET", f"{answer['operation']}/wait")["err"]


def small_backup(*members_, index=b"name: small\npool: default\ntype: container\nconfig:\n  container:\n    architecture: x86_64\n    profiles: [default]\n"):
    """A tar of (name, content or a function of the entry)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in (("backup/index.yaml", index), *members_):
            entry = tarfile.TarInfo(name)
            if callable(content):
                content(entry)
                tar.addfile(entry)
            else:
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def folder(entry):
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755


def symlink(target):
    def make(entry):
        entry.type, entry.linkname = tarfile.SYMTYPE, target
    return make


@case("A backup of a stopped instance with snapshots has LXD's layout")
def _(berth):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    good(berth.lxc("init", "bb", "web", "-c", "user.colour=blue"))
    good(berth.lxc("file", "push", "-", "web/root/old", stdin="old\n"))
    good(berth.lxc("snapshot", "web", "s0"))
    good(berth.lxc("file", "delete", "web/root/old"))
    good(berth.lxc("file", "push", "-", "web/root/new", "--uid", "7", "--mode", "0640", stdin="new\n"))
    berth.full = f"{berth.work}/full.tar.gz"
    contains(good(berth.lxc("export", "web", berth.full)), "Backup exported successfully!")
    found = members(berth.full)
    equal(next(iter(found)), "backup/index.yaml")
    for name in ("backup/container/backup.yaml", "backup/container/metadata.yaml", "backup/container/templates/hostname.tpl",
                 "backup/container/rootfs/root/new", "backup/snapshots/s0/rootfs/root/old", "backup/snapshots/s0/rootfs/bin/busybox"):
        equal(name in found, True, name)
    equal(("backup/container/rootfs/root/old" in found, found["backup/container/rootfs/root/new"].uid), (False, 7))
    equal(rest(berth).metadata("GET", "/1.0/instances/web/backups"), [])  # lxc deletes what it downloaded


@case("It comes back under its own name and under another one")
def _(berth):
    bad(berth.lxc("import", berth.full), "already exists")
    good(berth.lxc("import", berth.full, "again"))
    equal(good(berth.lxc("config", "get", "again", "user.colour")), "blue\n")
    equal(good(berth.lxc("list", "again", "--format", "csv", "-c", "nsS")), "again,STOPPED,1\n")
    good(berth.lxc("start", "again"))
    equal(good(berth.lxc("exec", "again", "--", "sh", "-c", "cat /root/new; stat -c '%u %a' /root/new; ls /root; hostname")),
          "new\n7 640\nnew\nagain\n")
    good(berth.lxc("restore", "again", "s0"))
    equal(good(berth.lxc("exec", "again", "--", "ls", "/root")), "old\n")
    good(berth.lxc("delete", "web", "--force"))
    good(berth.lxc("import", berth.full))
    equal(good(berth.lxc("info", "web")).count("s0"), 1)


@case("--instance-only and --compression are heeded")
def _(berth):
    good(berth.lxc("export", "web", f"{berth.work}/only.tar", "--instance-only", "--compression", "none"))
    equal([name for name in members(f"{berth.work}/only.tar") if "snapshots" in name], [])
    bad(berth.lxc("export", "web", f"{berth.work}/x", "--compression", "rot13"), "compression")
    bad(berth.lxc("export", "web", f"{berth.work}/x", "--optimized-storage"), "not supported")


@case("A running one is backed up while it runs")
def _(berth):
    good(berth.lxc("exec", "again", "--", "sh", "-c", "echo live > /root/live"))
    good(berth.lxc("export", "again", f"{berth.work}/live.tar.gz"))
    equal("backup/container/rootfs/root/live" in members(f"{berth.work}/live.tar.gz"), True)
    equal(good(berth.lxc("exec", "again", "--", "cat", "/root/live")), "live\n")


@case("Backups are made, listed, renamed, downloaded and deleted over the API")
def _(berth):
    done = rest(berth).finished("POST", "/1.0/instances/web/backups", {"name": "b0", "instance_only": True, "expires_at": "2040-01-01T00:00:00Z"})
    equal((done["description"], done["resources"]["backups"]), ("Backing up instance", ["/1.0/backups/b0"]))
    row = rest(berth).metadata("GET", "/1.0/instances/web/backups/b0")
    equal((row["name"], row["expires_at"], row["instance_only"], row["container_only"], row["optimized_storage"]),
          ("b0", "2040-01-01T00:00:00Z", True, True, False))
    equal(rest(berth).metadata("GET", "/1.0/containers/web/backups"), ["/1.0/containers/web/backups/b0"])
    equal(rest(berth).metadata("GET", "/1.0/instances/web?recursion=1")["backups"], [row])
    contains(good(berth.lxc("info", "web")), "b0")
    contains(str(rest(berth).ask("POST", "/1.0/instances/web/backups", {"name": "b0"})), "already exists")
    contains(str(rest(berth).ask("POST", "/1.0/instances/web/backups", {"name": "a/b"})), "slashes")
    rest(berth).finished("POST", "/1.0/instances/web/backups/b0", {"name": "b1"})
    status, headers, data = request(berth, "GET", "/1.0/instances/web/backups/b1/export")
    equal((status, headers["content-length"], data[:2]), (200, str(len(data)), b"\x1f\x8b"))
    rest(berth).finished("DELETE", "/1.0/instances/web/backups/b1")
    equal(request(berth, "GET", "/1.0/instances/web/backups/b1/export")[0], 404)


@case("Export on D-Bus streams a backup into a pipe, and nothing of it is stored")
def _(berth):
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = berth.environment["DBUS_SYSTEM_BUS_ADDRESS"]
    sd_bus, bus, reply = ctypes.CDLL("libsystemd.so.0"), ctypes.c_void_p(), ctypes.c_void_p()
    equal(sd_bus.sd_bus_open_system(ctypes.byref(bus)) >= 0, True)
    reading, writing = os.pipe()
    code = sd_bus.sd_bus_call_method(
        bus, b"org.berth.Berth1", b"/org/berth/Berth1/project/default/instance/web", b"org.berth.Berth1.Instance", b"Export",
        None, ctypes.byref(reply), b"ha{sv}", ctypes.c_int(writing), ctypes.c_uint(1), b"compression", b"s", b"none")
    equal(code >= 0, True, f"the call ({code})")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe, tarfile.open(fileobj=io.BytesIO(pipe.read())) as tar:
        equal({"backup/index.yaml", "backup/container/rootfs/root/new"} <= set(tar.getnames()), True)
    sd_bus.sd_bus_message_unref(reply)
    sd_bus.sd_bus_flush_close_unref(bus)
    equal([name for name in os.listdir(f"{berth.dir}/state/backups") if name != "staging"], [])


@case("Backups go with their instance")
def _(berth):
    good(berth.lxc("copy", "web", "gone", "--instance-only"))
    rest(berth).finished("POST", "/1.0/instances/gone/backups", {})
    kept = f"{berth.dir}/state/backups"
    equal(len([name for name in os.listdir(kept) if name != "staging"]), 1)
    good(berth.lxc("delete", "gone"))
    equal([name for name in os.listdir(kept) if name != "staging"], [])


@case("Hostile backups are refused, and leave nothing")
def _(berth):
    root = ("backup/container/rootfs", folder)
    before = good(berth.lxc("list", "--format", "csv", "-c", "n"))
    for data, text in ((b"junk", "archive"),
                       (small_backup(root, ("backup/container/rootfs/../../../../evil", b"x")), ".."),
                       (small_backup(root, ("/evil", b"x")), "/evil"),
                       (small_backup(("backup/container/rootfs", symlink("/etc")), ("backup/container/rootfs/evil", b"x")), "rootfs"),
                       (small_backup(root, index=b"name: [\n"), "index.yaml"),
                       (small_backup(root, index=b"name: ../../evil\nconfig: {container: {architecture: x86_64}}\n"), "evil"),
                       (small_backup(root, index=b"name: a\nsnapshots: [../s]\nconfig: {container: {architecture: x86_64}}\n"), "s"),
                       (small_backup(), "no root file system"),
                       (small_backup(root)[:700], "")):
        error = upload(berth, data)
        equal(bool(error), True, data[:60])
        contains(error, text)
    # Not of zeros, which would be a hole.
    bomb = gzip.compress(small_backup(("backup/container/rootfs", folder), ("backup/container/rootfs/large", b"a" * (300 << 20))), 6)
    contains(upload(berth, bomb), "bomb")
    equal(good(berth.lxc("list", "--format", "csv", "-c", "n")), before)
    kept = [names for top, names, _ in os.walk(f"{berth.dir}/state") if top.endswith("/staging")]
    equal(sum(len(names) for names in kept), 0, "what is left in staging folders")


@case("A small backup by hand is restored; by its header under another name")
def _(berth):
    data = small_backup(("backup/container/rootfs", folder), ("backup/container/rootfs/hello", b"hello\n"))
    equal(upload(berth, data, name="hand"), "")
    equal(good(berth.lxc("file", "pull", "hand/hello", "-")), "hello\n")
    contains(upload(berth, data, pool="nope"), "not found")


def dropped(berth):
    """What is left of work that was not finished."""
    left = [f"{top}/{name}" for top, names, _ in os.walk(f"{berth.dir}/state") for name in names if os.path.basename(top) == "staging"]
    return left + [name for top, names, _ in os.walk(f"{berth.dir}/state/storage-pools") if os.path.basename(top) == "snapshots"
                   for name in names if name not in berth.known]


def end_daemon(berth):
    os.kill(int(berth.pids()["berthd"]), signal.SIGKILL)


def answers(berth):
    try:
        return rest(berth).ask("GET", "/1.0/instances")["status_code"] == 200
    except (OSError, http.client.HTTPException, ValueError):
        return False


@case("A daemon that dies while it restores or backs up leaves nothing half")
def _(berth):
    berth.known = [name for top, names, _ in os.walk(f"{berth.dir}/state/storage-pools") if os.path.basename(top) == "snapshots"
                   for name in names]
    with open(f"{berth.work}/large", "wb") as file:
        for _ in range(200):
            file.write(os.urandom(1 << 20))
    good(berth.lxc("file", "push", f"{berth.work}/large", "again/root/large"))
    good(berth.lxc("export", "again", f"{berth.work}/large.tar", "--compression", "none", "--instance-only"))
    for argv in (("import", f"{berth.work}/large.tar", "half"), ("export", "again", f"{berth.work}/half.tar.gz", "--instance-only")):
        with subprocess.Popen(["lxc", *argv], env=berth.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            until(lambda: [name for name in dropped(berth) if "/backups/" not in name], "work under way")
            end_daemon(berth)
            ended = client.wait()
        until(lambda: answers(berth), "the next daemon")
        until(lambda: not dropped(berth), "a clean state")
        if argv[0] == "import" and ended == 0:  # it was whole before the daemon died
            good(berth.lxc("delete", "half"))
        bad(berth.lxc("config", "show", "half"), "not found")
    equal(good(berth.lxc("exec", "again", "--", "cat", "/root/live")), "live\n")
    good(berth.lxc("import", f"{berth.work}/large.tar", "half"))


class Lxd:
    """LXD itself, as tools/bench runs it."""

    def __init__(self, work):
        loader = importlib.machinery.SourceFileLoader("bench", f"{SOURCE}/tools/bench")
        bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench", loader))
        loader.exec_module(bench)
        self.side = bench.Lxd(work)
        self.environment = {**os.environ, "LXD_DIR": self.side.dir, "HOME": work, "LXD_CONF": f"{work}/lxd-conf"}

    def lxc(self, *argv, **more):
        return command("lxc", *argv, environment=self.environment, **more)


@case("LXD 5.0.2 restores Berth's backup, and Berth restores LXD's")
def _(berth):
    if not shutil.which("lxd"):
        print("# LXD is not installed (tools/deps --peer): not tried", flush=True)
        return
    lxd = Lxd(berth.work)
    try:
        good(lxd.lxc("import", berth.full, "fromberth"))
        equal(good(lxd.lxc("config", "get", "fromberth", "user.colour")), "blue\n")
        equal(good(lxd.lxc("list", "fromberth", "--format", "csv", "-c", "S")), "1\n")
        good(lxd.lxc("start", "fromberth"))
        look = "cat /root/new; stat -c '%u %a' /root/new; ls /root; hostname"
        equal(good(lxd.lxc("exec", "fromberth", "--", "sh", "-c", look)), "new\n7 640\nnew\nfromberth\n")
        good(lxd.lxc("stop", "fromberth", "--force"))
        good(lxd.lxc("restore", "fromberth", "s0"))
        good(lxd.lxc("start", "fromberth"))
        equal(good(lxd.lxc("exec", "fromberth", "--", "sh", "-c", "ls /root; echo lxd > /root/lxd; chown 9 /root/lxd")), "old\n")
        good(lxd.lxc("snapshot", "fromberth", "s1"))
        back = f"{berth.work}/lxd.tar.gz"
        good(lxd.lxc("export", "fromberth", back))
    finally:
        lxd.side.end()
    good(berth.lxc("import", back, "fromlxd"))
    equal(good(berth.lxc("list", "fromlxd", "--format", "csv", "-c", "sS")), "STOPPED,2\n")
    good(berth.lxc("start", "fromlxd"))
    equal(good(berth.lxc("exec", "fromlxd", "--", "sh", "-c", "ls /root; stat -c %u /root/lxd /bin/busybox; hostname")),
          "lxd\nold\n9\n0\nfromberth\n")
    good(berth.lxc("restore", "fromlxd", "s0"))
    until(lambda: berth.lxc("exec", "fromlxd", "--", "ls", "/root").out == "old\n", "the restored instance")


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
