#!/usr/bin/python3
"""The streams of Berth's command line: commands in a container, terminals, consoles and editors."""

import os
import re
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Terminal, bad, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position


def fails(done, said, code=1):
    """An error as every one is told: one line on standard error, status 1, nothing on standard output."""
    equal((done.code, done.out, done.err), (code, "", f"Error: {said}\n"))


@case("A container to work in is launched")
def _(berth):
    good(berth.berth("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    good(berth.berth("launch", "bb", "c1"))


@case("exec gives the command's exit code")
def _(berth):
    for code in (0, 7, 255):
        equal(berth.berth("exec", "c1", "--", "sh", "-c", f"exit {code}").code, code)


@case("exec of a command that is not there ends with 127 and says so")
def _(berth):
    fails(berth.berth("exec", "c1", "--", "no-such-command"), "Command not found", code=127)


@case("exec keeps standard output and standard error apart")
def _(berth):
    done = berth.berth("exec", "c1", "--", "sh", "-c", "echo one; echo two >&2")
    equal((done.out, done.err), ("one\n", "two\n"))


@case("exec carries a hundred megabytes in and out, byte for byte")
def _(berth):
    data = os.urandom(1 << 20) * 100
    done = subprocess.run(["berth", "exec", "c1", "--", "cat"], input=data, capture_output=True, env=berth.environment, timeout=60, check=True)
    if done.stdout != data:
        raise AssertionError(f"{len(done.stdout)} other bytes came back")


@case("exec is fast enough for backups")
def _(berth):
    begin = time.monotonic()
    subprocess.run(["berth", "exec", "c1", "--", "dd", "if=/dev/zero", "bs=1M", "count=1024"], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=berth.environment, timeout=60, check=True)
    rate = 1024 / (time.monotonic() - begin)
    if rate < 50:  # the bench measures; this finds what goes byte by byte
        raise AssertionError(f"{rate:.0f} MiB/s")


@case("exec ends with its command although a background process keeps the streams")
def _(berth):
    equal(good(berth.berth("exec", "c1", "--", "sh", "-c", "sleep 600 & echo ended", timeout=20)), "ended\n")


@case("A reader that goes away ends the command, as in a pipeline")
def _(berth):
    process = subprocess.Popen(["berth", "exec", "c1", "--", "yes"], env=berth.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    equal(process.stdout.read(2), b"y\n")
    process.stdout.close()
    equal(process.wait(20), 141)


@case("exec takes environment, user, group and folder, and no input when asked")
def _(berth):
    equal(good(berth.berth("exec", "c1", "--env", "COLOUR=green", "--user", "1000", "--group", "1001", "--cwd", "/tmp", "--",
                           "sh", "-c", "echo $COLOUR $(id -u) $(id -g) $(pwd)")), "green 1000 1001 /tmp\n")
    equal(good(berth.berth("exec", "c1", "-n", "--", "cat", stdin="not read")), "")
    fails(berth.berth("exec", "c1", "-t", "-T", "--", "true"), "You can't pass -t and -T at the same time")


@case("A signal to the client reaches the command")
def _(berth):
    process = subprocess.Popen(["berth", "exec", "c1", "--", "sh", "-c", "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.1; done"],
                               env=berth.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    equal(process.stdout.readline(), "ready\n")
    process.send_signal(signal.SIGTERM)
    equal((process.stdout.read(), process.wait(20)), ("caught\n", 3))


@case("An interactive exec has a terminal of the client's size, follows it, and gives the own one back")
def _(berth):
    terminal = Terminal(berth, "berth", "exec", "c1", "--", "sh")
    terminal.write("tty; stty size; echo $TERM\r")
    terminal.expect(r"/dev/pts/\d+")
    terminal.expect(r"30 100")
    terminal.expect(r"xterm")
    equal(terminal.is_raw(), True, "raw mode")
    terminal.resize(44, 132)

    def follows():
        terminal.write("stty size\r")
        return re.search("44 132", terminal.expect(r"\d+ \d+\r")[0])

    until(follows, "the new window size")
    terminal.write("exit 5\r")
    terminal.process.wait(20)
    equal(terminal.is_raw(), False, "raw mode afterwards")
    equal(terminal.end(), 5)


@case("Ctrl-C in an interactive exec ends the command in the guest")
def _(berth):
    terminal = Terminal(berth, "berth", "exec", "c1", "--", "sh", "-c", "echo ready; sleep 100")
    terminal.expect("ready")
    terminal.write("\x03")
    equal(terminal.end(), 130)


@case("shell is a login shell")
def _(berth):
    equal(good(berth.berth("shell", "c1", stdin="echo $HOME $0\n")), "/root -sh\n")


@case("The console is a terminal that Ctrl-A q leaves, and it has a log")
def _(berth):
    terminal = Terminal(berth, "berth", "console", "c1")
    terminal.expect(r"To detach from the console, press: <ctrl>\+a q")
    terminal.write("\x01q")
    equal(terminal.end(), 0)
    contains(good(berth.berth("console", "c1", "--show-log")), "Console log:")


@case("A start, a restart and a stop take their console along")
def _(berth):
    for argv in (("restart", "c1", "--force", "--console"), ("stop", "c1", "--timeout", "30", "--console"), ("start", "c1", "--console")):
        terminal = Terminal(berth, "berth", *argv)
        terminal.expect(r"To detach from the console, press: <ctrl>\+a q")
        if argv[0] != "stop":
            terminal.write("\x01q")  # a stop ends its console itself
        equal(terminal.end(), 0, argv[0])
        equal(good(berth.berth("list", "c1", "-c", "s", "-f", "csv")), "STOPPED\n" if argv[0] == "stop" else "RUNNING\n")
    bad(berth.berth("start", "c1", "c2", "--console"), "single instance")
    bad(berth.berth("start", "c1", "--console=vga"), "Unknown console type")


@case("config edit opens the editor, again after a mistake, and not at all for a quitter")
def _(berth):
    editor, folder = f"{berth.work}/editor", f"{berth.work}/edited"
    os.mkdir(folder)
    with open(editor, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nn=$(cat {berth.work}/turn 2>/dev/null || echo 0)\necho $((n + 1)) > {berth.work}/turn\n"
                   "case $n in\n0) sed -i 's/^description: .*/description: [broken/' \"$1\";;\n"
                   "1) sed -i 's/^description: .*/description: by hand/' \"$1\";;\nesac\n")
    os.chmod(editor, stat.S_IRWXU)
    terminal = Terminal(berth, "berth", "config", "edit", "c1", EDITOR=editor, TMPDIR=folder)
    terminal.expect("Error: .*YAML")
    terminal.expect("Press enter to open the editor again")
    terminal.write("\r")
    equal(terminal.end(), 0)
    contains(good(berth.berth("config", "show", "c1")), "description: by hand\n")
    terminal = Terminal(berth, "berth", "config", "edit", "c1", EDITOR=editor, TMPDIR=folder)
    equal(terminal.end(), 0)
    equal(os.listdir(folder), [], "files left of the editor")


@case("What an instance says of itself cannot command the terminal")
def _(berth):
    good(berth.berth("exec", "c1", "--", "sh", "-c", "printf '\\033]0;evil\\007' > /dev/console"))
    terminal = Terminal(berth, "berth", "console", "c1", "--show-log")
    terminal.expect(r"\\x1b\]0;evil\\x07")
    if "\x1b" in terminal.seen:
        raise AssertionError("a control character came through")
    equal(terminal.end(), 0)


@case("An exec outlives the daemon's restart")
def _(berth):
    process = subprocess.Popen(["berth", "exec", "c1", "--", "sh", "-c", "echo ready; read line; echo got $line; exit 9"],
                               env=berth.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    equal(process.stdout.readline(), "ready\n")
    daemon = berth.pids()["berthd"]
    os.kill(int(daemon), signal.SIGKILL)
    until(lambda: berth.pids().get("berthd", daemon) != daemon, "the new daemon")
    until(lambda: berth.berth("list").code == 0, "its answer")
    process.stdin.write("more\n")
    process.stdin.close()
    equal((process.stdout.read(), process.wait(20)), ("got more\n", 9))


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
