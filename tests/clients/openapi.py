#!/usr/bin/python3
"""The API's OpenAPI document against what a private Berth takes and answers: every operation of it is asked for here."""

import base64
import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.parse

import jsonschema

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, Rest, case, contains, equal, good, run_cases, until  # noqa: E402  pylint: disable=wrong-import-position

BUILD = os.environ.get("BERTH_BUILD", os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "build"))
# Debian's package openapi-specification.
OFFICIAL = "/usr/share/openapi-specification/schemas/v3.0/schema.json"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
JSON = "application/json"
ADDRESS = "127.0.0.1:18443"


class Document:
    """The document, and which of its operations were asked for."""

    def __init__(self, text):
        self.root = json.loads(text)
        self.asked = set()

    def resolve(self, node):
        while "$ref" in node:
            place = self.root
            for step in node["$ref"].removeprefix("#/").split("/"):
                place = place[step]
            node = place
        return node

    def strict(self, node):
        """The schema in JSON Schema's own words, references replaced, and no members allowed that are not described."""
        node = dict(self.resolve(node))
        for part in map(self.strict, node.pop("allOf", [])):
            node = {**part, **node, "properties": {**part["properties"], **node.get("properties", {})},
                    "required": part.get("required", []) + node.get("required", [])}
        if "anyOf" in node:
            node["anyOf"] = [self.strict(one) for one in node["anyOf"]]
        if "items" in node:
            node["items"] = self.strict(node["items"])
        if isinstance(node.get("additionalProperties"), dict):
            node["additionalProperties"] = self.strict(node["additionalProperties"])
        if "properties" in node:
            node["properties"] = {name: self.strict(one) for name, one in node["properties"].items()}
            node["additionalProperties"] = False
        if node.get("format") == "date-time":
            node["pattern"] = TIME
        return {"anyOf": [node, {"type": "null"}]} if node.pop("nullable", False) else node

    def check(self, what, content, value):
        validator = jsonschema.Draft4Validator(self.strict(content["schema"]))
        errors = [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in validator.iter_errors(value)]
        if errors:
            raise AssertionError(f"{what}: {errors[:5]}")

    def operation(self, method, url):
        """The template of the path, and its operation."""
        asked = url.split("?")[0].split("/")
        best = None
        for template, methods in self.root["paths"].items():
            parts = template.split("/")
            if len(parts) == len(asked) and all(part.startswith("{") or part == given for part, given in zip(parts, asked)):
                if method.lower() in methods and (best is None or best.count("{") > template.count("{")):
                    best = template
        if best is None:
            raise AssertionError(f"{method} {url} is not in the document")
        return best, self.root["paths"][best][method.lower()]

    def check_request(self, method, url, body, headers):
        _, operation = self.operation(method, url)
        described = [self.resolve(one) for one in operation.get("parameters", [])]
        known = {one["name"] for one in described if one["in"] == "query"}
        equal({name for name, _ in urllib.parse.parse_qsl(url.partition("?")[2], keep_blank_values=True)} - known, set(), f"queries of {method} {url}")
        sent = {name.lower() for name in headers if name.lower().startswith("x-lxd-") or name == "If-Match"}
        equal(sent - {one["name"].lower() for one in described if one["in"] == "header"}, set(), f"headers of {method} {url}")
        if body is not None:
            self.check(f"request of {method} {url}", operation["requestBody"]["content"][JSON], body)

    def check_answer(self, method, url, status, headers, raw):
        template, operation = self.operation(method, url)
        if status < 400:
            self.asked.add((method, template))
        response = self.resolve(operation["responses"].get(str(status)) or operation["responses"]["default"])
        if status < 400 and str(status) not in operation["responses"]:
            raise AssertionError(f"{method} {url}: {status} is not described")
        for name in response.get("headers", {}):
            contains({header.lower() for header in headers}, name.lower())
        content = response.get("content")
        if method == "HEAD" or content is None:
            return None
        kind = headers.get("Content-Type", "").split(";")[0]
        contains(content, kind)
        if kind != JSON:
            return raw
        value = json.loads(raw)
        if status >= 400:
            equal(value["error_code"], status)
        self.check(f"{status} of {method} {url}", content[kind], value)
        return value


