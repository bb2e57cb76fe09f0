#!/usr/bin/python3
"""Berth as it is installed, on a Debian 12 host with systemd as PID 1, a real system bus and the real polkit.

usage: host_test.py BUILD-FOLDER

The host is a systemd-nspawn container over a tree of packages (make-tree) with an overlay on top; everything it changes is
gone at the end."""

import atexit
import hashlib
import importlib.machinery
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from harness import SOURCE, bad, case, command, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

# The private Berth keeps its processes below a cgroup folder of its own, and so does this host.
cgroups = importlib.machinery.SourceFileLoader("instance", f"{SOURCE}/tools/instance").load_module()
MANAGER = ("org.berth.Berth1", "/org/berth/Berth1", "org.berth.Berth1.Manager")
NSPAWN = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--capability=all",
          "--system-call-filter=@mount @keyring bpf perf_event_open", "--bind=/dev/fuse", "--link-journal=no", "--boot"]


class Host:
    """A machine under a folder: installed once, booted and shut down as often as a test wants."""

    def __init__(self, build):
        self.cache = os.environ.get("BERTH_TEST_CACHE", "/var/tmp/berth-test")
        tree = good(command(f"{HERE}/make-tree", timeout=1200)).strip()
        self.work = tempfile.mkdtemp(prefix="berth-host.", dir="/var/tmp")
        self.root, self.nspawn, self.leader = f"{self.work}/root", None, 0
        self.place = cgroups.Place(self.work)
        atexit.register(self.remove)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(1))
        for name in ("root", "upper", "overlay-work", "state"):
            os.mkdir(f"{self.work}/{name}")
        # Only the overlay is mounted where others see it; it goes away in remove().
        good(command("mount", "-t", "overlay", "overlay", self.root, "-o",
                     f"lowerdir={tree},upperdir={self.work}/upper,workdir={self.work}/overlay-work"))
        good(command("meson", "install", "-C", build, "--no-rebuild", "--quiet", environment={**os.environ, "DESTDIR": self.root}))
        good(command("systemd-sysusers", f"--root={self.root}"))
        good(command("systemctl", f"--root={self.root}", "enable", "berthd.socket", "berth-rest.socket"))
        for user, groups in (("alice", ["--groups", "berth"]), ("mallory", []), ("root2", ["--groups", "berth-admin"])):
            good(command("chroot", self.root, "useradd", "--create-home", *groups, user))
        shutil.copy(self.image(), f"{self.root}/root/debian.tar.zst")

    def image(self):
        with open(f"{SOURCE}/tools/make-image", "rb") as file:
            path = f"{self.cache}/debian-{hashlib.sha256(file.read()).hexdigest()[:16]}.tar.zst"
        if not os.path.exists(path):
            good(command(f"{SOURCE}/tools/make-image", f"{path}.new", timeout=1200))
            os.replace(f"{path}.new", path)
        return path

    def boot(self):
        cgroups.make_cgroups(self.place)
        with open(f"{self.work}/console.log", "ab") as console:
            self.nspawn = subprocess.Popen([*NSPAWN, "-D", self.root, f"--bind={self.work}/state:/var/lib/berth"],  # pylint: disable=R1732
                                           stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                           preexec_fn=lambda: cgroups.enter_cgroups(self.place))

        def booted():
            # nspawn's first child only sets the machine up, the one that stays is its PID 1.
            with open(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children", encoding="ascii") as file:
                self.leader = int((file.read().split() or [0])[0])
            return self.leader and self.run("systemctl", "is-system-running", "--wait").out.strip() in ("running", "degraded")

        until(booted, "the boot", 120)
        # The controllers of cgroup v1 come read-only; a host of its own has them writable.
        with open(f"/proc/{self.leader}/mountinfo", encoding="utf-8") as file:
            points = [line.split()[4] for line in file if " - cgroup " in line]
        for point in points:
            self.run("mount", "-o", "remount,bind,rw", point)

    def power_off(self):
        self.run("systemctl", "poweroff")
        equal(self.nspawn.wait(120), 0, "nspawn's exit code")
        cgroups.end_all(self.place)

    def run(self, *argv, user=None, **more):
        as_user = ["runuser", "-u", user, "--"] if user else []
        return command("nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--", *as_user, *argv, **more)

    def call(self, member, *arguments, user=None):
        return self.run("busctl", "--no-pager", "call", *MANAGER, member, *arguments, user=user)

    def property(self, unit, name):
        return good(self.run("systemctl", "show", "-p", name, "--value", unit)).strip()

    def state(self, name):
        return json.loads(good(self.run("curl", "-sS", "--unix-socket", "/run/berth/unix.socket",
                                        f"http://berth/1.0/instances/{name}/state")))["metadata"] or {"status": "(no answer)"}

    def wait_for_guest(self, name="deb"):
        until(lambda: self.run("berth", "exec", name, "--", "systemctl", "is-system-running", "--wait").out.strip() == "running",
              "the guest's systemd", 90)

    def remove(self):
        if self.nspawn and self.nspawn.poll() is None:
            self.nspawn.kill()
            self.nspawn.wait()
        cgroups.end_all(self.place)
        subprocess.run(["umount", "--lazy", self.root], check=False)
        shutil.rmtree(self.work, ignore_errors=True)


@case("The host boots with Berth installed, and nothing of it runs")
def _(host):
    host.boot()
    equal(good(host.run("systemctl", "is-system-running")).strip(), "running")
    equal([host.property(unit, "ActiveState") for unit in ("berthd.service", "berth-rest.service", "berthd.socket", "berth-rest.socket")],
          ["inactive", "inactive", "active", "active"])


@case("Installed units have their programs: systemd-analyze has nothing to say")
def _(host):
    done = host.run("systemd-analyze", "verify", "--man=no", "--recursive-errors=one", "berthd.service", "berthd.socket", "berth-rest.service",
                    "berth-rest.socket", "berth-container@deb.service")
    equal((done.code, done.out + done.err), (0, ""))


@case("The first call on the bus starts berthd")
def _(host):
    contains(good(host.call("GetServerInfo")), "a{sv}")
    equal(host.property("berthd.service", "ActiveState"), "active")


@case("The first request on the socket starts berth-rest")
def _(host):
    said = json.loads(good(host.run("curl", "-sS", "--unix-socket", "/run/berth/unix.socket", "http://berth/1.0")))
    equal((said["status_code"], said["metadata"]["auth"]), (200, "trusted"))
    equal(host.property("berth-rest.service", "ActiveState"), "active")


@case("A Debian image is imported and a container made of it")
def _(host):
    good(host.run("berth", "image", "import", "/root/debian.tar.zst", "--alias", "debian", timeout=300))
    good(host.run("berth", "init", "debian", "deb"))


@case("systemctl start runs the container under its unit, in machine.slice")
def _(host):
    good(host.run("systemctl", "start", "berth-container@deb"))
    equal([host.property("berth-container@deb", name) for name in ("ActiveState", "Slice")], ["active", "machine.slice"])
    equal(host.state("deb")["status"], "Running")
    group = host.property("berth-container@deb", "ControlGroup")
    contains(good(host.run("cat", f"/proc/{host.state('deb')['pid']}/cgroup")), group)
    contains(good(host.run("systemctl", "--no-pager", "status", "berth-container@deb")), "active (running)")
    host.wait_for_guest()


@case("The daemon dies and comes back; the container does not notice")
def _(host):
    before = host.state("deb")["pid"]
    good(host.run("systemctl", "kill", "--signal=KILL", "berthd.service"))
    until(lambda: host.call("GetServerInfo").code == 0, "berthd")
    good(host.run("systemctl", "restart", "berthd.service"))
    equal((host.state("deb")["pid"], host.state("deb")["status"]), (before, "Running"))
    equal(good(host.run("berth", "exec", "deb", "--", "hostname")).strip(), "deb")


@case("systemctl stop lets the guest's systemd shut down cleanly")
def _(host):
    good(host.run("berth", "exec", "deb", "--", "systemd-run", "--quiet", "--unit=marker", "-p", "RemainAfterExit=yes",
                  "-p", "ExecStop=/bin/touch /root/clean", "/bin/true"))
    good(host.run("systemctl", "stop", "berth-container@deb"))
    equal([host.property("berth-container@deb", "ActiveState"), host.state("deb")["status"]], ["inactive", "Stopped"])
    good(host.run("berth", "start", "deb"))
    equal(host.property("berth-container@deb", "ActiveState"), "active")
    good(host.run("berth", "exec", "deb", "--", "test", "-e", "/root/clean"))
    host.wait_for_guest()


@case("A guest's own reboot starts the unit anew")
def _(host):
    before = host.state("deb")["pid"]
    host.run("berth", "exec", "deb", "--", "systemctl", "reboot")
    until(lambda: host.state("deb")["status"] == "Running" and host.state("deb")["pid"] not in (0, before), "the new start", 90)
    host.wait_for_guest()
    equal(host.property("berth-container@deb", "ActiveState"), "active")


@case("A guest's own poweroff ends the unit, and berthd says Stopped")
def _(host):
    host.run("berth", "exec", "deb", "--", "systemctl", "poweroff")
    until(lambda: host.state("deb")["status"] == "Stopped", "the end", 90)
    until(lambda: host.property("berth-container@deb", "ActiveState") == "inactive", "the unit's end")
    good(host.run("berth", "start", "deb"))
    host.wait_for_guest()


@case("A plain user is denied by polkit, on the bus and through the socket")
def _(host):
    bad(host.call("ListInstances", "sa{sv}", "default", "0", user="mallory"), "not authorized")
    said = json.loads(host.run("curl", "-sS", "--unix-socket", "/run/berth/unix.socket", "http://berth/1.0/instances", user="mallory").out)
    equal(said["error_code"], 403)
    bad(host.run("berth", "stop", "deb", user="mallory"), "")
    equal(host.state("deb")["status"], "Running")


@case("A member of berth is allowed")
def _(host):
    contains(good(host.run("berth", "list", user="alice")), "deb")
    equal(good(host.run("berth", "exec", "deb", "--", "id", "-u", user="alice")).strip(), "0")
    said = json.loads(good(host.run("curl", "-sS", "--unix-socket", "/run/berth/unix.socket", "http://berth/1.0/instances", user="alice")))
    equal(said["metadata"], ["/1.0/instances/deb"])


@case("A member of berth gets no access to the host, a member of berth-admin does")
def _(host):
    bad(host.run("berth", "init", "debian", "p1", "-c", "security.privileged=true", user="alice"), "")
    equal(json.loads(good(host.run("berth", "list", "--format", "json")))[0]["name"], "deb")
    good(host.run("berth", "init", "debian", "p2", "-c", "security.privileged=true", user="root2"))
    good(host.run("berth", "delete", "p2", user="root2"))


@case("The host's shutdown stops the guest, and the next boot starts it again")
def _(host):
    host.power_off()
    host.boot()
    until(lambda: host.state("deb")["status"] == "Running", "the restored state", 60)
    host.wait_for_guest()


@case("Delete leaves no unit and no process behind")
def _(host):
    good(host.run("berth", "delete", "--force", "deb"))
    equal(good(host.run("systemctl", "list-units", "--no-legend", "--all", "berth-container@*")).strip(), "")
    equal(host.run("pgrep", "-f", "berth-supervisor").out, "")


@case("The sandboxes refused nothing, and nobody was killed but on purpose")
def _(host):
    text = good(host.run("journalctl", "--no-pager", "-b", "-u", "berthd", "-u", "berth-rest", "-o", "cat"))
    for sign in ("SIGSYS", "Operation not permitted", "Permission denied", "Read-only file system", "core-dump"):
        if sign in text:
            raise AssertionError(f"{sign}: " + "\n".join(line for line in text.splitlines() if sign in line))
    for unit in ("berthd.service", "berth-rest.service"):
        said = good(host.run("systemd-analyze", "security", "--no-pager", unit))
        print("#", re.sub(r"[^\x20-\x7e]", "", said.splitlines()[-1]).strip())


if __name__ == "__main__":
    machine = Host(os.path.realpath(sys.argv[1]))
    failures = run_cases(machine)
    if failures and machine.nspawn.poll() is None:
        for row in machine.run("journalctl", "--no-pager", "-b", "-u", "berth*", "-o", "short-precise").out.splitlines()[-60:]:
            print("#", row)
    sys.exit(1 if failures else 0)
