#!/usr/bin/python3
"""Images of other servers: two private Berths that copy from each other over HTTPS on loopback, and a server of files."""

import ctypes
import functools
import hashlib
import http.server
import io
import json
import os
import socket
import ssl
import subprocess
import sys
import tarfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import LXC, Instance, Rest, bad, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

FAR, NEAR, FILES, STALLED = "127.0.0.1:18451", "127.0.0.1:18452", 18453, 18454
BARE = "architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: %s}\n"


def lxc(who, *argv, **more):
    """Inside the network that both instances share."""
    return who.run("env", f"LXD_CONF={who.work}/lxc", f"HOME={who.work}", LXC, *argv, **more)


def rest(who):
    return Rest(who.environment["LXD_SOCKET"])


def fingerprint(who, alias):
    return rest(who).metadata("GET", f"/1.0/images/aliases/{alias}")["target"]


def fetch(who, **source):
    """The ended operation of a copy from a server."""
    said = rest(who).ask("POST", "/1.0/images", {"source": {"type": "image", "mode": "pull", **source}})
    if said["type"] == "error":
        return {"status": "Refused", "err": said["error"]}
    return rest(who).metadata("GET", f"/1.0/operations/{said['metadata']['id']}/wait")


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def tar_of(path, *members):
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def enter_network(pid):
    """This thread, for good."""
    handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    equal(ctypes.CDLL(None, use_errno=True).setns(handle, 0x40000000), 0, "setns")
    os.close(handle)


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-out", f"{folder}/{name}.crt", "-keyout", f"{folder}/{name}.key"], check=True, capture_output=True)
    with open(f"{folder}/{name}.crt", encoding="ascii") as file:
        return file.read()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, and what headers a test wants."""

    def log_message(self, *_):
        pass

    def end_headers(self):
        if self.path == "/direct":
            for name, value in self.server.direct.items():
                self.send_header(name, value)
        super().end_headers()


def serve_files(pid, folder, certificate):
    """A server of files in the instance's network, with HTTPS."""
    ready, made = threading.Event(), []

    def run():
        enter_network(pid)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", FILES), functools.partial(Quiet, directory=folder))
        server.direct = {}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        silent = socket.create_server(("127.0.0.1", STALLED))  # takes connections and never says a word
        made.extend((server, silent))
        ready.set()
        server.serve_forever()

    threading.Thread(target=run, daemon=True).start()
    if not ready.wait(20):
        raise AssertionError("the server of files does not start")
    return made[0]


