#!/usr/bin/python3
"""Images that go out and that instances become, as Debian's lxc 5.0.2 handles them: export, secrets, publish, refresh."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, bad, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position


def request(berth, method, url, body=None, headers=None):
    connection = Rest(berth.environment["LXD_SOCKET"])
    connection.request(method, url, body, headers or {})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def rest(berth):
    return Rest(berth.environment["LXD_SOCKET"])


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def fingerprint(berth, alias):
    return rest(berth).metadata("GET", f"/1.0/images/aliases/{alias}")["target"]


def members(path):
    with tarfile.open(path) as tar:
        return {member.name: member for member in tar.getmembers()}


@case("A unified image comes out as it went in")
def _(berth):
    berth.unified = berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip")
    good(berth.lxc("image", "import", berth.unified, "--alias", "bb"))
    out = f"{berth.work}/out"
    contains(good(berth.lxc("image", "export", "bb", out)), "Image exported successfully!")
    equal(sha256(f"{out}.tar.gz"), sha256(berth.unified))
    status, headers, data = request(berth, "GET", f"/1.0/images/{fingerprint(berth, 'bb')[:12]}/export")
    equal((status, headers["content-type"], headers["content-length"]), (200, "application/octet-stream", str(len(data))))
    equal(headers["content-disposition"], f"inline;filename={fingerprint(berth, 'bb')}.tar.gz")


@case("A split image comes out as its two files, and goes in again as the same image")
def _(berth):
    metadata = b"architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: split}\n"
    with tarfile.open(f"{berth.work}/meta.tar", "w") as tar:
        entry = tarfile.TarInfo("metadata.yaml")
        entry.size = len(metadata)
        tar.addfile(entry, io.BytesIO(metadata))
    os.makedirs(f"{berth.work}/split-root/etc")
    with open(f"{berth.work}/split-root/etc/hostname", "w", encoding="ascii") as file:
        file.write("split\n")
    subprocess.run(["tar", "-C", f"{berth.work}/split-root", "-czf", f"{berth.work}/root.tar.gz", "."], check=True)
    good(berth.lxc("image", "import", f"{berth.work}/meta.tar", f"{berth.work}/root.tar.gz", "--alias", "split"))
    out = f"{berth.work}/back"
    os.makedirs(out)
    good(berth.lxc("image", "export", "split", out))
    print_ = fingerprint(berth, "split")
    equal(sha256(f"{out}/meta-{print_}.tar"), sha256(f"{berth.work}/meta.tar"))
    equal(sha256(f"{out}/{print_}.tar.gz"), sha256(f"{berth.work}/root.tar.gz"))
    good(berth.lxc("image", "delete", "split"))
    good(berth.lxc("image", "import", f"{out}/meta-{print_}.tar", f"{out}/{print_}.tar.gz", "--alias", "split"))
    equal(fingerprint(berth, "split"), print_)


@case("What is not there is not exported")
def _(berth):
    bad(berth.lxc("image", "export", "nothing", berth.work), "not found")
    equal(request(berth, "GET", f"/1.0/images/{'0' * 24}/export")[0], 404)
    equal(request(berth, "GET", "/1.0/images/../../etc/passwd/export")[0], 404)


@case("A secret is a token operation that names its image")
def _(berth):
    print_ = fingerprint(berth, "bb")
    answer = json.loads(request(berth, "POST", f"/1.0/images/{print_}/secret")[2])["metadata"]
    equal((answer["class"], answer["description"], answer["status"], answer["may_cancel"]),
          ("token", "Image download token", "Running", True))
    equal(answer["resources"], {"images": [f"/1.0/images/{print_}"]})
    equal(len(answer["metadata"]["secret"]), 64)
    status, _, data = request(berth, "GET", f"/1.0/images/{print_}/export?secret={answer['metadata']['secret']}")
    equal((status, hashlib.sha256(data).hexdigest()), (200, print_))


@case("A stranger over HTTPS takes a public image, and a private one by its secret, once")
def _(berth):
    address, print_ = "127.0.0.1:18444", fingerprint(berth, "bb")
    good(berth.lxc("config", "set", "core.https_address", address))
    base = f"https://{address}/1.0/images/{print_}"

    def curl(url, *more):
        return berth.run("curl", "-sk", "--max-time", "20", "-w", "%{http_code}", "-o", f"{berth.work}/taken", *more, url).out

    until(lambda: curl(f"https://{address}/1.0") == "200", "the listener")
    equal(curl(f"{base}/export"), "404")
    equal(curl(f"{base}/secret", "-X", "POST"), "403")
    made = json.loads(request(berth, "POST", f"/1.0/images/{print_}/secret")[2])["metadata"]
    secret = made["metadata"]["secret"]
    equal(curl(f"{base}?secret={'0' * 64}"), "404")
    equal(curl(f"{base}?secret={secret}"), "200")
    equal(curl(f"{base}/export?secret={secret}"), "200")
    equal(sha256(f"{berth.work}/taken"), print_)
    until(lambda: curl(f"{base}/export?secret={secret}") == "404", "the end of the secret")
    equal(rest(berth).metadata("GET", f"/1.0/operations/{made['id']}")["status"], "Cancelled")
    rest(berth).metadata("PATCH", f"/1.0/images/{print_}", {"public": True})
    equal(curl(f"{base}/export"), "200")
    equal(sha256(f"{berth.work}/taken"), print_)
    rest(berth).metadata("PATCH", f"/1.0/images/{print_}", {"public": False})


@case("An image that came from nowhere cannot be refreshed, and that is said")
def _(berth):
    bad(berth.lxc("image", "refresh", "bb"), "Image source not found")


@case("Properties, public and expiry of an image are edited")
def _(berth):
    print_ = fingerprint(berth, "bb")
    text = good(berth.lxc("image", "show", "bb")).replace("public: false", "public: true").replace("os: Busybox", "os: Other")
    good(berth.lxc("image", "edit", "bb", stdin=text))
    shown = rest(berth).metadata("GET", f"/1.0/images/{print_}")
    equal((shown["public"], shown["properties"]["os"]), (True, "Other"))
    rest(berth).metadata("PATCH", f"/1.0/images/{print_}", {"expires_at": "2031-02-03T04:05:06Z", "auto_update": True})
    shown = rest(berth).metadata("GET", f"/1.0/images/{print_}")
    equal((shown["expires_at"], shown["auto_update"], shown["properties"]["os"]), ("2031-02-03T04:05:06Z", True, "Other"))
    good(berth.lxc("image", "set-property", "bb", "colour", "blue"))
    equal(good(berth.lxc("image", "get-property", "bb", "colour")), "blue\n")
    good(berth.lxc("image", "unset-property", "bb", "colour"))


@case("A stopped instance becomes an image, with what was changed in it")
def _(berth):
    good(berth.lxc("init", "bb", "c1"))
    good(berth.lxc("file", "push", "-", "c1/root/mine", "--mode", "0640", "--uid", "7", stdin="mine\n"))
    good(berth.lxc("file", "delete", "c1/etc/passwd"))
    good(berth.lxc("snapshot", "c1", "s0"))
    good(berth.lxc("file", "push", "-", "c1/root/later", stdin="later\n"))
    text = good(berth.lxc("publish", "c1", "--alias", "pub", "--public", "colour=red"))
    contains(text, "Instance published with fingerprint: ")
    shown = rest(berth).metadata("GET", f"/1.0/images/{fingerprint(berth, 'pub')}")
    equal((shown["public"], shown["properties"]), (True, {"colour": "red"}))
    good(berth.lxc("image", "export", "pub", f"{berth.work}/pub"))
    equal(sha256(f"{berth.work}/pub.tar.gz"), fingerprint(berth, "pub"))
    found = members(f"{berth.work}/pub.tar.gz")
    equal((found["rootfs/root/mine"].uid, found["rootfs/root/mine"].mode & 0o777), (7, 0o640))
    equal("rootfs/etc/passwd" in found, False)  # and no whiteout in its place
    equal([name for name, member in found.items() if member.ischr() and name != "rootfs/dev/null" and not name.startswith("rootfs/dev/")], [])
    equal({"metadata.yaml", "templates/hostname.tpl", "rootfs/root/later"} <= set(found), True)


@case("An instance of a published image is what was published")
def _(berth):
    good(berth.lxc("launch", "pub", "again"))
    equal(good(berth.lxc("exec", "again", "--", "sh", "-c", "cat /root/mine /root/later; hostname; ls /etc/passwd 2>&1 | wc -l")),
          "mine\nlater\nagain\n1\n")
    equal(good(berth.lxc("exec", "again", "--", "stat", "-c", "%u %a", "/root/mine")), "7 640\n")


@case("A snapshot becomes an image without what came after it")
def _(berth):
    good(berth.lxc("publish", "c1/s0", "--alias", "then", "--compression", "none"))
    good(berth.lxc("image", "export", "then", f"{berth.work}/then"))
    found = members(f"{berth.work}/then.tar")
    equal(("rootfs/root/mine" in found, "rootfs/root/later" in found), (True, False))
    equal(rest(berth).metadata("GET", f"/1.0/images/{fingerprint(berth, 'then')}")["properties"]["os"], "Busybox")


@case("A running one is published by force, and runs again; over the API without a stop")
def _(berth):
    bad(berth.lxc("publish", "again"), "currently running")
    good(berth.lxc("publish", "again", "--force", "--alias", "forced", "--expire", "2032-01-01T00:00:00Z"))
    equal(good(berth.lxc("list", "again", "--format", "csv", "-c", "s")), "RUNNING\n")
    equal(rest(berth).metadata("GET", f"/1.0/images/{fingerprint(berth, 'forced')}")["expires_at"][:10], "2032-01-01")
    good(berth.lxc("exec", "again", "--", "sh", "-c", "echo live > /root/live; sync"))
    done = rest(berth).finished("POST", "/1.0/images", {
        "source": {"type": "container", "name": "again"}, "compression_algorithm": "zstd", "filename": "live.tar.zst",
        "aliases": [{"name": "live", "description": "of a running one"}], "properties": {}})
    equal(done["metadata"]["fingerprint"], fingerprint(berth, "live"))
    good(berth.lxc("image", "export", "live", f"{berth.work}/live"))
    text = subprocess.run(["tar", "--zstd", "-tf", f"{berth.work}/live.tar.zst"], check=True, capture_output=True, text=True).stdout
    contains(text, "rootfs/root/live\n")
    equal(good(berth.lxc("exec", "again", "--", "cat", "/root/live")), "live\n")
    # What was set aside of the running one is gone; the snapshot of the other is there.
    kept = [names for folder, names, _ in os.walk(f"{berth.dir}/state") if folder.endswith("/snapshots")]
    equal(sum(len(names) for names in kept), 1)


@case("An image brings its profiles to the instances made from it")
def _(berth):
    good(berth.lxc("profile", "create", "mine"))
    good(berth.lxc("profile", "set", "mine", "user.from", "profile"))
    with open(berth.unified, "rb") as file:
        data = file.read() + b"\0" * 512  # another fingerprint
    headers = {"Content-Type": "application/octet-stream", "X-LXD-profiles": "profile=default&profile=mine"}
    answer = json.loads(request(berth, "POST", "/1.0/images", data, headers)[2])
    print_ = rest(berth).metadata("GET", f"{answer['operation']}/wait")["metadata"]["fingerprint"]
    equal(rest(berth).metadata("GET", f"/1.0/images/{print_}")["profiles"], ["default", "mine"])
    rest(berth).finished("POST", "/1.0/instances", {"name": "profiled", "source": {"type": "image", "fingerprint": print_}})
    equal(rest(berth).metadata("GET", "/1.0/instances/profiled")["profiles"], ["default", "mine"])
    contains(str(rest(berth).ask("PATCH", f"/1.0/images/{print_}", {"profiles": ["nope"]})), "nope")


@case("What cannot be published is refused and leaves nothing")
def _(berth):
    before = len(rest(berth).metadata("GET", "/1.0/images"))
    for body, status in (({"source": {"type": "instance", "name": "nope"}}, 404),
                         ({"source": {"type": "snapshot", "name": "c1/nope"}}, 404),
                         ({"source": {"type": "snapshot", "name": "c1"}}, 400),
                         ({"source": {"type": "instance", "name": "c1"}, "compression_algorithm": "rm -rf /"}, 400),
                         ({"source": {"type": "instance", "name": "../c1"}}, 400)):
        equal(request(berth, "POST", "/1.0/images", json.dumps(body), {"Content-Type": "application/json"})[0], status, body)
    equal(len(rest(berth).metadata("GET", "/1.0/images")), before)


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
