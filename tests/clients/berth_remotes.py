#!/usr/bin/python3
"""Berth's command line and other servers: remotes by HTTPS and by socket, with the configuration folder that lxc has, too."""

import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import SOURCE, Instance, Terminal, bad, case, command, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

PORT = 18543
ADDRESS = f"127.0.0.1:{PORT}"


def folder(berth, who):
    return f"{berth.work}/client-{who}"


def client(berth, who, program, *argv, **more):
    """A user of its own, inside the namespaces, where the listener is."""
    place = folder(berth, who)
    return berth.run("env", f"LXD_CONF={place}", f"HOME={place}", program, *argv, **more)


def a(berth, *argv, **more):
    return client(berth, "a", "berth", *argv, **more)


@case("A server listens, and has an image and an instance")
def _(berth):
    good(berth.berth("config", "set", f"core.https_address={ADDRESS}", "core.trust_password=sesame"))
    until(lambda: berth.run("curl", "-sk", "--max-time", "5", f"https://{ADDRESS}/1.0").code == 0, "the listener")
    good(berth.berth("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))


@case("remote add shows the certificate, and adds nothing for a no or a wrong password")
def _(berth):
    fingerprint = json.loads(good(berth.berth("query", "/1.0")))["environment"]["certificate_fingerprint"]
    done = a(berth, "remote", "add", "me", ADDRESS, stdin="n\n")
    contains(done.out, f"Certificate fingerprint: {fingerprint}\nok (y/n/[fingerprint])? ")
    bad(done, "NACKed")
    bad(a(berth, "remote", "add", "me", ADDRESS, "--accept-certificate", "--password", "guess"), "not authorized")
    equal(re.findall(r"^me", good(a(berth, "remote", "list", "-f", "csv")), re.M), [])
    equal(os.path.exists(f"{folder(berth, 'a')}/servercerts/me.crt"), False)


@case("remote add with the password makes a trusted client, which lxc can be as well")
def _(berth):
    said = good(a(berth, "remote", "add", "me", ADDRESS, stdin="y\nsesame\n"))
    contains(said, "Admin password (or token) for me: ")
    contains(said, "Client certificate now trusted by server: me\n")
    contains(good(a(berth, "remote", "list", "-f", "csv")), f"me,https://{ADDRESS},lxd,tls,NO,NO,NO\n")
    equal(good(a(berth, "remote", "get-default")), "local\n")
    contains(good(client(berth, "a", "lxc", "list", "me:")), "NAME")
    contains(good(client(berth, "a", "lxc", "remote", "list")), f"https://{ADDRESS}")
    equal(os.stat(f"{folder(berth, 'a')}/client.key").st_mode & 0o777, 0o600)


@case("A folder that lxc made is Berth's as well")
def _(berth):
    good(client(berth, "b", "lxc", "remote", "add", "you", ADDRESS, "--accept-certificate", "--password", "sesame"))
    contains(good(client(berth, "b", "berth", "list", "you:", "-f", "compact")), "NAME")
    good(client(berth, "b", "berth", "remote", "rename", "you", "they"))
    contains(good(client(berth, "b", "lxc", "list", "they:")), "NAME")
    equal(len(json.loads(good(berth.berth("config", "trust", "list", "-f", "json")))), 2)


@case("Everything goes through it: launch, list, exec, config, files, snapshots")
def _(berth):
    equal(good(a(berth, "launch", "me:bb", "me:c1")), "Creating c1\nStarting c1\n")
    equal(good(a(berth, "list", "me:", "-f", "csv", "-c", "ns")), "c1,RUNNING\n")
    good(a(berth, "config", "set", "me:c1", "user.x=1"))
    equal(good(a(berth, "config", "get", "me:c1", "user.x")), "1\n")
    good(a(berth, "snapshot", "me:c1", "s"))
    contains(good(a(berth, "info", "me:c1")), "| s    |")
    data = "0123456789abcdef" * 65536
    good(a(berth, "file", "push", "-", "me:c1/root/data", "--mode", "0600", stdin=data))
    equal(good(a(berth, "file", "pull", "me:c1/root/data", "-")), data)
    equal(good(a(berth, "exec", "me:c1", "--", "stat", "-c", "%a %s", "/root/data")), f"600 {len(data)}\n")
    good(a(berth, "rename", "me:c1/s", "me:c1/t"))
    good(a(berth, "delete", "me:c1/t"))
    bad(a(berth, "info", "me:c9"), '"c9" not found')
    bad(a(berth, "list", "far:"), 'The remote "far" doesn\'t exist')


@case("exec over HTTPS keeps streams apart, carries megabytes and gives the exit code")
def _(berth):
    done = a(berth, "exec", "me:c1", "--", "sh", "-c", "echo one; echo two >&2; exit 7")
    equal((done.code, done.out, done.err), (7, "one\n", "two\n"))
    data = "0123456789abcde\n" * (1 << 18)
    equal(good(a(berth, "exec", "me:c1", "--", "cat", stdin=data)) == data, True, "4 MiB through cat")
    equal(good(a(berth, "exec", "me:c1", "-n", "--", "cat", stdin="not read")), "")
    equal(a(berth, "exec", "me:c1", "--", "no-such-command").code, 127)
    begin = time.monotonic()
    equal(good(a(berth, "exec", "me:c1", "--", "sh", "-c", "sleep 600 & echo ended", timeout=30)), "ended\n")
    if time.monotonic() - begin > 9:
        raise AssertionError("a background process holds the end back")


@case("A signal and a terminal's size go over HTTPS")
def _(berth):
    place = folder(berth, "a")
    script = "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    run = [f"{SOURCE}/tools/instance", "run", berth.dir, "--",
           "env", f"LXD_CONF={place}", f"HOME={place}", "sh", "-c", 'echo $$; exec berth exec me:c1 -- sh -c "$0"', script]
    process = subprocess.Popen(run, env=berth.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    pid = int(process.stdout.readline())
    equal(process.stdout.readline(), "ready\n")
    os.kill(pid, signal.SIGTERM)
    equal((process.stdout.read(), process.wait(20)), ("caught\n", 3))
    equal(good(a(berth, "exec", "me:c1", "-t", "--", "sh", "-c", "tty")).startswith("/dev/pts/"), True, "a terminal")


@case("Terminals and consoles go over HTTPS: sizes, keys, exit codes, and hanging up")
def _(berth):
    place = folder(berth, "a")
    run = [f"{SOURCE}/tools/instance", "run", berth.dir, "--", "env", f"LXD_CONF={place}", f"HOME={place}", "berth"]
    terminal = Terminal(berth, *run, "exec", "me:c1", "--", "sh")
    terminal.write("stty size\r")
    terminal.expect("30 100")
    terminal.resize(44, 132)

    def follows():
        terminal.write("stty size\r")
        return re.search("44 132", terminal.expect(r"\d+ \d+\r")[0])

    until(follows, "the new window size")
    terminal.write("exit 5\r")
    equal(terminal.end(), 5)
    terminal = Terminal(berth, *run, "exec", "me:c1", "--", "sh", "-c", "echo ready; sleep 100")
    terminal.expect("ready")
    terminal.write("\x03")
    equal(terminal.end(), 130)
    terminal = Terminal(berth, *run, "console", "me:c1")
    terminal.expect(r"To detach from the console, press: <ctrl>\+a q")
    terminal.write("\x01q")
    equal(terminal.end(), 0)


@case("monitor, operations and waiting go over HTTPS")
def _(berth):
    place = folder(berth, "a")
    run = [f"{SOURCE}/tools/instance", "run", berth.dir, "--",
           "env", f"LXD_CONF={place}", f"HOME={place}", "berth", "monitor", "me:", "--format", "json", "--type", "lifecycle"]
    process = subprocess.Popen(run, env=berth.environment, stdout=subprocess.PIPE)
    seen = []
    try:
        os.set_blocking(process.stdout.fileno(), False)

        def restarted():
            seen.append(process.stdout.read() or b"")
            return b'"action":"instance-restarted"' in b"".join(seen)

        until(lambda: good(a(berth, "restart", "me:c1", "--force")) or restarted(), "the event")
    finally:
        process.terminate()
        process.wait(10)
    ended = json.loads(good(a(berth, "query", "-X", "PUT", "--wait", "-d", '{"action":"restart","force":true}', "me:/1.0/instances/c1/state")))
    equal(ended["status"], "Success")


@case("The default remote is switched, and names without a remote are its own")
def _(berth):
    good(a(berth, "remote", "switch", "me"))
    equal(good(a(berth, "remote", "get-default")), "me\n")
    equal(good(a(berth, "list", "-f", "csv", "-c", "n")), "c1\n")
    contains(good(client(berth, "a", "lxc", "remote", "list")), "me (current)")
    bad(a(berth, "remote", "remove", "me"), "Can't remove the default remote")
    good(a(berth, "remote", "set-default", "local"))
    bad(a(berth, "remote", "remove", "local"), "static")
    bad(a(berth, "list", "me:", "--force-local"), 'The remote "me" doesn\'t exist')


@case("A token lets a client in, once, and not to another server")
def _(berth):
    said = good(berth.berth("config", "trust", "add", "--name", "laptop"))
    contains(said, "Client laptop certificate add token:\n")
    token = said.split()[-1]
    for form in ("csv", "json", "yaml", "table"):
        argv = ("config", "trust", "list-tokens", "-f", form)
        equal(good(berth.berth(*argv)), good(berth.lxc(*argv)), form)
    contains(good(berth.berth("config", "trust", "list-tokens", "-f", "csv")), f"laptop,{token},")
    good(client(berth, "c", "berth", "remote", "add", "me", token))
    contains(good(client(berth, "c", "berth", "list", "me:", "-f", "csv")), "c1")
    bad(client(berth, "d", "berth", "remote", "add", "me", token), "not authorized")
    lxc_token = good(berth.lxc("config", "trust", "add", "--name", "phone")).split()[-1]
    good(berth.berth("config", "trust", "revoke-token", "phone"))
    bad(client(berth, "d", "berth", "remote", "add", "me", lxc_token), "not authorized")


@case("trust list, show, edit, add and remove are those of lxc")
def _(berth):
    rows = json.loads(good(berth.berth("config", "trust", "list", "-f", "json")))
    laptop = next(row["fingerprint"] for row in rows if row["name"] == "laptop")
    for argv in (("config", "trust", "list"), ("config", "trust", "list", "-f", "csv"), ("config", "trust", "show", laptop[:12])):
        equal(good(berth.berth(*argv)), good(berth.lxc(*argv)), " ".join(argv))
    shown = good(berth.berth("config", "trust", "show", laptop[:12]))
    good(berth.berth("config", "trust", "edit", laptop[:12], stdin=shown.replace("name: laptop", "name: notebook")))
    contains(good(berth.berth("config", "trust", "show", laptop[:12])), "name: notebook\n")
    bad(berth.berth("config", "trust", "add", f"{folder(berth, 'c')}/client.crt"), "Certificate already in trust store")
    good(berth.berth("config", "trust", "remove", laptop))
    bad(client(berth, "c", "berth", "list", "me:"), "not authorized")


@case("Security rule 11: another certificate than the confirmed one is refused before anything is sent")
def _(berth):
    path = f"{folder(berth, 'a')}/servercerts/me.crt"
    with open(path, encoding="ascii") as file:
        right = file.read()
    with open(f"{folder(berth, 'a')}/client.crt", encoding="ascii") as file:
        wrong = file.read()
    with open(path, "w", encoding="ascii") as file:
        file.write(wrong)
    bad(a(berth, "list", "me:"), "its certificate is not the one that you confirmed")
    os.unlink(path)
    bad(a(berth, "list", "me:"), "no authority vouches for its certificate")
    with open(path, "w", encoding="ascii") as file:
        file.write(right)
    good(a(berth, "list", "me:"))


@case("A remote may be a socket")
def _(berth):
    sock = f"{berth.dir}/run/unix.socket"
    good(berth.berth("remote", "add", "sock", f"unix://{sock}"))
    equal(good(berth.berth("list", "sock:", "-f", "csv", "-c", "n")), "c1\n")
    equal(berth.berth("exec", "sock:c1", "--", "sh", "-c", "exit 5").code, 5)
    contains(good(berth.lxc("list", "sock:")), "c1")
    good(berth.berth("remote", "set-url", "sock", "unix:///nonexistent"))
    bad(berth.berth("list", "sock:"), "cannot reach /nonexistent")
    good(berth.berth("remote", "remove", "sock"))


@case("A server that is not there is named")
def _(berth):
    bad(a(berth, "remote", "add", "gone", "127.0.0.1:1"), "cannot reach https://127.0.0.1:1: Connection refused")
    bad(a(berth, "remote", "add", "plain", "http://127.0.0.1"), "must be HTTPS")
    good(a(berth, "remote", "add", "images", "https://images.example", "--protocol", "simplestreams"))
    bad(a(berth, "image", "list", "images:"), "cannot reach https://images.example:443")
    bad(a(berth, "launch", "images:debian/12", "c2"), "the server cannot be asked: `https://images.example/")


@case("Aliases are kept, replaced, and lxc's as well")
def _(berth):
    good(berth.berth("alias", "add", "ll", "list -f csv -c"))
    good(berth.berth("alias", "add", "say", "exec @ARGS@ -- echo said"))
    equal(good(berth.berth("ll", "n")), "c1\n")
    equal(good(berth.berth("say", "c1")), "said\n")
    equal(good(berth.lxc("ll", "n")), "c1\n")
    good(berth.lxc("alias", "rename", "ll", "l"))
    equal(good(berth.berth("alias", "list", "-f", "csv")), good(berth.lxc("alias", "list", "-f", "csv")))
    good(berth.berth("alias", "remove", "l"))
    bad(berth.berth("alias", "remove", "l"), "Alias l doesn't exist")
    bad(berth.berth("alias", "add", "say", "x"), "already exists")


@case("Completion asks the server for names, also of another one")
def _(berth):
    def offered(*words):
        return good(berth.berth("__complete", *words)).split()

    equal(offered("start", "c"), ["c1"])
    contains(offered("launch", "b"), "bb")
    equal([word for word in offered("profile", "show", "") if word != "images:"], ["default", "local:"])
    equal(offered("config", "get", "c1", "user."), ["user.x"])
    equal("limits.memory=" in offered("config", "set", "c1", "limits."), True)
    equal("core.https_address=" in offered("config", "set", "core."), True)
    equal(offered("file", "pull", "c1/etc/host"), ["c1/etc/hostname"])
    equal(good(a(berth, "__complete", "start", "me:")).split(), ["me:c1"])


@case("Completion works in bash")
def _(berth):
    script = f"{SOURCE}/cli/completion/berth.bash"

    def offered(line):
        return good(berth.run("bash", "-c", 'source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; _berth; printf "%s\\n" "${COMPREPLY[@]}"',
                              "x", script, line)).split()

    equal(offered("berth sna"), ["snapshot"])
    equal(offered("berth stop c"), ["c1"])
    equal(offered("berth stop local:"), ["c1"])
    contains(offered(f"berth image import {berth.work}/bb.t"), f"{berth.work}/bb.tar.gz")


@case("Completion works in fish")
def _(berth):
    def offered(line):
        return good(command("fish", "--no-config", "-c", f"source {SOURCE}/cli/completion/berth.fish; complete -C $argv[1]", line,
                            environment=berth.environment)).split()

    equal(offered("berth sna"), ["snapshot"])
    equal(offered("berth stop c"), ["c1"])
    equal(offered("berth stop local:"), ["local:c1"])
    equal(offered("berth list --format c"), ["compact", "csv"])


@case("Completion works in zsh")
def _(berth):
    terminal = Terminal(berth, "zsh", "-f", "-i", PS1="> ", TERM="dumb")
    terminal.write(f"unsetopt zle_bracketed_paste; fpath=({SOURCE}/cli/completion $fpath); autoload -U compinit; compinit -u -D; echo rea''dy\n")
    terminal.expect("ready\r")
    for typed, whole in (("sna", "snapshot "), ("stop c", "stop c1 "), ("stop local:c", "stop local:c1 "), ("list --format cs", "list --format csv ")):
        terminal.write(f"berth {typed}\t")
        terminal.expect(f"berth {whole}")
        terminal.write("\x15")
    terminal.write("exit\n")
    equal(terminal.end(), 0)


@case("What was made is removed again")
def _(berth):
    good(a(berth, "delete", "-f", "me:c1"))
    equal(good(berth.berth("list", "-f", "csv")), "")


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
