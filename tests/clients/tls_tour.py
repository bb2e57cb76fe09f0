#!/usr/bin/python3
"""Debian's own lxc 5.0.2 over HTTPS: trust by password and by token, what a trusted client may do, and what a stranger may."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import LXC, Instance, bad, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

PORT = 18443
ADDRESS = f"127.0.0.1:{PORT}"


def client(berth, who, *argv, **more):
    """lxc of a user of its own, inside the namespaces, where the listener is."""
    folder = f"{berth.work}/client-{who}"
    return berth.run("env", f"LXD_CONF={folder}", f"HOME={folder}", LXC, *argv, **more)


def curl(berth, *argv):
    return json.loads(good(berth.run("curl", "-sk", "--max-time", "20", *argv)))


@case("core.https_address opens the listener at once")
def _(berth):
    good(berth.lxc("config", "set", "core.https_address", ADDRESS))
    said = until(lambda: berth.run("curl", "-sk", "--max-time", "5", f"https://{ADDRESS}/1.0").out, "an answer over HTTPS")
    equal(json.loads(said)["metadata"]["auth"], "untrusted")


@case("A stranger sees the public part of the server and nothing else")
def _(berth):
    shown = curl(berth, f"https://{ADDRESS}/1.0")["metadata"]
    equal(sorted(shown), ["api_extensions", "api_status", "api_version", "auth", "auth_methods", "public"])
    for path in ("instances", "certificates", "profiles", "operations", "storage-pools"):
        equal(curl(berth, f"https://{ADDRESS}/1.0/{path}")["error_code"], 403, path)
    upgrade = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13",
               "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    equal(curl(berth, *upgrade, f"https://{ADDRESS}/1.0/events")["error_code"], 403, "events")
    equal(curl(berth, "-X", "PATCH", "-d", '{"config":{"user.x":"y"}}', f"https://{ADDRESS}/1.0")["error_code"], 403)


@case("A server certificate was made: P-384, ten years, the key for root alone")
def _(berth):
    info = json.loads(good(berth.lxc("query", "/1.0")))["environment"]
    contains(info["certificate"], "BEGIN CERTIFICATE")
    equal(len(info["certificate_fingerprint"]), 64)
    equal(info["addresses"], [ADDRESS])
    equal(os.stat(f"{berth.dir}/state/server.key").st_mode & 0o777, 0o600, "mode of the key")


@case("Without a password nobody is let in, and a wrong one is refused")
def _(berth):
    bad(client(berth, "a", "remote", "add", "me", ADDRESS, "--accept-certificate", "--password", "guess"), "not authorized")
    good(berth.lxc("config", "set", "core.trust_password", "sesame"))
    bad(client(berth, "a", "remote", "add", "me", ADDRESS, "--accept-certificate", "--password", "guess"), "not authorized")


@case("The password is kept as a hash and shown as true")
def _(berth):
    equal(json.loads(good(berth.lxc("query", "/1.0")))["config"]["core.trust_password"], True)
    with open(f"{berth.dir}/state/berth.db", "rb") as file:
        equal(b"sesame" in file.read(), False)


@case("remote add with the password makes a trusted client")
def _(berth):
    good(client(berth, "a", "remote", "add", "me", ADDRESS, "--accept-certificate", "--password", "sesame"))
    contains(good(client(berth, "a", "list", "me:")), "NAME")
    rows = json.loads(good(berth.lxc("config", "trust", "list", "--format", "json")))
    equal([(row["type"], row["restricted"]) for row in rows], [("client", False)])


@case("A trusted client launches, lists and executes")
def _(berth):
    good(berth.lxc("image", "import", berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "--alias", "bb"))
    good(client(berth, "a", "launch", "me:bb", "me:c1"))
    contains(good(client(berth, "a", "list", "me:", "--format", "csv", "-c", "ns")), "c1,RUNNING")
    contains(good(client(berth, "a", "exec", "me:c1", "--", "id")), "uid=0")
    equal(client(berth, "a", "exec", "me:c1", "--", "sh", "-c", "exit 7").code, 7)
    equal(good(client(berth, "a", "exec", "me:c1", "--", "cat", stdin="over TLS\n" * 20000)), "over TLS\n" * 20000)


@case("A public image is a stranger's to see, a private one is not")
def _(berth):
    url = f"https://{ADDRESS}/1.0/images"
    equal(curl(berth, url)["metadata"], [])
    fingerprint = json.loads(good(berth.lxc("query", "/1.0/images/aliases/bb")))["target"]
    equal(curl(berth, f"{url}/{fingerprint}")["error_code"], 404)
    good(berth.lxc("query", "-X", "PATCH", "-d", '{"public": true}', f"/1.0/images/{fingerprint}"))
    equal(curl(berth, url)["metadata"], [f"/1.0/images/{fingerprint}"])
    equal(curl(berth, f"{url}/aliases/bb")["metadata"]["target"], fingerprint)


@case("A token lets one client in, once")
def _(berth):
    said = good(berth.lxc("config", "trust", "add", "--name", "laptop"))
    token = said.split()[-1]
    contains(good(berth.lxc("config", "trust", "list-tokens")), "laptop")
    good(client(berth, "b", "remote", "add", "me", token))
    contains(good(client(berth, "b", "list", "me:")), "c1")
    contains(good(berth.lxc("config", "trust", "list")), "laptop")
    equal("laptop" in good(berth.lxc("config", "trust", "list-tokens")), False)
    equal(client(berth, "c", "remote", "add", "me", token, stdin="\n").code != 0, True, "second use refused")


@case("A revoked token is worth nothing")
def _(berth):
    token = good(berth.lxc("config", "trust", "add", "--name", "phone")).split()[-1]
    good(berth.lxc("config", "trust", "revoke-token", "phone"))
    equal(client(berth, "c", "remote", "add", "me", token, stdin="\n").code != 0, True)


@case("trust show, edit and a second add of the same certificate")
def _(berth):
    rows = json.loads(good(berth.lxc("config", "trust", "list", "--format", "json")))
    laptop = next(row["fingerprint"] for row in rows if row["name"] == "laptop")
    shown = good(berth.lxc("config", "trust", "show", laptop[:12]))
    contains(shown, "name: laptop")
    good(berth.lxc("config", "trust", "edit", laptop[:12], stdin=re.sub("name: laptop", "name: notebook", shown)))
    contains(good(berth.lxc("config", "trust", "show", laptop[:12])), "name: notebook")
    bad(berth.lxc("config", "trust", "add", f"{berth.work}/client-b/client.crt"), "Certificate already in trust store")


@case("Removing a certificate shuts its client out, on connections that are open, too")
def _(berth):
    rows = json.loads(good(berth.lxc("config", "trust", "list", "--format", "json")))
    laptop = next(row["fingerprint"] for row in rows if row["name"] == "notebook")
    good(berth.lxc("config", "trust", "remove", laptop))
    bad(client(berth, "b", "list", "me:"), "")
    good(client(berth, "a", "list", "me:"))


@case("A member of berth reads no token's secret, and makes none")
def _(berth):
    good(berth.lxc("config", "trust", "add", "--name", "secret-one"))
    sock = ["--unix-socket", f"{berth.dir}/run/unix.socket"]
    listed = good(berth.run("curl", "-s", *sock, "http://x/1.0/operations?recursion=1", user="berth-test-member"))
    contains(listed, '"class":"token"')
    equal('"secret":"' in listed, False, "secret in the list")
    refused = json.loads(good(berth.run("curl", "-s", *sock, "-X", "POST", "-d", '{"token":true,"name":"x"}',
                                        "http://x/1.0/certificates", user="berth-test-member")))
    equal(refused["error_code"], 403)


@case("TLS 1.1 is refused, 1.2 and 1.3 are spoken")
def _(berth):
    for version, works in (("1.2", True), ("1.3", True)):
        done = berth.run("curl", "-sk", "--tlsv" + version, "--tls-max", version, f"https://{ADDRESS}/1.0")
        equal(done.code == 0, works, f"TLS {version}")
    equal(berth.run("curl", "-sk", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", f"https://{ADDRESS}/1.0").code != 0, True)


@case("Pages of other sites are refused until their site is allowed")
def _(berth):
    ask = ["-X", "POST", "-H", "Origin: https://ui.example", "-d", "{}", f"https://{ADDRESS}/1.0/certificates"]
    contains(curl(berth, *ask)["error"], "other sites")
    good(berth.lxc("config", "set", "core.https_allowed_origin", "https://ui.example"))
    good(berth.lxc("config", "set", "core.https_allowed_methods", "GET, POST"))
    until(lambda: "other sites" not in curl(berth, *ask)["error"], "the allowed site")
    head = good(berth.run("curl", "-sk", "-i", "-X", "OPTIONS", "-H", "Origin: https://ui.example", f"https://{ADDRESS}/1.0"))
    contains(head, "Access-Control-Allow-Origin: https://ui.example")
    contains(head, "Access-Control-Allow-Methods: GET, POST")


@case("A daemon that starts anew listens again, and its clients are still trusted")
def _(berth):
    os.kill(int(berth.pids()["berthd"]), 9)
    until(lambda: client(berth, "a", "list", "me:").code == 0, "the trusted client after a crash")


@case("The listener moves and closes with its key; a taken address changes nothing")
def _(berth):
    other = f"[::1]:{PORT + 1}"
    good(berth.lxc("config", "set", "core.https_address", other))
    until(lambda: berth.run("curl", "-sgk", "--max-time", "5", f"https://{other}/1.0").code == 0, "the new address")
    equal(berth.run("curl", "-sk", "--max-time", "5", f"https://{ADDRESS}/1.0").code, 7, "the old address")
    bad(berth.lxc("config", "set", "core.https_address", "192.0.2.77:1"), "cannot set 'core.https_address'")
    equal(good(berth.lxc("config", "get", "core.https_address")).strip(), other)
    good(berth.lxc("config", "set", "core.https_address", f":{PORT}"))
    until(lambda: berth.run("curl", "-sk", "--max-time", "5", f"https://{ADDRESS}/1.0").code == 0, "the wildcard")
    good(berth.lxc("config", "unset", "core.https_address"))
    equal(berth.run("curl", "-sk", "--max-time", "5", f"https://{ADDRESS}/1.0").code, 7, "closed")


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
