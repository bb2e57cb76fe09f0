#!/usr/bin/python3
"""Files, templates and metadata of instances, as Debian's lxc 5.0.2 handles them."""

import hashlib
import json
import os
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, bad, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

MEBIBYTE = 1 << 20


def request(berth, method, url, body=None, headers=None):
    connection = Rest(berth.environment["LXD_SOCKET"])
    connection.request(method, url, body, headers or {})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def files(name, path):
    return f"/1.0/instances/{name}/files?path={urllib.parse.quote(path)}"


def in_guest(berth, *argv):
    return good(berth.lxc("exec", "run", "--", *argv))


@case("A running and a stopped container are there")
def _(berth):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    good(berth.lxc("launch", "bb", "run"))
    good(berth.lxc("init", "bb", "still"))
    equal(in_guest(berth, "cat", "/etc/hostname"), "run\n")


@case("push and pull give the same bytes back, running or stopped")
def _(berth):
    data = os.urandom(3 * MEBIBYTE + 17)
    with open(f"{berth.work}/data", "wb") as file:
        file.write(data)
    for name in ("run", "still"):
        good(berth.lxc("file", "push", f"{berth.work}/data", f"{name}/root/data", "--mode", "0640", "--uid", "5", "--gid", "6"))
        good(berth.lxc("file", "pull", f"{name}/root/data", f"{berth.work}/back"))
        with open(f"{berth.work}/back", "rb") as file:
            equal(hashlib.sha256(file.read()).hexdigest(), hashlib.sha256(data).hexdigest())
        status, headers, _ = request(berth, "HEAD", files(name, "/root/data"))
        equal((status, headers["x-lxd-uid"], headers["x-lxd-gid"], headers["x-lxd-mode"], headers["x-lxd-type"]),
              (200, "5", "6", "0640", "file"))
    equal(in_guest(berth, "stat", "-c", "%u %g %a %s", "/root/data"), f"5 6 640 {len(data)}\n")


@case("What a stopped container was given is there when it runs, and the templates are as well")
def _(berth):
    good(berth.lxc("start", "still"))
    equal(good(berth.lxc("exec", "still", "--", "stat", "-c", "%u %a", "/root/data")), "5 640\n")
    equal(good(berth.lxc("exec", "still", "--", "hostname")), "still\n")
    good(berth.lxc("stop", "still", "--force"))


@case("An empty file, one that looks like JSON, and standard input are pushed as they are")
def _(berth):
    for text in ("", "{\"a\": 1}", "   \n"):
        good(berth.lxc("file", "push", "-", "run/root/text", stdin=text))
        equal(good(berth.lxc("file", "pull", "run/root/text", "-")), text)


@case("A tree goes in and comes out again")
def _(berth):
    top = f"{berth.work}/tree"
    os.makedirs(f"{top}/a/b")
    for n in range(20):
        with open(f"{top}/a/b/file{n}", "w", encoding="ascii") as file:
            file.write(str(n))
    os.symlink("b/file3", f"{top}/a/link")
    for name in ("run", "still"):
        good(berth.lxc("file", "push", "--recursive", "--create-dirs", top, f"{name}/srv/deep"))
        os.makedirs(f"{berth.work}/out-{name}")
        good(berth.lxc("file", "pull", "--recursive", f"{name}/srv/deep/tree", f"{berth.work}/out-{name}"))
        with open(f"{berth.work}/out-{name}/tree/a/b/file7", encoding="ascii") as file:
            equal(file.read(), "7")
        equal(os.readlink(f"{berth.work}/out-{name}/tree/a/link"), "b/file3")


@case("edit changes a file, delete removes it")
def _(berth):
    good(berth.lxc("file", "push", "-", "run/root/note", stdin="one\n"))
    good(berth.lxc("file", "edit", "run/root/note", stdin="two\n"))
    equal(in_guest(berth, "cat", "/root/note"), "two\n")
    good(berth.lxc("file", "delete", "run/root/note"))
    bad(berth.lxc("file", "delete", "run/root/note"), "note")
    bad(berth.lxc("file", "pull", "run/root/note", "-"), "note")