@case("A private image is copied from another server by its secret, with its aliases")
def _(near, far):
    good(far.lxc("image", "import", far.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb", "colour=blue"))
    for who, address in ((far, FAR), (near, NEAR)):
        good(who.lxc("config", "set", "core.https_address", address))
        good(who.lxc("config", "set", "core.trust_password", "sesame"))
        until(lambda a=address: near.run("curl", "-sk", "--max-time", "5", f"https://{a}/1.0").code == 0, "the listener")
    near.far_certificate = rest(far).metadata("GET", "/1.0")["environment"]["certificate"]
    good(lxc(near, "remote", "add", "far", FAR, "--accept-certificate", "--password", "sesame"))
    contains(good(lxc(near, "image", "copy", "far:bb", "local:", "--copy-aliases", "--alias", "mine")), "Image copied successfully!")
    print_ = fingerprint(far, "bb")
    equal((fingerprint(near, "bb"), fingerprint(near, "mine")), (print_, print_))
    shown = rest(near).metadata("GET", f"/1.0/images/{print_}")
    equal((shown["properties"]["colour"], shown["public"], shown["cached"], shown.get("update_source")), ("blue", False, False, None))
    good(lxc(near, "image", "export", "bb", f"{near.work}/back"))
    equal(sha256(f"{near.work}/back.tar.gz"), print_)


@case("A second copy of an image that is here fetches nothing and is no error")
def _(near, far):
    print_ = fingerprint(far, "bb")
    secret = rest(far).metadata("POST", f"/1.0/images/{print_}/secret")["metadata"]["secret"]
    done = fetch(near, server=f"https://{FAR}", certificate=near.far_certificate, fingerprint=print_, secret=secret)
    equal((done["status"], done["metadata"]["fingerprint"]), ("Success", print_))
    good(lxc(near, "image", "delete", print_))


@case("Without its secret a private image looks absent")
def _(near, far):
    done = fetch(near, server=f"https://{FAR}", certificate=near.far_certificate, fingerprint=fingerprint(far, "bb"))
    equal(done["status"], "Failure")
    contains(done["err"], "not found")


@case("A launch from another server's alias fetches the image, and the next launch asks nobody")
def _(near, far):
    print_ = fingerprint(far, "bb")
    rest(far).metadata("PATCH", f"/1.0/images/{print_}", {"public": True})
    good(lxc(near, "launch", "far:bb", "c1"))
    equal(good(lxc(near, "exec", "c1", "--", "hostname")), "c1\n")
    shown = rest(near).metadata("GET", f"/1.0/images/{print_}")
    equal((shown["cached"], shown["auto_update"], shown["public"]), (True, True, False))
    source = shown["update_source"]
    equal((source["server"], source["protocol"], source["alias"]), (f"https://{FAR}", "lxd", "bb"))
    made = rest(near).finished("POST", "/1.0/instances", {"name": "c2", "source": {
        "type": "image", "mode": "pull", "server": f"https://{FAR}", "protocol": "lxd", "alias": "bb", "certificate": near.far_certificate}})
    equal("download_progress" in (made["metadata"] or {}), False)
    equal(rest(near).metadata("GET", "/1.0/instances/c2")["config"]["volatile.base_image"], print_)


@case("An image that is copied to another server is pulled by that one")
def _(near, far):
    tar_of(f"{near.work}/own.tar", ("metadata.yaml", (BARE % "own").encode()), ("rootfs/etc/hostname", b"own\n"))
    good(lxc(near, "image", "import", f"{near.work}/own.tar", "--alias", "own"))
    good(lxc(near, "image", "copy", "own", "far:", "--alias", "from-near", "--public"))
    equal(fingerprint(far, "from-near"), sha256(f"{near.work}/own.tar"))
    equal(rest(far).metadata("GET", f"/1.0/images/{fingerprint(far, 'from-near')}")["public"], True)


@case("A split image comes over as its two files")
def _(near, far):
    meta = tar_of(f"{far.work}/meta.tar", ("metadata.yaml", (BARE % "split").encode()))
    root = tar_of(f"{far.work}/root.tar", ("./etc/hostname", b"split\n"), ("./blob", os.urandom(3000000)))
    good(far.lxc("image", "import", meta, root, "--alias", "split"))
    good(lxc(near, "image", "copy", "far:split", "local:", "--alias", "split"))
    out = f"{near.work}/split-out"
    os.makedirs(out)
    good(lxc(near, "image", "export", "split", out))
    print_ = fingerprint(near, "split")
    equal((sha256(f"{out}/meta-{print_}.tar"), sha256(f"{out}/{print_}.tar")), (sha256(meta), sha256(root)))


@case("An image is refreshed when its alias names another one, and keeps its own aliases")
def _(near, far):
    good(lxc(near, "image", "delete", "own"))
    good(lxc(near, "image", "copy", "far:from-near", "local:", "--alias", "followed", "--auto-update"))
    contains(good(lxc(near, "image", "refresh", "followed")), "already up to date")
    newer = tar_of(f"{far.work}/newer.tar", ("metadata.yaml", (BARE % "newer").encode()), ("rootfs/etc/hostname", b"newer\n"))
    good(far.lxc("image", "import", newer, "--alias", "newer", "--public"))
    rest(far).metadata("PUT", "/1.0/images/aliases/from-near", {"target": sha256(newer)})
    contains(good(lxc(near, "image", "refresh", "followed")), "refreshed successfully")
    equal(fingerprint(near, "followed"), sha256(newer))


@case("Rule 11: a server that shows another certificate than the pinned one is refused, and so is one that nobody vouches for")
def _(near, far):
    print_ = fingerprint(far, "newer")
    other = make_certificate(near.work, "other")
    for certificate in (other, ""):
        done = fetch(near, server=f"https://{FAR}", certificate=certificate, alias="bb")
        equal(done["status"], "Failure", certificate)
        contains(done["err"], "not trusted")
    equal(fetch(near, server=f"https://{FAR}", certificate=near.far_certificate, fingerprint=print_)["status"], "Success")


@case("Addresses that are none of an HTTPS server are refused")
def _(near, _):
    for address in ("http://127.0.0.1", "file:///etc/shadow", "ftp://127.0.0.1", "127.0.0.1"):
        equal(fetch(near, server=address, alias="bb")["status"], "Refused", address)


def publish_streams(near, **change):
    """A small tree of simplestreams: an image as two files, beside an older one and one of another architecture, of which there is the description alone."""
    folder = f"{near.work}/streams"
    os.makedirs(f"{folder}/streams/v1", exist_ok=True)
    meta = tar_of(f"{near.work}/streams-meta.tar", ("metadata.yaml", (BARE % "streamed").encode()))
    root = tar_of(f"{folder}/root.tar", ("./etc/hostname", b"streamed\n"), ("./blob", b"x" * 2000000))
    subprocess.run(["xz", "-0kf", meta, root], check=True)
    os.replace(f"{meta}.xz", f"{folder}/lxd.tar.xz")
    with open(f"{folder}/lxd.tar.xz", "rb") as one, open(f"{folder}/root.tar.xz", "rb") as two:
        combined = hashlib.sha256(one.read() + two.read()).hexdigest()
    items = {"lxd.tar.xz": {"ftype": "lxd.tar.xz", "path": "lxd.tar.xz", "size": os.path.getsize(f"{folder}/lxd.tar.xz"),
                            "combined_rootxz_sha256": change.get("fingerprint", combined)},
             "root.tar.xz": {"ftype": "root.tar.xz", "path": "root.tar.xz", "size": os.path.getsize(f"{folder}/root.tar.xz")}}
    other = {name: {"ftype": name, "path": f"other/{name}", "size": 7} for name in ("lxd.tar.xz", "squashfs", "root.tar.xz", "disk-kvm.img")}
    other["lxd.tar.xz"] |= {"combined_squashfs_sha256": "a" * 64, "combined_rootxz_sha256": "b" * 64, "combined_disk-kvm-img_sha256": ""}
    strange = {"lxd.tar.xz": {"ftype": "lxd.tar.xz", "path": "arm/lxd.tar.xz", "size": 9, "combined_squashfs_sha256": "c" * 64},
               "root.squashfs": {"ftype": "squashfs", "path": "arm/root.squashfs", "size": 1 << 30}}
    product = {"os": "Test", "release": "one", "release_title": "One", "variant": "default", "lxd_requirements": {"secureboot": "false"}}
    products = {"format": "products:1.0", "datatype": "image-downloads", "products": {
        "test:1:amd64:default": {**product, "aliases": "test/1,test", "arch": "amd64", "support_eol": "2030-01-31",
                                 "versions": {"20260101_05:24": {"items": items}, "20250101_05:24": {"items": other, "label": "beta"}}},
        "test:1:arm64:default": {**product, "aliases": "test/1,arm", "arch": "arm64", "versions": {"20260201": {"items": strange}}}}}
    index = {"format": "index:1.0", "index": {"images": {"datatype": "image-downloads", "path": "streams/v1/images.json", "products": list(products["products"])}}}
    for name, document in (("index", index), ("images", products)):
        with open(f"{folder}/streams/v1/{name}.json", "w", encoding="ascii") as file:
            json.dump(document, file)
    return folder, combined


@case("An image of a simplestreams server is found by alias, and both its files are fetched")
def _(near, _):
    folder, combined = publish_streams(near)
    near.certificate = make_certificate(near.work, "files")
    near.server = serve_files(near.pids()["berthd"], folder, (f"{near.work}/files.crt", f"{near.work}/files.key"))
    near.streams = {"server": f"https://127.0.0.1:{FILES}", "protocol": "simplestreams", "certificate": near.certificate}
    done = fetch(near, alias="test/1", **near.streams)
    equal((done["status"], done["err"]), ("Success", ""))
    equal(done["metadata"]["fingerprint"], combined)
    contains(done["metadata"]["download_progress"], "/s)")
    shown = rest(near).metadata("GET", f"/1.0/images/{combined}")
    equal(shown["properties"]["description"], "Test One amd64 (20260101_05:24)")
    equal((shown["update_source"]["protocol"], shown["created_at"]), ("simplestreams", "2026-01-01T00:00:00Z"))
    good(lxc(near, "image", "delete", combined))
    rest(near).finished("POST", "/1.0/instances", {"name": "s1", "source": {"type": "image", "mode": "pull", "alias": "test", **near.streams}})
    equal(good(lxc(near, "file", "pull", "s1/etc/hostname", "-")), "streamed\n")
    contains(fetch(near, alias="nothing", **near.streams)["err"], "not found")


@case("berth shows the images of a simplestreams server as lxc does, and takes them out and over")
def _(near, _):
    def ask(client, *argv):
        return near.run("env", f"SSL_CERT_FILE={near.work}/files.crt", f"LXD_CONF={near.work}/lxc", f"HOME={near.work}", client, *argv)

    good(ask("berth", "remote", "add", "streams", f"https://127.0.0.1:{FILES}", "--protocol", "simplestreams"))
    for argv in (("list", "streams:", "-f", "csv"), ("list", "streams:", "-f", "csv", "-c", "LFpdastu"), ("list", "streams:", "-f", "table"),
                 ("list", "streams:", "test/1", "architecture=arm64", "-f", "csv"), ("list", "streams:", "cccc", "-f", "yaml"), ("info", "streams:test"),
                 ("info", "streams:test/1/arm64"), ("info", "streams:aaaa"), ("show", "streams:arm"), ("get-property", "streams:test", "os"),
                 ("alias", "list", "streams:", "-f", "csv")):
        wanted = good(ask(LXC, "image", *argv))
        equal("Test" in wanted or "test" in wanted, True, argv)
        seen = good(ask("berth", "image", *argv))
        if argv[0] == "info":  # lxc's properties come in any order
            seen, wanted = sorted(seen.splitlines()), sorted(wanted.splitlines())
        equal(seen, wanted, argv)
    equal(json.loads(good(ask("berth", "image", "list", "streams:", "-f", "json"))), json.loads(good(ask(LXC, "image", "list", "streams:", "-f", "json"))))

    folder = f"{near.work}/streamed"
    os.makedirs(folder)
    good(ask("berth", "image", "export", "streams:test", folder))
    with open(f"{folder}/lxd.tar.xz", "rb") as one, open(f"{folder}/root.tar.xz", "rb") as two:
        print_ = hashlib.sha256(one.read() + two.read()).hexdigest()
    equal(good(ask("berth", "image", "list", "streams:", "-f", "csv", "-c", "F", "os=Test", "serial=20260101_05:24")), print_ + "\n")
    good(lxc(near, "image", "delete", print_))
    good(ask("berth", "image", "copy", "streams:test", "local:", "--mode", "relay", "--copy-aliases"))
    equal(fingerprint(near, "test/1/amd64"), print_)
    good(lxc(near, "image", "delete", print_))

    bad(ask("berth", "image", "info", "streams:nothing"), "not found")
    bad(ask("berth", "image", "delete", "streams:test"), "has images alone")
    bad(ask("berth", "list", "streams:"), "has images alone")
    bad(near.run("berth", "image", "list", "streams:"), "no authority vouches for its certificate")


@case("Rule 16: what a server says of a hash proves nothing, and bytes of another hash leave nothing behind")
def _(near, _):
    rest(near).finished("DELETE", "/1.0/instances/s1")
    before = rest(near).metadata("GET", "/1.0/images")
    publish_streams(near, fingerprint="0" * 64)
    done = fetch(near, alias="test", **near.streams)
    equal(done["status"], "Failure")
    contains(done["err"], "fingerprint doesn't match")
    equal(rest(near).metadata("GET", "/1.0/images"), before)
    equal(os.listdir(f"{near.dir}/state/images/staging"), [])


@case("An index that is no index is an error, not an end")
def _(near, _):
    for text in ("", "{", "[]", '{"index": {"images": {"datatype": "image-downloads", "path": "streams/v1/index.json"}}}', "[" * 100000):
        with open(f"{near.work}/streams/streams/v1/index.json", "w", encoding="ascii") as file:
            file.write(text)
        equal(fetch(near, alias="test", **near.streams)["status"], "Failure", text[:20])
    equal(rest(near).metadata("GET", "/1.0")["api_version"], "1.0")


@case("A URL whose server names an image and its hash is fetched, and another one is not kept")
def _(near, _):
    subprocess.run(["cp", f"{near.work}/own.tar", f"{near.work}/streams/image.tar"], check=True)
    with open(f"{near.work}/streams/direct", "w", encoding="ascii") as file:
        file.write("")
    url = f"https://127.0.0.1:{FILES}"
    for print_, status in ((sha256(f"{near.work}/own.tar"), "Success"), ("1" * 64, "Failure")):
        near.server.direct = {"LXD-Image-Hash": print_, "LXD-Image-URL": f"{url}/image.tar"}
        done = fetch(near, type="url", url=f"{url}/direct", certificate=near.certificate)
        equal(done["status"], status, done["err"])


@case("A download from a server that says nothing can be cancelled")
def _(near, _):
    said = rest(near).metadata("POST", "/1.0/images", {"source": {"type": "image", "mode": "pull", "server": f"https://127.0.0.1:{STALLED}",
                                                                  "certificate": near.certificate, "alias": "x"}})
    equal(said["may_cancel"], True)
    rest(near).metadata("DELETE", f"/1.0/operations/{said['id']}")
    equal(rest(near).metadata("GET", f"/1.0/operations/{said['id']}/wait?timeout=20")["status"], "Cancelled")


@case("Copies and launches by berth do what lxc's do")
def _(near, far):
    good(lxc(near, "delete", "--force", "c1", "c2"))
    good(lxc(near, "image", "delete", fingerprint(far, "bb")))

    def berth(*argv, **more):
        return near.run("env", f"LXD_CONF={near.work}/lxc", f"HOME={near.work}", "berth", *argv, **more)

    contains(good(berth("image", "copy", "far:split", "local:", "--alias", "by-berth")), "Image copied successfully!")
    good(berth("launch", "far:bb", "b1"))
    equal(good(berth("exec", "b1", "--", "hostname")), "b1\n")
    print_ = fingerprint(far, "bb")
    equal(rest(near).metadata("GET", f"/1.0/images/{print_}")["update_source"]["alias"], "bb")
    good(far.lxc("image", "delete", "split"))
    good(far.lxc("profile", "create", "small"))
    good(berth("image", "copy", "by-berth", "far:", "--mode", "relay", "--alias", "relayed", "-p", "default", "-p", "small"))
    equal(fingerprint(far, "relayed"), fingerprint(near, "by-berth"))
    equal(rest(far).metadata("GET", f"/1.0/images/{fingerprint(far, 'relayed')}")["profiles"], ["default", "small"])
    good(berth("delete", "--force", "b1"))

    begins = print_[:8]  # an alias that looks like a fingerprint is one all the same
    good(far.lxc("image", "alias", "create", begins, print_))
    for client in (berth, functools.partial(lxc, near)):
        good(lxc(near, "image", "delete", print_))
        good(client("init", f"far:{begins}", "b2"))
        equal(rest(near).metadata("GET", f"/1.0/images/{print_}")["update_source"]["alias"], begins)
        good(lxc(near, "delete", "b2"))


@case("Between projects of one server an image is copied without a transfer")
def _(near, _):
    good(lxc(near, "project", "create", "shop", "-c", "features.images=true"))
    print_ = fingerprint(near, "split")
    done = rest(near).finished("POST", "/1.0/images?project=shop", {"source": {"type": "image", "mode": "pull", "fingerprint": print_, "project": "default"}})
    equal(done["metadata"]["fingerprint"], print_)
    equal(rest(near).metadata("GET", f"/1.0/images/{print_}?project=shop")["fingerprint"], print_)


def main():
    far = Instance()
    near = Instance("--network-of", far.dir)
    return 1 if run_cases(near, far) else 0


if __name__ == "__main__":
    sys.exit(main())
