#!/usr/bin/python3
"""Debian's own lxc 5.0.2 over HTTPS, as a client that is restricted to a project, and against a server with an authority (PKI)."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import LXC, Instance, bad, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

PORT = 18543
ADDRESS = f"127.0.0.1:{PORT}"


def folder(berth, who):
    return f"{berth.work}/client-{who}"


def client(berth, who, *argv, **more):
    """lxc of a user of its own, inside the namespaces, where the listener is."""
    return berth.run("env", f"LXD_CONF={folder(berth, who)}", f"HOME={folder(berth, who)}", LXC, *argv, **more)


def curl(berth, who, path, *argv):
    keys = ["--cert", f"{folder(berth, who)}/client.crt", "--key", f"{folder(berth, who)}/client.key"] if who else []
    return json.loads(good(berth.run("curl", "-sk", "--max-time", "20", *keys, *argv, f"https://{ADDRESS}{path}")))


def trusted(berth):
    return json.loads(good(berth.lxc("config", "trust", "list", "--format", "json")))


def own_print(berth, name):
    return next(row["fingerprint"] for row in trusted(berth) if row["name"] == name)


def openssl(berth, *argv):
    return good(berth.run("openssl", *argv))


@case("A token carries its restriction to the client that uses it")
def _(berth):
    good(berth.lxc("config", "set", "core.https_address", ADDRESS))
    image = berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip")
    for project in ("lab", "other"):
        good(berth.lxc("project", "create", project))
        good(berth.lxc("profile", "device", "add", "default", "root", "disk", "path=/", "pool=default", "--project", project))
        good(berth.lxc("image", "import", image, "--alias", "bb", "--project", project))
    good(berth.lxc("image", "import", image, "--alias", "bb"))
    good(berth.lxc("init", "bb", "hidden"))
    good(berth.lxc("init", "bb", "hidden-too", "--project", "other"))
    bad(berth.lxc("config", "trust", "add", "--name", "x", "--restricted", "--projects", "none"), "not found")
    token = good(berth.lxc("config", "trust", "add", "--name", "tenant", "--restricted", "--projects", "lab")).split()[-1]
    good(client(berth, "t", "remote", "add", "me", token))
    equal([(row["name"], row["restricted"], row["projects"]) for row in trusted(berth)], [("tenant", True, ["lab"])])


@case("A restricted client works in its project")
def _(berth):
    good(client(berth, "t", "launch", "me:bb", "me:c1"))
    contains(good(client(berth, "t", "exec", "me:c1", "--", "id")), "uid=0")
    equal(good(client(berth, "t", "exec", "me:c1", "--", "cat", stdin="over TLS\n")), "over TLS\n")
    good(client(berth, "t", "snapshot", "me:c1", "s"))
    good(client(berth, "t", "copy", "me:c1/s", "me:c2"))
    good(client(berth, "t", "delete", "me:c2"))
    good(client(berth, "t", "profile", "create", "me:small"))
    good(client(berth, "t", "profile", "set", "me:small", "limits.memory", "64MiB"))
    good(client(berth, "t", "publish", "me:c1/s", "me:", "--alias", "mine"))
    contains(good(client(berth, "t", "image", "list", "me:")), "mine")
    equal(curl(berth, "t", "/1.0/storage-pools")["metadata"], ["/1.0/storage-pools/default"])
    good(client(berth, "t", "operation", "list", "me:"))


@case("It sees no other projects, and nothing in them")
def _(berth):
    rows = json.loads(good(client(berth, "t", "project", "list", "me:", "--format", "json")))
    equal([row["name"] for row in rows], ["lab"])
    equal(good(client(berth, "t", "list", "me:", "--all-projects", "--format", "csv", "-c", "n")).split(), ["c1"])
    for path in ("instances", "instances/hidden", "instances/nothing", "profiles", "operations", "instances?project=other",
                 "instances/hidden-too?project=other", "instances?project=none", "images/aliases/x?project=other"):
        expected = 404 if path.startswith("images") else 403
        equal(curl(berth, "t", f"/1.0/{path}")["error_code"], expected, path)
    equal(curl(berth, "t", "/1.0/images?project=other")["metadata"], [], "what a stranger sees")
    equal(curl(berth, "t", "/1.0/projects/other")["error_code"], 404)
    equal(curl(berth, "t", "/1.0/projects/none")["error_code"], 404)
    users = curl(berth, "t", "/1.0/storage-pools/default")["metadata"]["used_by"]
    equal([user for user in users if "project=lab" not in user], [])
    bad(client(berth, "t", "copy", "me:hidden", "me:stolen", "--project", "default", "--target-project", "lab"), "not authorized")
    body = json.dumps({"name": "stolen", "source": {"type": "copy", "source": "hidden", "project": "default"}})
    refused = curl(berth, "t", "/1.0/instances?project=lab", "-X", "POST", "-d", body)
    equal(refused["error_code"], 404, refused)


@case("It changes neither the server, nor projects, nor who is trusted")
def _(berth):
    good(berth.lxc("config", "set", "user.note", "secret"))
    shown = curl(berth, "t", "/1.0")["metadata"]
    equal((shown["auth"], shown["config"]), ("trusted", {}))
    bad(client(berth, "t", "config", "set", "me:", "user.x", "y"), "not authorized")
    bad(client(berth, "t", "project", "create", "me:mine"), "not authorized")
    bad(client(berth, "t", "project", "set", "me:lab", "user.x=y"), "not authorized")
    bad(client(berth, "t", "project", "delete", "me:lab"), "not authorized")
    equal(curl(berth, "t", "/1.0/certificates", "-X", "POST", "-d", '{"token": true, "name": "friend"}')["error_code"], 403)
    rows = json.loads(good(client(berth, "t", "config", "trust", "list", "me:", "--format", "json")))
    equal([row["name"] for row in rows], ["tenant"])
    bad(client(berth, "t", "profile", "set", "me:default", "security.privileged", "true"), "reaches the host")


@case("It replaces its own certificate, and nothing else of it")
def _(berth):
    path = f"/1.0/certificates/{own_print(berth, 'tenant')}"
    for change in ({"restricted": False}, {"projects": ["lab", "default"]}, {"name": "admin"}):
        refused = curl(berth, "t", path, "-X", "PATCH", "-d", json.dumps(change))
        equal((refused["error_code"], refused["error"]), (403, "Only the certificate can be changed"))
    os.makedirs(folder(berth, "next"))
    openssl(berth, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-days", "30", "-subj", "/CN=next",
            "-keyout", f"{folder(berth, 'next')}/client.key", "-out", f"{folder(berth, 'next')}/client.crt")
    with open(f"{folder(berth, 'next')}/client.crt", encoding="utf-8") as file:
        body = json.dumps({"certificate": file.read()})
    equal(curl(berth, "t", path, "-X", "PATCH", "-d", body)["status_code"], 200)
    equal(curl(berth, "t", "/1.0")["metadata"]["auth"], "untrusted", "the old one")
    equal(curl(berth, "next", "/1.0/instances?project=lab")["metadata"], ["/1.0/instances/c1?project=lab"], "the new one")


@case("It follows its project's name, and loses the project with its certificate's row")
def _(berth):
    good(berth.lxc("project", "create", "empty"))
    good(berth.lxc("config", "trust", "add", f"{folder(berth, 't')}/client.crt", "--name", "again", "--restricted", "--projects", "empty"))
    equal(curl(berth, "t", "/1.0/instances?project=empty")["metadata"], [])
    good(berth.lxc("project", "rename", "empty", "vacant"))
    equal(curl(berth, "t", "/1.0/instances?project=vacant")["metadata"], [])
    equal(curl(berth, "t", "/1.0/instances?project=empty")["error_code"], 403)
    good(berth.lxc("project", "delete", "vacant"))
    good(berth.lxc("project", "create", "vacant"))
    equal(curl(berth, "t", "/1.0/instances?project=vacant")["error_code"], 403, "another project of the same name")
    shown = good(berth.lxc("config", "trust", "show", own_print(berth, "again")[:12]))
    contains(shown, "restricted: true\nprojects: []")
    text = shown.replace("projects: []", "projects: [vacant]")
    good(berth.lxc("config", "trust", "edit", own_print(berth, "again")[:12], stdin=text))
    equal(curl(berth, "t", "/1.0/instances?project=vacant")["metadata"], [])


@case("A token of core.remote_token_expiry has its end")
def _(berth):
    bad(berth.lxc("config", "set", "core.remote_token_expiry", "soon"), "core.remote_token_expiry")
    good(berth.lxc("config", "set", "core.remote_token_expiry", "1d"))
    good(berth.lxc("config", "trust", "add", "--name", "late"))
    listed = json.loads(good(berth.lxc("config", "trust", "list-tokens", "--format", "json")))
    equal(len(listed), 1)
    equal(listed[0]["ExpiresAt"].startswith("20"), True, listed)
    good(berth.lxc("config", "trust", "revoke-token", "late"))
    good(berth.lxc("config", "unset", "core.remote_token_expiry"))


def authority(berth):
    return f"{berth.work}/authority"


def sign(berth, who):
    """A client's certificate that the authority has signed."""
    home, place = folder(berth, who), authority(berth)
    os.makedirs(home, exist_ok=True)
    openssl(berth, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-subj", f"/CN={who}",
            "-keyout", f"{home}/client.key", "-out", f"{home}/client.csr")
    openssl(berth, "x509", "-req", "-in", f"{home}/client.csr", "-CA", f"{place}/ca.crt", "-CAkey", f"{place}/ca.key", "-CAcreateserial",
            "-days", "30", "-out", f"{home}/client.crt")