@case("Append, modes in C's manner, and bad words are answered as LXD does")
def _(berth):
    url = files("run", "/root/a")
    equal(request(berth, "POST", url, b"hello\n", {"X-LXD-mode": "0640", "X-LXD-uid": "5"})[0], 200)
    equal(request(berth, "POST", url, b"more\n", {"X-LXD-write": "append", "X-LXD-mode": "0o644"})[0], 200)
    status, headers, body = request(berth, "GET", url)
    equal((status, headers["content-disposition"], headers["content-length"], headers["x-lxd-mode"], body),
          (200, "inline;filename=a", "11", "0640", b"hello\nmore\n"))
    status, _, body = request(berth, "POST", url, b"x", {"X-LXD-type": "what"})
    equal((status, json.loads(body)["error"]), (400, "Bad file type: what"))
    equal(request(berth, "POST", url, b"x", {"X-LXD-write": "what"})[0], 400)
    equal(request(berth, "GET", "/1.0/instances/run/files")[0], 400)
    equal(request(berth, "GET", files("run", "/no/such"))[0], 404)
    equal(request(berth, "POST", files("run", "/no/such/x"), b"x")[0], 404)
    equal(request(berth, "GET", files("none", "/x"))[0], 404)


@case("Folders are listed and links are shown as links")
def _(berth):
    equal(request(berth, "POST", files("run", "/root/d"), b"", {"X-LXD-type": "directory", "X-LXD-mode": "0755"})[0], 200)
    equal(request(berth, "POST", files("run", "/root/d/l"), b"/root/a", {"X-LXD-type": "symlink"})[0], 200)
    status, headers, body = request(berth, "GET", files("run", "/root/d"))
    equal((status, headers["x-lxd-type"], headers["x-lxd-mode"], json.loads(body)["metadata"]), (200, "directory", "0755", ["l"]))
    status, headers, body = request(berth, "GET", files("run", "/root/d/l"))
    equal((status, headers["x-lxd-type"], body), (200, "symlink", b"/root/a"))
    equal(request(berth, "DELETE", files("run", "/root/d"))[0], 400)


@case("Traps that a guest sets lead nowhere and hold nobody up (rule 2)")
def _(berth):
    in_guest(berth, "sh", "-c", "cd /root; mkfifo fifo; ln -s /proc/1/root/../../.. up; ln -s /dev/zero zero; ln -s /nowhere dangling; "
                                "ln -s loop loop")
    secret = f"{berth.work}/secret"
    with open(secret, "w", encoding="ascii") as file:
        file.write("of the host")
    begun = time.monotonic()
    equal(request(berth, "GET", files("run", "/root/fifo"))[0], 400)
    equal(request(berth, "POST", files("run", "/root/fifo"), b"x")[0], 400)
    equal(request(berth, "POST", files("run", "/root/zero"), b"x")[0], 400)
    equal(request(berth, "GET", files("run", "/root/loop/x"))[0], 400)
    for path in (f"/root/up{secret}", f"/../../..{secret}", f"/proc/1/root{secret}", f"/proc/self/root{secret}", "/proc/self/fd/3"):
        status, _, body = request(berth, "GET", files("run", path))
        if status == 200 or b"of the host" in body:
            raise AssertionError(f"{path}: {status} {body!r}")
        request(berth, "POST", files("run", path), b"hostile")
    with open(secret, encoding="ascii") as file:
        equal(file.read(), "of the host")
    if time.monotonic() - begun > 10:
        raise AssertionError("somebody was held up")