class Checked(Rest):
    """Asks, and holds what is sent and what comes against the document."""

    def __init__(self, path, document):
        super().__init__(path)
        self.document = document
        self.headers = {}

    def ask(self, method, path, body=None, status=None, headers=None, raw=None):  # pylint: disable=arguments-differ
        headers = dict(headers or {})
        self.document.check_request(method, path, body, headers)
        if body is not None:
            headers.setdefault("Content-Type", JSON)
        self.request(method, path, json.dumps(body) if body is not None else raw, headers)
        answer = self.getresponse()
        text = answer.read()
        if status is not None:
            equal((answer.status, text[:300] if answer.status != status else b""), (status, b""), f"{method} {path}")
        self.headers = dict(answer.getheaders())
        return self.document.check_answer(method, path, answer.status, self.headers, text)

    def run(self, method, path, body=None, **more):
        """An async request and the end of its operation, which must be a success."""
        accepted = self.ask(method, path, body, status=202, **more)
        done = self.ask("GET", f"{accepted['operation']}/wait?timeout=60", status=200)["metadata"]
        equal((done["status"], done["err"]), ("Success", ""), f"{method} {path}")
        return done

    def upgrade(self, path, protocol="websocket"):
        """The status of a handshake."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(20)
            wire.connect(self.path)
            wire.sendall(f"GET {path} HTTP/1.1\r\nHost: berth\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
            status = int(wire.recv(4096).split()[1])
        self.document.check_request("GET", path, None, {})
        self.document.check_answer("GET", path, status, {}, b"")
        return status


@case("The document passes the official schema of OpenAPI 3.0")
def _(_, rest):
    with open(OFFICIAL, encoding="utf-8") as file:
        official = jsonschema.Draft4Validator(json.load(file))
    equal([f"{list(error.absolute_path)}: {error.message[:200]}" for error in official.iter_errors(rest.document.root)][:5], [])


@case("It describes the routes of the bridge that are served, and no others")
def _(_, rest):
    routes = subprocess.run([f"{BUILD}/rest-bridge/berth-rest", "--routes"], check=True, capture_output=True, text=True).stdout
    served = {tuple(line.replace("...}", "}").split()[:2]) for line in routes.splitlines() if " 501: " not in line}
    described = {(method.upper(), path) for path, methods in rest.document.root["paths"].items() for method in methods}
    equal(described, served)


@case("Every client gets it, as it is, with a tag")
def _(_, rest):
    equal(rest.ask("GET", "/1.0/openapi.json", status=200), rest.document.root)
    contains(rest.headers, "ETag")


@case("The server")
def _(_, rest):
    equal(rest.ask("GET", "/", status=200)["metadata"], ["/1.0"])
    rest.ask("GET", "/1.0", status=200)
    tag = rest.headers["ETag"]
    rest.ask("PATCH", "/1.0", {"config": {"core.https_address": ADDRESS}}, status=200, headers={"If-Match": tag})
    rest.ask("PATCH", "/1.0", {"config": {"no.such": "1"}}, status=400)
    rest.ask("PATCH", "/1.0", {"config": {}}, status=412, headers={"If-Match": tag})
    rest.ask("PUT", "/1.0", {"config": {"core.https_address": ADDRESS}}, status=200)
    rest.ask("GET", "/1.0/resources", status=200)


@case("A stranger over HTTPS gets the document too, and what the server tells strangers")
def _(berth, rest):
    def ask(path):
        return good(berth.run("curl", "-sk", "--max-time", "20", f"https://{ADDRESS}{path}"))
    equal(json.loads(ask("/1.0/openapi.json")), rest.document.root)
    seen = rest.document.check_answer("GET", "/1.0", 200, {"Content-Type": JSON, "ETag": ""}, ask("/1.0"))
    equal((seen["metadata"]["auth"], "config" in seen["metadata"]), ("untrusted", False))


@case("Images and aliases")
def _(berth, rest):
    with open(berth.make_image("bb.tar.gz", "--busybox"), "rb") as file:
        image = file.read()
    made = rest.run("POST", "/1.0/images", raw=image, headers={"Content-Type": "application/octet-stream", "X-LXD-filename": "bb.tar.gz",
                                                              "X-LXD-public": "true", "X-LXD-properties": "a=b", "X-LXD-profiles": "profile=default"})
    rest.ask("POST", "/1.0/images", {"source": {"type": "instance", "name": ""}}, status=400)
    fingerprint = made["metadata"]["fingerprint"]
    url = f"/1.0/images/{fingerprint}"
    for query in ("", "?recursion=1", "?recursion=1&filter=properties.a%20eq%20b"):
        equal(len(rest.ask("GET", f"/1.0/images{query}", status=200)["metadata"]), 1)
    rest.ask("GET", f"/1.0/images/{'f' * 64}", status=404)
    rest.ask("GET", url, status=200)
    rest.ask("PUT", url, {"properties": {"a": "c"}, "public": False, "auto_update": False, "expires_at": None}, status=200,
             headers={"If-Match": rest.headers["ETag"]})
    rest.ask("PATCH", url, {"public": True}, status=200)
    equal(rest.ask("GET", f"{url}/export", status=200), image)
    secret = rest.ask("POST", f"{url}/secret", status=202)["metadata"]["metadata"]["secret"]
    rest.ask("GET", f"{url}?secret={secret}", status=200)
    rest.ask("POST", f"{url}/refresh", status=202)
    rest.ask("POST", "/1.0/images/aliases", {"name": "bb", "target": fingerprint, "description": "d"}, status=201)
    for query in ("", "?recursion=1"):
        equal(len(rest.ask("GET", f"/1.0/images/aliases{query}", status=200)["metadata"]), 1)
    rest.ask("GET", "/1.0/images/aliases/bb", status=200)
    rest.ask("PUT", "/1.0/images/aliases/bb", {"target": fingerprint, "description": ""}, status=200)
    rest.ask("PATCH", "/1.0/images/aliases/bb", {"description": "e"}, status=200)
    rest.ask("POST", "/1.0/images/aliases/bb", {"name": "b2"}, status=201)
    rest.ask("DELETE", "/1.0/images/aliases/b2", status=200)
    rest.ask("POST", "/1.0/images/aliases", {"name": "bb", "target": fingerprint}, status=201)


@case("Profiles, projects, storage pools and certificates")
def _(_, rest):
    rest.ask("POST", "/1.0/profiles", {"name": "p", "description": "d", "config": {"user.x": "1"}, "devices": {}}, status=201)
    for query in ("", "?recursion=1", "?recursion=1&filter=name%20eq%20p"):
        rest.ask("GET", f"/1.0/profiles{query}", status=200)
    rest.ask("GET", "/1.0/profiles/p", status=200)
    rest.ask("PUT", "/1.0/profiles/p", {"config": {}, "devices": {}, "description": ""}, status=200, headers={"If-Match": rest.headers["ETag"]})
    rest.ask("PATCH", "/1.0/profiles/p", {"config": {"user.y": "2"}}, status=200)
    rest.ask("POST", "/1.0/profiles/p", {"name": "q"}, status=201)
    rest.ask("DELETE", "/1.0/profiles/q", status=200)
    rest.ask("DELETE", "/1.0/profiles/default", status=403)

    rest.ask("POST", "/1.0/projects", {"name": "pr", "config": {"features.images": "false"}}, status=201)
    for query in ("", "?recursion=1"):
        equal(len(rest.ask("GET", f"/1.0/projects{query}", status=200)["metadata"]), 2)
    project = rest.ask("GET", "/1.0/projects/pr", status=200)["metadata"]
    rest.ask("PUT", "/1.0/projects/pr", {"description": "d", "config": project["config"]}, status=200)
    rest.ask("PATCH", "/1.0/projects/pr", {"description": "e"}, status=200)
    rest.ask("GET", "/1.0/projects/pr/state", status=200)
    rest.run("POST", "/1.0/projects/pr", {"name": "pr2"})
    rest.ask("GET", "/1.0/instances?project=pr2", status=200)
    rest.ask("DELETE", "/1.0/projects/pr2", status=200)

    for query in ("", "?recursion=1"):
        equal(len(rest.ask("GET", f"/1.0/storage-pools{query}", status=200)["metadata"]), 1)
    rest.ask("GET", "/1.0/storage-pools/default", status=200)
    rest.ask("GET", "/1.0/storage-pools/default/resources", status=200)

    token = rest.ask("POST", "/1.0/certificates", {"name": "t", "type": "client", "token": True}, status=202)
    rest.ask("GET", token["operation"], status=200)
    rest.ask("DELETE", token["operation"], status=200)
    pem = rest.ask("GET", "/1.0")["metadata"]["environment"]["certificate"]
    der = ssl.PEM_cert_to_DER_cert(pem)
    rest.ask("POST", "/1.0/certificates", {"name": "c", "type": "client", "certificate": base64.b64encode(der).decode()}, status=201)
    url = rest.headers["Location"]
    for query in ("", "?recursion=1"):
        equal(len(rest.ask("GET", f"/1.0/certificates{query}", status=200)["metadata"]), 1)
    rest.ask("GET", url, status=200)
    rest.ask("PUT", url, {"name": "d", "type": "client"}, status=200)
    rest.ask("PATCH", url, {"name": "e"}, status=200)
    rest.ask("DELETE", url, status=200)


@case("An instance, its state, commands, files and templates")
def _(_, rest):
    rest.run("POST", "/1.0/instances", {"name": "c0", "source": {"type": "image", "alias": "bb"}, "config": {"user.x": "1"}, "profiles": ["default"]})
    rest.run("PUT", "/1.0/instances/c0/state", {"action": "start", "timeout": 30})
    for query in ("", "?recursion=1", "?recursion=2", "?all-projects=true&recursion=1", "?filter=name%20eq%20c0&recursion=2",
                  "?instance-type=container"):
        equal(len(rest.ask("GET", f"/1.0/instances{query}", status=200)["metadata"]), 1)
    equal(rest.ask("GET", "/1.0/instances/c0/state", status=200)["metadata"]["status"], "Running")
    rest.ask("GET", "/1.0/instances/none", status=404)
    instance = rest.ask("GET", "/1.0/instances/c0", status=200)["metadata"]
    rest.ask("PATCH", "/1.0/instances/c0", {"config": {"user.z": "3"}}, status=200, headers={"If-Match": rest.headers["ETag"]})
    rest.run("PUT", "/1.0/instances/c0", {"config": instance["config"], "devices": {}, "profiles": ["default"], "ephemeral": False})
    rest.ask("GET", "/1.0/instances/c0?recursion=1", status=200)
    rest.ask("POST", "/1.0/instances/c0", {"migration": True, "project": "nowhere"}, status=404)

    run = rest.ask("POST", "/1.0/instances/c0/exec", {"command": ["true"], "wait-for-websocket": True, "interactive": False}, status=202)
    equal(rest.upgrade(f"{run['operation']}/websocket?secret={run['metadata']['metadata']['fds']['0']}"), 101)
    rest.run("POST", "/1.0/instances/c0/exec", {"command": ["echo", "said"], "record-output": True, "environment": {"A": "b"}})
    rest.ask("POST", "/1.0/instances/c0/exec", {"command": []}, status=400)
    rest.ask("POST", "/1.0/instances/c0/console", {"type": "console", "width": 80, "height": 24}, status=202)
    # The guest writes its prompt once, and nothing after it.
    until(lambda: b"login:" in rest.ask("GET", "/1.0/instances/c0/console", status=200), "the guest's prompt")
    rest.ask("DELETE", "/1.0/instances/c0/console", status=200)
    equal(rest.ask("GET", "/1.0/instances/c0/console", status=200), b"")
    logs = rest.ask("GET", "/1.0/instances/c0/logs", status=200)["metadata"]
    rest.ask("GET", logs[0], status=200)
    output = next(log for log in logs if log.endswith(".stdout"))
    rest.ask("DELETE", output, status=200)
    rest.ask("DELETE", output, status=404)
    rest.ask("DELETE", "/1.0/instances/c0/logs/lxc.conf", status=400)
    equal(rest.upgrade("/1.0/events?type=operation"), 101)
    equal(rest.upgrade("/1.0/instances/c0/sftp", "sftp"), 101)

    files = "/1.0/instances/c0/files?path="
    rest.ask("POST", f"{files}/tmp/f", raw=b"content", status=200, headers={"X-LXD-type": "file", "X-LXD-mode": "0640", "X-LXD-uid": "1", "X-LXD-gid": "2",
                                                                            "X-LXD-write": "overwrite"})
    equal(rest.ask("GET", f"{files}/tmp/f", status=200), b"content")
    contains(rest.ask("GET", f"{files}/tmp", status=200)["metadata"], "f")
    rest.ask("HEAD", f"{files}/tmp/f", status=200)
    equal(rest.headers["X-LXD-mode"], "0640")
    rest.ask("DELETE", f"{files}/tmp/f", status=200)
    rest.ask("GET", f"{files}/tmp/f", status=404)

    meta = "/1.0/instances/c0/metadata"
    metadata = rest.ask("GET", meta, status=200)["metadata"]
    rest.ask("PUT", meta, metadata, status=200, headers={"If-Match": rest.headers["ETag"]})
    rest.ask("PATCH", meta, {"properties": {"a": "b"}}, status=200)
    for method in ("POST", "PUT"):
        rest.ask(method, f"{meta}/templates?path=t.tpl", raw=b"{{ x }}", status=200)
    contains(rest.ask("GET", f"{meta}/templates", status=200)["metadata"], "t.tpl")
    equal(rest.ask("GET", f"{meta}/templates?path=t.tpl", status=200), b"{{ x }}")
    rest.ask("DELETE", f"{meta}/templates?path=t.tpl", status=200)


@case("Snapshots, backups, copies, operations, and the end of an instance")
def _(_, rest):
    snapshots = "/1.0/instances/c0/snapshots"
    rest.run("POST", snapshots, {"name": "s0", "expires_at": None})
    for query in ("", "?recursion=1"):
        equal(len(rest.ask("GET", f"{snapshots}{query}", status=200)["metadata"]), 1)
    rest.ask("GET", f"{snapshots}/s0", status=200)
    rest.run("PUT", f"{snapshots}/s0", {"expires_at": "2100-01-01T00:00:00Z"}, headers={"If-Match": rest.headers["ETag"]})
    rest.run("PATCH", f"{snapshots}/s0", {"expires_at": None})
    rest.run("POST", f"{snapshots}/s0", {"name": "s1"})

    backups = "/1.0/instances/c0/backups"
    rest.run("POST", backups, {"name": "b0", "instance_only": True, "compression_algorithm": "none"})
    for query in ("", "?recursion=1"):
        equal(len(rest.ask("GET", f"{backups}{query}", status=200)["metadata"]), 1)
    rest.ask("GET", f"{backups}/b0", status=200)
    rest.run("POST", f"{backups}/b0", {"name": "b1"})
    archive = rest.ask("GET", f"{backups}/b1/export", status=200)
    rest.ask("GET", "/1.0/instances?recursion=2", status=200)
    rest.run("POST", "/1.0/instances", raw=archive, headers={"Content-Type": "application/octet-stream", "X-LXD-name": "c1", "X-LXD-pool": "default"})
    rest.run("DELETE", f"{backups}/b1")
    rest.run("POST", "/1.0/instances", {"name": "c2", "source": {"type": "copy", "source": "c0/s1", "instance_only": True}})
    rest.run("POST", "/1.0/instances/c2", {"name": "c3"})
    rest.run("PUT", "/1.0/instances", {"state": {"action": "freeze"}})
    for query in ("", "?recursion=1"):
        contains(rest.ask("GET", f"/1.0/operations{query}", status=200)["metadata"], "success")
    rest.run("PUT", "/1.0/instances/c0/state", {"action": "stop", "force": True, "timeout": 20})
    rest.ask("GET", "/1.0/instances/c0?recursion=1", status=200)
    rest.run("POST", "/1.0/images", {"source": {"type": "instance", "name": "c0"}, "properties": {"p": "q"}, "aliases": [{"name": "made"}]})
    rest.run("DELETE", f"/1.0/images/{rest.ask('GET', '/1.0/images/aliases/made')['metadata']['target']}")
    rest.run("DELETE", f"{snapshots}/s1")
    for name in ("c0", "c1", "c3"):
        rest.run("DELETE", f"/1.0/instances/{name}")


@case("Every operation of the document was asked for")
def _(_, rest):
    described = {(method.upper(), path) for path, methods in rest.document.root["paths"].items() for method in methods}
    equal(described - rest.document.asked, set())


def main():
    berth = Instance()
    plain = Rest(f"{berth.dir}/run/unix.socket")
    plain.request("GET", "/1.0/openapi.json")
    document = Document(plain.getresponse().read())
    return 1 if run_cases(berth, Checked(f"{berth.dir}/run/unix.socket", document)) else 0


if __name__ == "__main__":
    sys.exit(main())