def revoke(berth, *who):
    place = authority(berth)
    ca = ["ca", "-config", f"{place}/ca.conf", "-keyfile", f"{place}/ca.key", "-cert", f"{place}/ca.crt"]
    for each in who:
        openssl(berth, *ca, "-revoke", f"{folder(berth, each)}/client.crt")
    openssl(berth, *ca, "-gencrl", "-out", f"{place}/new.crl")
    os.rename(f"{place}/new.crl", f"{berth.dir}/state/ca.crl")


@case("With server.ca the server serves clients of its authority alone, at once and whoever is in the store")
def _(berth):
    place = authority(berth)
    os.makedirs(place)
    openssl(berth, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-days", "30", "-subj", "/CN=authority",
            "-keyout", f"{place}/ca.key", "-out", f"{place}/ca.crt")
    with open(f"{place}/ca.conf", "w", encoding="utf-8") as file:
        file.write(f"[ca]\ndefault_ca=c\n[c]\ndatabase={place}/index.txt\ncrlnumber={place}/number\ndefault_md=sha256\ndefault_crl_days=30\n")
    for name, text in (("index.txt", ""), ("number", "01\n")):
        with open(f"{place}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    with open(f"{place}/ca.crt", encoding="utf-8") as source, open(f"{berth.dir}/state/server.ca", "w", encoding="utf-8") as file:
        file.write(source.read())
    until(lambda: curl(berth, "t", "/1.0").get("error_code") == 403, "the authority")
    equal(curl(berth, "next", "/1.0/instances?project=lab")["error_code"], 403, "one of the store")
    equal(curl(berth, "", "/1.0")["error_code"], 403, "one without a certificate")


@case("A client of the authority is a stranger until it is added, or until core.trust_ca_certificates")
def _(berth):
    for who in ("signed", "second"):
        sign(berth, who)
    equal(curl(berth, "signed", "/1.0")["metadata"]["auth"], "untrusted")
    good(berth.lxc("config", "set", "core.trust_password", "sesame"))
    good(client(berth, "signed", "remote", "add", "me", ADDRESS, "--accept-certificate", "--password", "sesame"))
    contains(good(client(berth, "signed", "list", "me:")), "hidden")
    equal(curl(berth, "second", "/1.0")["metadata"]["auth"], "untrusted")
    good(berth.lxc("config", "set", "core.trust_ca_certificates", "true"))
    equal(curl(berth, "second", "/1.0")["metadata"]["auth"], "trusted")
    good(client(berth, "second", "remote", "add", "me", ADDRESS, "--accept-certificate"))
    contains(good(client(berth, "second", "list", "me:")), "hidden")
    equal(curl(berth, "next", "/1.0")["error_code"], 403, "one it has not signed")


@case("The restrictions of a client that the authority has signed hold")
def _(berth):
    sign(berth, "kept")
    good(berth.lxc("config", "trust", "add", f"{folder(berth, 'kept')}/client.crt", "--name", "kept", "--restricted", "--projects", "lab"))
    equal(curl(berth, "kept", "/1.0/instances")["error_code"], 403)
    equal(curl(berth, "kept", "/1.0/instances?project=lab")["metadata"], ["/1.0/instances/c1?project=lab"])


@case("ca.crl shuts a client out at once, on connections that are open, too; a list that cannot be read, everybody")
def _(berth):
    revoke(berth, "second")
    until(lambda: curl(berth, "second", "/1.0").get("error_code") == 403, "the revocation")
    good(client(berth, "signed", "list", "me:"))
    with open(f"{berth.dir}/state/ca.crl", "w", encoding="utf-8") as file:
        file.write("no list\n")
    until(lambda: curl(berth, "signed", "/1.0").get("error_code") == 403, "the damage")
    revoke(berth)
    until(lambda: curl(berth, "signed", "/1.0")["error_code"] == 0, "the repair")
    equal(curl(berth, "second", "/1.0")["error_code"], 403)


@case("A daemon that starts anew has the same authority; without the files everything is as before")
def _(berth):
    os.kill(int(berth.pids()["berthd"]), 9)
    until(lambda: client(berth, "signed", "list", "me:").code == 0, "the client after a crash")
    equal(curl(berth, "next", "/1.0")["error_code"], 403)
    for name in ("server.ca", "ca.crl"):
        os.unlink(f"{berth.dir}/state/{name}")
    until(lambda: (curl(berth, "next", "/1.0")["metadata"] or {}).get("auth") == "trusted", "the store alone")
    equal(curl(berth, "second", "/1.0")["metadata"]["auth"], "untrusted", "whom the authority alone vouched for")


if __name__ == "__main__":
    sys.exit(1 if run_cases(Instance()) else 0)