@case("A client that goes away in the middle leaves the container free")
def _(berth):
    in_guest(berth, "dd", "if=/dev/zero", "of=/root/large", "bs=1M", "count=32")
    connection = Rest(berth.environment["LXD_SOCKET"])
    connection.request("GET", files("run", "/root/large"))
    connection.getresponse().read(1000)
    connection.close()
    connection = Rest(berth.environment["LXD_SOCKET"])
    connection.putrequest("POST", files("still", "/root/half"))
    connection.putheader("Content-Length", "1000000")
    connection.endheaders(b"half")
    connection.close()
    until(lambda: "running" not in json.loads(request(berth, "GET", "/1.0/operations")[2])["metadata"], "the end of the upload that broke off")
    good(berth.lxc("start", "still"))
    good(berth.lxc("stop", "still", "--force"))
    good(berth.lxc("file", "push", "-", "run/root/text", stdin="x"))


@case("push and pull are fast")
def _(berth):
    size = 64 * MEBIBYTE
    in_guest(berth, "rm", "-f", "/root/large", "/root/data")
    with open(f"{berth.work}/big", "wb") as file:
        file.truncate(size)
    rates = []
    for name in ("run",):
        begun = time.monotonic()
        good(berth.lxc("file", "push", f"{berth.work}/big", f"{name}/root/big"))
        pushed = time.monotonic()
        status, _, body = request(berth, "GET", files(name, "/root/big"))
        pulled = time.monotonic()
        equal((status, len(body)), (200, size))
        rates.append(f"push {size / MEBIBYTE / (pushed - begun):.0f} MiB/s, pull {size / MEBIBYTE / (pulled - pushed):.0f} MiB/s")
        good(berth.lxc("file", "delete", f"{name}/root/big"))
    print("# " + "; ".join(rates), flush=True)


@case("metadata is shown, edited, and is the instance's own")
def _(berth):
    contains(good(berth.lxc("config", "metadata", "show", "run")), "hostname.tpl")
    text = good(berth.lxc("config", "metadata", "show", "still")).replace("properties:", "properties:\n  mine: \"yes\"", 1)
    good(berth.lxc("config", "metadata", "edit", "still", stdin=text))
    contains(good(berth.lxc("config", "metadata", "show", "still")), "mine: \"yes\"")
    if "mine" in good(berth.lxc("config", "metadata", "show", "run")):
        raise AssertionError("the other instance was changed")
    status, _, body = request(berth, "PUT", "/1.0/instances/still/metadata",
                              json.dumps({"architecture": "vax", "creation_date": 1}).encode(), {"Content-Type": "application/json"})
    equal(status, 400, body)


@case("templates are listed, made, changed, deleted, and rendered at the next start")
def _(berth):
    contains(good(berth.lxc("config", "template", "list", "still")), "hostname.tpl")
    equal(good(berth.lxc("config", "template", "show", "still", "hostname.tpl")), "{{ container.name }}\n")
    good(berth.lxc("config", "template", "create", "still", "motd.tpl"))
    good(berth.lxc("config", "template", "edit", "still", "motd.tpl", stdin="{{ trigger }} {{ config_get('user.greeting', 'hi') }}\n"))
    equal(good(berth.lxc("config", "template", "show", "still", "motd.tpl")), "{{ trigger }} {{ config_get('user.greeting', 'hi') }}\n")
    _, _, body = request(berth, "GET", "/1.0/instances/still/metadata")
    metadata = json.loads(body)["metadata"]
    metadata["templates"]["/etc/motd"] = {"when": ["start"], "create_only": False, "template": "motd.tpl", "properties": {}}
    equal(request(berth, "PUT", "/1.0/instances/still/metadata", json.dumps(metadata).encode())[0], 200)
    good(berth.lxc("config", "set", "still", "user.greeting", "hello"))
    good(berth.lxc("start", "still"))
    equal(good(berth.lxc("exec", "still", "--", "cat", "/etc/motd")), "start hello\n")
    good(berth.lxc("stop", "still", "--force"))
    good(berth.lxc("config", "template", "edit", "still", "motd.tpl", stdin="{{ broken"))
    bad(berth.lxc("start", "still"), "motd.tpl")
    good(berth.lxc("config", "template", "delete", "still", "motd.tpl"))
    bad(berth.lxc("config", "template", "show", "still", "motd.tpl"), "motd.tpl")


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
