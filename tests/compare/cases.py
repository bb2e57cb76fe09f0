"""The requests that tools/compare sends to both servers, in order. Each is Case(method, url, body, ...); what a request needs of
earlier answers stands in braces: {fp} the fingerprint of the image, {etag} the tag of the last answer that had one."""

import dataclasses


@dataclasses.dataclass
class Case:
    method: str
    url: str
    body: object = None           # an object is sent as JSON, bytes as they are
    headers: dict = dataclasses.field(default_factory=dict)
    wait: bool = True             # an operation that is announced is waited for, and its end compared too
    upload: bool = False          # the image file is the body


def get(*urls):
    return [Case("GET", url) for url in urls]


def each(method, url, *bodies, headers=None):
    return [Case(method, url, body, headers or {}) for body in bodies]


def state(name, action, **more):
    return Case("PUT", f"/1.0/instances/{name}/state", {"action": action, "timeout": 20, **more})


COLLECTIONS = ("instances", "containers", "images", "images/aliases", "profiles", "storage-pools", "operations", "projects",
               "certificates", "networks")

SERVER = [
    *get("/", "/1.0", "/1.0/", "/2.0", "/1.0/nothing", "/1.0//instances", "/1.0/instances/", "/1.0/Instances"),
    Case("PATCH", "/1.0/operations"), Case("OPTIONS", "/1.0"), Case("HEAD", "/1.0"), Case("DELETE", "/1.0"),
    Case("BREW", "/1.0"), Case("POST", "/1.0"), Case("PUT", "/1.0/operations"), Case("POST", "/1.0/events"),
    Case("GET", "/1.0", b"null"), *get("/1.0?project=default", "/1.0?nonsense=1"),
    *each("PATCH", "/1.0", {}, {"config": {}}, {"config": {"no.such": "1"}}, {"config": {"user.x": 5}}, {"config": []}, [], b"nonsense"),
    Case("PATCH", "/1.0", {"config": {}}, {"If-Match": "wrong"}),
]

LISTS = [case for name in COLLECTIONS for case in get(f"/1.0/{name}", f"/1.0/{name}?recursion=1", f"/1.0/{name}?recursion=0",
                                                      f"/1.0/{name}?recursion=x")]

IMAGES = [
    Case("POST", "/1.0/images", b"not an image", {"Content-Type": "application/octet-stream"}),
    Case("POST", "/1.0/images", {}), Case("POST", "/1.0/images", {"source": {"type": "what"}}),
    Case("POST", "/1.0/images", None, {"Content-Type": "application/octet-stream", "X-LXD-filename": "bb.tar.gz", "X-LXD-public": "1",
                                       "X-LXD-properties": "a=b&os=test"}, upload=True),
    Case("POST", "/1.0/images", None, {"Content-Type": "application/octet-stream"}, upload=True),
    Case("POST", "/1.0/images", None, {"Content-Type": "application/octet-stream", "X-LXD-fingerprint": "00" * 32}, upload=True),
    *get("/1.0/images/{fp}", "/1.0/images/{fp12}", "/1.0/images/ffffffffffff", "/1.0/images/x", "/1.0/images?filter=",
         "/1.0/images?recursion=1&filter=properties.os%20eq%20test", "/1.0/images?filter=properties.os%20eq%20other",
         "/1.0/images?recursion=1&filter=public%20eq%20true", "/1.0/images?filter=bad%20grammar%20here", "/1.0/images?filter=a%20eq"),
    *each("POST", "/1.0/images/aliases", {"name": "bb", "target": "{fp}", "description": "first"}, {"name": "bb", "target": "{fp}"},
          {"name": "cc", "target": "00" * 12}, {"name": "", "target": "{fp}"}, {"name": "dd"}, {"target": "{fp}"}, {"name": 5, "target": "{fp}"}, {}),
    *get("/1.0/images/aliases/bb", "/1.0/images/aliases/nope", "/1.0/images/aliases", "/1.0/images/aliases?recursion=1"),
    *each("PUT", "/1.0/images/aliases/bb", {"target": "{fp}", "description": "second"}, {"description": "no target"}, {"target": "00" * 12}),
    Case("PUT", "/1.0/images/aliases/bb", {"target": "{fp}", "description": "x"}, {"If-Match": "wrong"}),
    *each("PATCH", "/1.0/images/aliases/bb", {"description": "third"}),
    *each("POST", "/1.0/images/aliases/bb", {"name": "bb2"}, {"name": ""}), Case("GET", "/1.0/images/aliases/bb2"),
    Case("POST", "/1.0/images/aliases/bb2", {"name": "bb"}), Case("DELETE", "/1.0/images/aliases/nope"),
    Case("POST", "/1.0/images/aliases", {"name": "with/slash", "target": "{fp}"}), *get("/1.0/images/aliases/with/slash",
                                                                                     "/1.0/images/aliases/with%2Fslash"),
    Case("DELETE", "/1.0/images/aliases/with/slash"),
    Case("PATCH", "/1.0/images/{fp}", {"properties": {"colour": "red"}}, {"If-Match": "wrong"}), Case("GET", "/1.0/images/{fp}"),
    Case("PATCH", "/1.0/images/{fp}", {"properties": {"colour": "red"}}, {"If-Match": "{etag}"}), Case("GET", "/1.0/images/{fp}"),
    *each("PUT", "/1.0/images/{fp}", {"public": False, "auto_update": False, "properties": {"os": "test"}}, {"properties": {"x": 5}}),
    Case("GET", "/1.0/images/{fp}"), Case("PATCH", "/1.0/images/{fp}", {"public": "yes"}), Case("DELETE", "/1.0/images/ffffffffffff"),
    Case("PUT", "/1.0/images/ffffffffffff", {}), Case("PATCH", "/1.0/images/ffffffffffff", {}),
]

CREATE = [
    *each("POST", "/1.0/instances", {}, {"name": "x"}, {"name": "-bad-", "source": {"type": "none"}},
          {"name": "a" * 64, "source": {"type": "none"}}, {"name": "under_score", "source": {"type": "none"}},
          {"name": "1x", "source": {"type": "none"}}, {"name": "x/y", "source": {"type": "none"}}, {"name": 7, "source": {"type": "none"}},
          {"name": "x", "source": {"type": "image", "alias": "nope"}}, {"name": "x", "source": {"type": "image", "fingerprint": "ffff"}},
          {"name": "x", "source": {"type": "image"}}, {"name": "x", "source": {"type": "what"}}, {"name": "x", "source": "image"},
          {"name": "x", "profiles": ["nope"], "source": {"type": "none"}}, {"name": "x", "profiles": "default", "source": {"type": "none"}},
          {"name": "x", "config": {"limits.memory": "lots"}, "source": {"type": "none"}},
          {"name": "x", "config": {"no.such.key": "1"}, "source": {"type": "none"}},
          {"name": "x", "config": {"boot.autostart": "maybe"}, "source": {"type": "none"}},
          {"name": "x", "config": {"boot.autostart": True}, "source": {"type": "none"}},
          {"name": "x", "devices": {"d": {"type": "what"}}, "source": {"type": "none"}},
          {"name": "x", "devices": {"d": {}}, "source": {"type": "none"}},
          {"name": "x", "architecture": "pdp11", "source": {"type": "none"}}, {"name": "x", "type": "what", "source": {"type": "none"}},
          {"name": "x", "ephemeral": "yes", "source": {"type": "none"}}, {"name": "x", "profiles": [], "source": {"type": "none"}}, b"{nonsense"),
    Case("POST", "/1.0/instances", {"name": "c1", "description": "one", "config": {"user.a": "b", "limits.cpu": "1"},
                                    "source": {"type": "image", "alias": "bb"}}),
    Case("POST", "/1.0/instances", {"name": "c1", "source": {"type": "image", "alias": "bb"}}),
    Case("POST", "/1.0/containers", {"name": "c2", "ephemeral": True, "source": {"type": "image", "fingerprint": "{fp12}"}}),
    Case("POST", "/1.0/instances", {"name": "empty", "source": {"type": "none"}, "unknown": {"member": 1}}),
    Case("POST", "/1.0/instances", {"name": "props", "source": {"type": "image", "properties": {"os": "test"}}}),
    Case("POST", "/1.0/instances", {"name": "virtual", "type": "virtual-machine", "source": {"type": "none"}}, wait=False),
]


def looked_at(name):
    return get(*(f"/1.0/{tree}/{name}{rest}" for tree in ("instances", "containers") for rest in ("", "/state", "?recursion=1")),
               f"/1.0/instances/{name}/logs", f"/1.0/instances/{name}/snapshots", f"/1.0/instances/{name}/snapshots?recursion=1",
               f"/1.0/instances/{name}/backups", f"/1.0/instances/{name}/metadata", f"/1.0/instances/{name}/metadata/templates",
               *(f"/1.0/{tree}?recursion={depth}" for tree in ("instances", "containers") for depth in (0, 1, 2)),
               "/1.0/instances?filter=name%20eq%20" + name, "/1.0/instances?recursion=1&filter=status%20eq%20Running",
               "/1.0/instances?filter=config.user.a%20eq%20b", "/1.0/instances?recursion=2&filter=", "/1.0/instances?instance-type=container",
               "/1.0/instances?instance-type=virtual-machine", "/1.0/instances?instance-type=what",
               "/1.0/instances?all-projects=true&recursion=1")


STOPPED = [
    *looked_at("c1"), *get("/1.0/instances/nope", "/1.0/instances/nope/state", "/1.0/instances/nope/logs", "/1.0/instances/c1/console",
                           "/1.0/instances/c1/logs/none", "/1.0/instances/c1/logs/..%2f..%2fetc%2fpasswd", "/1.0/instances/c1/what"),
    state("c1", "stop"), state("c1", "freeze"), state("c1", "unfreeze"), state("c1", "restart"), state("c1", "dance"), state("nope", "start"),
    *each("PUT", "/1.0/instances/c1/state", {}, {"action": 5}, {"action": "start", "timeout": "x"}, [], b"nonsense"),
    Case("POST", "/1.0/instances/c1/exec", {"command": ["true"]}), Case("POST", "/1.0/instances/c1/console", {"width": 80, "height": 25}),
    *(Case("DELETE", f"/1.0/instances/{log}") for log in ("c1/console", "nope/console", "c1/logs/none", "c1/logs/lxc.conf", "c1/logs/exec_x.stdout", "nope/logs/x")),
]

RUNNING = [
    state("c1", "start"), *looked_at("c1"), state("c1", "start"), Case("DELETE", "/1.0/instances/c1"), Case("DELETE", "/1.0/instances/c1/console"),
    Case("POST", "/1.0/instances/c1", {"name": "c9"}),
    *each("POST", "/1.0/instances/c1/exec", {"command": ["true"]}, {"command": ["sh", "-c", "exit 7"]},
          {"command": ["sh", "-c", "echo out; echo err >&2"], "record-output": True}, {"command": ["no-such-command"]}, {"command": []}, {},
          {"command": "true"}, {"command": ["true"], "environment": []}, {"command": ["pwd"], "cwd": "/tmp", "user": 1000}, b"nonsense"),
    Case("POST", "/1.0/instances/c1/exec", {"command": ["true"], "wait-for-websocket": True, "interactive": True}, wait=False),
    Case("POST", "/1.0/instances/c1/exec", {"command": ["true"], "wait-for-websocket": True}, wait=False),
    Case("POST", "/1.0/instances/nope/exec", {"command": ["true"]}),
    state("c1", "freeze"), *get("/1.0/instances/c1", "/1.0/instances/c1/state"), Case("POST", "/1.0/instances/c1/exec", {"command": ["true"]}),
    state("c1", "freeze"), state("c1", "unfreeze"), state("c1", "restart", force=True), state("c1", "stop", force=True),
    state("c1", "stop", force=True), state("c2", "start"), state("c2", "stop", force=True), Case("GET", "/1.0/instances/c2"),
]

CHANGES = [
    Case("GET", "/1.0/instances/c1"), Case("PATCH", "/1.0/instances/c1", {"config": {"user.new": "1"}}, {"If-Match": "wrong"}),
    Case("GET", "/1.0/instances/c1"), Case("PATCH", "/1.0/instances/c1", {"config": {"user.new": "1"}}, {"If-Match": "{etag}"}),
    Case("GET", "/1.0/instances/c1"),
    *each("PATCH", "/1.0/instances/c1", {}, {"config": {"user.new": ""}}, {"config": {"limits.memory": "bad"}}, {"config": {"no.such": "1"}},
          {"config": {"volatile.x": "1"}}, {"profiles": ["nope"]}, {"config": {"security.privileged": "true"}}, {"devices": {"d": {"type": "none"}}},
          {"devices": {"d": {"type": "disk"}}}, {"description": "text"}, {"description": 5}, {"ephemeral": 1}, {"config": "x"}, b"nonsense"),
    Case("GET", "/1.0/instances/c1"),
    *each("PUT", "/1.0/instances/c1", {"config": {"limits.memory": "bad"}}, {"profiles": ["default"], "config": {"user.only": "x"}, "devices": {},
                                                                        "architecture": "x86_64", "description": "put"}),
    Case("GET", "/1.0/instances/c1"), Case("PUT", "/1.0/instances/nope", {}), Case("PATCH", "/1.0/instances/nope", {}),
    *each("POST", "/1.0/instances/c1", {"name": "empty"}, {"name": "bad_name"}, {"name": ""}, {"name": "c3"}),
    *get("/1.0/instances/c3", "/1.0/instances/c1"), Case("POST", "/1.0/instances/c1", {"name": "c9"}),
]

OWNED = {"X-LXD-type": "file", "X-LXD-mode": "0640", "X-LXD-uid": "5", "X-LXD-gid": "6"}
FILE, TEMPLATE = "/1.0/instances/c3/files?path=", "/1.0/instances/c3/metadata/templates?path="

FILES = [
    Case("POST", FILE + "/root/a", b"hello\n", OWNED), *get(FILE + "/root/a"), Case("HEAD", FILE + "/root/a"),
    Case("POST", FILE + "/root/a", b"more\n", {**OWNED, "X-LXD-write": "append"}), *get(FILE + "/root/a"),
    Case("POST", FILE + "/root/d", b"", {"X-LXD-type": "directory", "X-LXD-mode": "0755"}), *get(FILE + "/root"),
    Case("POST", FILE + "/root/l", b"/root/a", {"X-LXD-type": "symlink"}), *get(FILE + "/root/l", FILE + "/no/such"),
    Case("POST", FILE + "/no/such/x", b"x", OWNED), *get("/1.0/instances/c3/files", "/1.0/instances/nope/files?path=/x", "/1.0/instances/c3/sftp"),
    Case("DELETE", FILE + "/root/a"), Case("DELETE", FILE + "/root/a"), Case("POST", FILE + "/root/t", b"x", {"X-LXD-type": "what"}),
    Case("PUT", "/1.0/instances/c3/metadata", {"architecture": "x86_64", "creation_date": 1, "expiry_date": 0, "properties": {"a": "b"},
                                               "templates": {}}),
    *get("/1.0/instances/c3/metadata"), Case("POST", TEMPLATE + "t.tpl", b"hi", {"Content-Type": "application/octet-stream"}),
    *get("/1.0/instances/c3/metadata/templates", TEMPLATE + "t.tpl"), Case("DELETE", TEMPLATE + "t.tpl"),
    *get(TEMPLATE + "t.tpl"), Case("DELETE", TEMPLATE + "t.tpl"),
]

BACKUPS = [
    *each("POST", "/1.0/instances/c3/backups", {"name": "b0", "instance_only": True, "expires_at": "2030-01-01T00:00:00Z"}, {"name": "b0"},
          {"name": "a/b"}, {"name": 5}, {"name": "bx", "compression_algorithm": "rot13"}),
    Case("POST", "/1.0/instances/nope/backups", {}),
    *get("/1.0/instances/c3/backups", "/1.0/containers/c3/backups?recursion=1", "/1.0/instances/c3/backups/b0", "/1.0/instances/c3/backups/nope",
         "/1.0/instances/c3/backups/nope/export", "/1.0/instances/c3?recursion=1"),
    *each("POST", "/1.0/instances/c3/backups/b0", {"name": "b1"}), Case("POST", "/1.0/instances/c3/backups/nope", {"name": "b2"}),
    Case("DELETE", "/1.0/instances/c3/backups/b1"), Case("DELETE", "/1.0/instances/c3/backups/b1"),
    Case("POST", "/1.0/instances", b"no backup", {"Content-Type": "application/octet-stream"}),
]

PUBLISH = [
    *each("POST", "/1.0/images", {"source": {"type": "instance", "name": "nope"}}, {"source": {"type": "instance"}},
          {"source": {"type": "snapshot", "name": "c3"}}, {"source": {"type": "snapshot", "name": "c3/nope"}},
          {"source": {"type": "instance", "name": "c3"}, "compression_algorithm": "rot13"},
          {"source": {"type": "instance", "name": "c3"}, "properties": {"p": "q"}, "public": False, "filename": "f"}),
    Case("GET", "/1.0/images?recursion=1&filter=properties.p%20eq%20q"), Case("POST", "/1.0/images/{fp}/secret", wait=False),
    Case("POST", "/1.0/images/ffffffffffff/secret"), Case("POST", "/1.0/images/{fp}/refresh"), Case("POST", "/1.0/images/ffffffffffff/refresh"),
    *get("/1.0/images/ffffffffffff/export", "/1.0/images/x/export"), Case("GET", "/1.0/images/{fp12}/export"),
]

SNAP, SN_TEMPLATE = "/1.0/instances/sn/snapshots", "/1.0/instances/sn/metadata/templates?path="

SNAPSHOTS = [
    Case("POST", "/1.0/instances", {"name": "sn", "config": {"user.a": "b"}, "source": {"type": "image", "alias": "bb"}}),
    *each("POST", SNAP, {"name": "s0", "stateful": False, "expires_at": "2030-01-01T00:00:00Z"}, {"name": "s0"}, {"name": "a/b"}, {"name": "a b"},
          {"name": 5}, {"expires_at": "soon"}, {"name": "s1"}, b"nonsense"),
    Case("POST", "/1.0/instances/nope/snapshots", {"name": "x"}),
    *get(SNAP, SNAP + "?recursion=1", SNAP + "/s0", "/1.0/containers/sn/snapshots/s0", SNAP + "/nope", "/1.0/instances/nope/snapshots", "/1.0/instances/sn"),
    Case("PUT", SNAP + "/s0", {"expires_at": "2031-02-03T04:05:06Z"}, {"If-Match": "wrong"}), Case("GET", SNAP + "/s0"),
    Case("PUT", SNAP + "/s0", {"expires_at": "2031-02-03T04:05:06Z"}, {"If-Match": "{etag}"}), Case("GET", SNAP + "/s0"),
    *each("PUT", SNAP + "/s0", {"expires_at": "soon"}, {"expires_at": 5}), Case("PUT", SNAP + "/nope", {"expires_at": "2031-02-03T04:05:06Z"}),
    *each("PATCH", SNAP + "/s0", {"expires_at": "2032-02-03T04:05:06Z"}), Case("GET", SNAP + "/s0"), Case("PATCH", SNAP + "/nope", {}),
    *each("POST", SNAP + "/s0", {"name": "s1"}, {"name": "a/b"}, {"name": ""}, {"name": "s2"}), Case("POST", SNAP + "/nope", {"name": "s3"}),
    *get(SNAP, SNAP + "/s2"), Case("PUT", "/1.0/instances/sn", {"restore": "nope"}), Case("PUT", "/1.0/instances/sn", {"restore": "s2"}),
    Case("POST", "/1.0/instances", {"name": "fromsnap", "profiles": ["default"], "source": {"type": "copy", "source": "sn/s2"}}), Case("GET", "/1.0/instances/fromsnap"),
    Case("POST", "/1.0/instances", {"name": "copied", "profiles": ["default"], "source": {"type": "copy", "source": "sn"}}), Case("GET", "/1.0/instances/copied/snapshots"),
    Case("POST", "/1.0/instances", {"name": "alone", "profiles": ["default"], "source": {"type": "copy", "source": "sn", "instance_only": True}, "config": {"user.c": "d"}}),
    *get("/1.0/instances/alone/snapshots", "/1.0/instances/alone"), Case("POST", "/1.0/instances", {"name": "y", "source": {"type": "copy", "source": "nope"}}),
    Case("POST", "/1.0/instances", {"name": "y", "source": {"type": "copy", "source": "sn/nope"}}), Case("POST", "/1.0/instances", {"name": "y", "source": {"type": "copy"}}),
    *[Case("DELETE", f"/1.0/instances/{name}") for name in ("fromsnap", "copied", "alone")],
    *[Case("DELETE", f"{SNAP}/{name}") for name in ("s2", "s2", "s1")],
    Case("PUT", "/1.0/instances/sn/metadata", {"architecture": "x86_64", "creation_date": 1, "expiry_date": 0, "properties": {"a": "b"}, "templates": {}}),
    Case("PATCH", "/1.0/instances/sn/metadata", {"properties": {"c": "d"}}), Case("GET", "/1.0/instances/sn/metadata"),
    Case("PUT", SN_TEMPLATE + "t.tpl", b"new", {"Content-Type": "application/octet-stream"}), *get(SN_TEMPLATE + "t.tpl"),
    Case("PUT", "/1.0/instances/sn", {"config": {"volatile.eth0.hwaddr": "00:16:3e:00:00:01"}, "profiles": ["default"]}),
    Case("POST", "/1.0/instances", {"name": "typed", "instance_type": "c2-m1", "source": {"type": "none"}}), Case("GET", "/1.0/instances/typed"),
    *each("POST", "/1.0/instances", {"name": "y", "instance_type": "c2-x", "source": {"type": "none"}}, {"name": "y", "instance_type": "what", "source": {"type": "none"}}),
    *each("PUT", "/1.0/instances", {"state": {"action": "start", "timeout": -1}}, {"state": {"action": "stop", "force": True, "timeout": -1}},
          {"state": {"action": "dance"}}, {"state": 5}, b"nonsense"), Case("DELETE", "/1.0/instances/typed"),
    Case("DELETE", "/1.0/instances/sn"),
]

PROFILES = [
    *each("POST", "/1.0/profiles", {"name": "p1", "description": "d", "config": {"limits.cpu": "2"}, "devices": {"x": {"type": "none"}}},
          {"name": "p1"}, {"name": "a/b"}, {"name": ""}, {}, {"name": "p2", "config": {"no.such": "1"}}, {"name": "p2", "config": {"limits.cpu": 2}},
          {"name": "p2", "config": {"volatile.x": "1"}}, {"name": "p2", "devices": {"d": {"type": "what"}}}, b"nonsense"),
    *get("/1.0/profiles/p1", "/1.0/profiles/nope", "/1.0/profiles", "/1.0/profiles?recursion=1"),
    *each("PUT", "/1.0/profiles/p1", {"description": "e", "config": {}, "devices": {}}, {"config": {"no.such": "1"}}),
    Case("PUT", "/1.0/profiles/p1", {"description": "e"}, {"If-Match": "wrong"}), Case("GET", "/1.0/profiles/p1"),
    Case("PUT", "/1.0/profiles/p1", {"description": "f"}, {"If-Match": "{etag}"}), Case("PATCH", "/1.0/profiles/p1", {"config": {"user.x": "y"}}),
    Case("PATCH", "/1.0/instances/c3", {"profiles": ["default", "p1"]}), *get("/1.0/profiles/p1", "/1.0/instances/c3"),
    Case("DELETE", "/1.0/profiles/p1"), Case("PATCH", "/1.0/instances/c3", {"profiles": ["default"]}),
    *each("POST", "/1.0/profiles/p1", {"name": "default"}, {"name": "a/b"}, {"name": "p9"}), Case("GET", "/1.0/profiles/p9"),
    Case("POST", "/1.0/profiles/default", {"name": "x"}), Case("DELETE", "/1.0/profiles/p9"), Case("DELETE", "/1.0/profiles/default"),
    Case("DELETE", "/1.0/profiles/nope"), Case("PUT", "/1.0/profiles/nope", {}), Case("PATCH", "/1.0/profiles/nope", {}),
    Case("POST", "/1.0/profiles/nope", {"name": "y"}),
]

SHARED = {"features.images": "false", "features.profiles": "false", "features.storage.volumes": "true"}
P, IN_P3 = "/1.0/projects", "?project=p3"


def image_instance(name, project, **config):
    return Case("POST", f"/1.0/instances?project={project}", {"name": name, "config": config, "source": {"type": "image", "fingerprint": "{fp}"}})


PROJECTS = [
    *each("POST", P, {}, {"name": ""}, {"name": "a/b"}, {"name": "a b"}, {"name": "a_b"}, {"name": "*"}, {"name": ".."}, {"name": "'q'"}, {"name": 5},
          {"name": "x", "config": {"features.imagesx": "true"}}, {"name": "x", "config": {"features.images": "maybe"}},
          {"name": "x", "config": {"restricted": "true", "features.profiles": "false"}}, {"name": "x", "config": {"limits.containers": "-1"}},
          {"name": "x", "config": {"limits.memory": "5x"}}, {"name": "x", "config": {"restricted.snapshots": "maybe"}},
          {"name": "x", "config": {"limits.cpu": "1.5"}}, {"name": "x", "config": {"volatile.x": "1"}},
          {"name": "x", "config": {"restricted.idmap.uid": "x"}}, b"nonsense",
          {"name": "p1", "description": "first", "config": {"user.a": "b"}}, {"name": "p1"}),
    *get(P, P + "?recursion=1", P + "/default", P + "/p1", P + "/nope", P + "/p1/state", P + "/nope/state", "/1.0/profiles?project=p1",
         "/1.0/profiles/default?project=p1", "/1.0/profiles?project=nope", "/1.0/images?project=nope", "/1.0/images?project=p1",
         "/1.0/instances?project=nope", "/1.0/instances/c1?project=nope", "/1.0/storage-pools?project=nope"),
    *each("PUT", P + "/p1", {"description": "second", "config": {"features.images": "true"}}), Case("GET", P + "/p1"),
    *each("PATCH", P + "/p1", {"config": {"features.profiles": "true", "features.storage.volumes": "true"}}), Case("GET", P + "/p1"),
    *each("PATCH", P + "/p1", {"description": "third"}, {}), Case("GET", P + "/p1"),
    Case("PUT", P + "/p1", {"description": "x"}, {"If-Match": "wrong"}), Case("PUT", P + "/p1", {"config": {"nope": "1"}}),
    Case("PUT", P + "/nope", {}), Case("PATCH", P + "/nope", {}), Case("PUT", P + "/default", {"config": {"features.images": "false"}}),
    Case("PATCH", P + "/default", {"config": {"user.x": "y"}}), Case("POST", P + "/default", {"name": "d2"}),
    *each("POST", P + "/p1", {"name": ""}, {"name": "a_b"}, {"name": "default"}, {"name": "p2"}), *get(P + "/p2", P + "/p1"),
    Case("POST", P, {"name": "p3", "config": SHARED}),
    *get(P + "/p3", "/1.0/profiles" + IN_P3, "/1.0/profiles?recursion=1&project=p3", "/1.0/images" + IN_P3, "/1.0/images/aliases" + IN_P3),
    image_instance("i1", "p3"), image_instance("i1", "p3"),
    *get("/1.0/instances" + IN_P3, "/1.0/containers" + IN_P3, "/1.0/instances?all-projects=true", "/1.0/instances/i1" + IN_P3,
         "/1.0/instances/i1", P + "/p3", P + "/p3/state", "/1.0/profiles/default"),
    Case("DELETE", P + "/p3"), Case("POST", P + "/p3", {"name": "p9"}),
    *each("PUT", P + "/p3", {"config": {**SHARED, "features.images": "true"}}, {"config": {**SHARED, "limits.containers": "0"}},
          {"config": {**SHARED, "limits.memory": "1GiB"}}, {"config": {**SHARED, "limits.instances": "1"}}, {"config": {**SHARED, "restricted": "true"}}),
    image_instance("i2", "p3"), Case("PATCH", "/1.0/instances/i1" + IN_P3, {"config": {"limits.memory": "512MiB"}}),
    *each("PUT", P + "/p3", {"config": {**SHARED, "limits.memory": "1GiB"}}, {"config": {**SHARED, "limits.memory": "1MiB"}}),
    Case("PATCH", "/1.0/instances/i1" + IN_P3, {"config": {"limits.memory": "2GiB"}}), Case("GET", P + "/p3/state"),
    Case("POST", "/1.0/profiles?project=p2", {"name": "q"}), Case("DELETE", P + "/p2"), Case("DELETE", "/1.0/profiles/q?project=p2"),
    Case("POST", P, {"name": "res", "config": {"features.images": "false", "restricted": "true"}}),
    Case("PUT", "/1.0/profiles/default?project=res", {"devices": {"root": {"type": "disk", "path": "/", "pool": "default"}}}),
    image_instance("r1", "res"), image_instance("r2", "res", **{"security.nesting": "true"}),
    image_instance("r2", "res", **{"security.privileged": "true"}), image_instance("r2", "res", **{"raw.lxc": "lxc.cap.drop=mknod"}),
    image_instance("r2", "res", **{"raw.idmap": "both 1000 1000"}), Case("POST", "/1.0/instances/r1/snapshots?project=res", {"name": "s"}),
    Case("PATCH", "/1.0/instances/r1?project=res", {"config": {"security.nesting": "true"}}),
    Case("PATCH", "/1.0/profiles/default?project=res", {"config": {"security.nesting": "true"}}),
    Case("DELETE", "/1.0/instances/r1?project=res"), Case("DELETE", "/1.0/instances/i1" + IN_P3), Case("DELETE", "/1.0/instances/i1"),
    *[Case("DELETE", f"{P}/{name}") for name in ("p2", "p3", "res", "nope", "default")], Case("GET", P),
]

OTHER = [
    *get("/1.0/operations/00000000-0000-0000-0000-000000000000", "/1.0/operations/nope", "/1.0/operations/nope/wait",
         "/1.0/operations/00000000-0000-0000-0000-000000000000/wait?timeout=1", "/1.0/operations/nope/websocket", "/1.0/events",
         "/1.0/events?type=what", "/1.0/storage-pools/default", "/1.0/storage-pools/nope", "/1.0/storage-pools/default/resources", "/1.0/resources"),
    Case("DELETE", "/1.0/operations/nope"), Case("DELETE", "/1.0/operations/00000000-0000-0000-0000-000000000000"),
    Case("DELETE", "/1.0/instances/nope"), Case("DELETE", "/1.0/instances/c3"), Case("DELETE", "/1.0/instances/c3"),
    Case("DELETE", "/1.0/instances/empty"), Case("DELETE", "/1.0/containers/props"), *get("/1.0/instances", "/1.0/instances?recursion=1"),
    Case("DELETE", "/1.0/images/{fp}"), Case("DELETE", "/1.0/images/{fp}"), *get("/1.0/images", "/1.0/images/aliases"),
]

# A self-signed certificate of nobody, and its fingerprint.
CERTIFICATE = ("MIIBeDCCAR+gAwIBAgIUDpfd9EsvcgjHdwES+wAz0zwQRsgwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHY29tcGFyZTAeFw0yNjExMjcwMzU5MTNaFw00NjEx"
               "MjIwMzU5MTNaMBIxEDAOBgNVBAMMB2NvbXBhcmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARsVbEw/4Txl6yKu2WZj4mllyDToM4N0+L59xouiKdsOMn1"
               "m+FMy8Tuu0qhIfoWhWhZnJnQTkhU0Qfx6q0sAQQBo1MwUTAdBgNVHQ4EFgQU4lhjVo5xKyhnDuaszuFeT4KL3EAwHwYDVR0jBBgwFoAU4lhjVo5xKyhnDuas"
               "zuFeT4KL3EAwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiB/bSU2WmQgti2w1RX3fwwfRCquhb6a+dRUY0voDQcS9wIgKrxB5fWi51iWoE/Z"
               "VSTEdUP9ic1k8i9B9j5LdvBhP/A=")
CERT = "/1.0/certificates/0a87b95ea6ecbabf78e548d9d5bf874270dfa57e798018bf4758f98f3f2c939c"

TRUST = [
    *get("/1.0/certificates", "/1.0/certificates?recursion=1", CERT, "/1.0/certificates/ffff", "/1.0/certificates/x"),
    *each("POST", "/1.0/certificates", {}, {"type": "what", "certificate": CERTIFICATE}, {"type": "client", "certificate": "bm9uc2Vuc2U="},
          {"type": "client", "certificate": "?"}, {"type": "client", "certificate": 5}, {"type": "client", "certificate": CERTIFICATE, "name": 5},
          {"type": "client", "certificate": CERTIFICATE, "restricted": "yes"}, b"nonsense",
          {"type": "client", "name": "someone", "certificate": CERTIFICATE}, {"type": "client", "name": "again", "certificate": CERTIFICATE}),
    *get("/1.0/certificates", "/1.0/certificates?recursion=1", CERT, CERT[:40]),
    Case("PUT", CERT, {"name": "other", "type": "client", "restricted": False, "projects": []}, {"If-Match": "wrong"}), Case("GET", CERT),
    Case("PUT", CERT, {"name": "other", "type": "client", "restricted": False, "projects": []}, {"If-Match": "{etag}"}), Case("GET", CERT),
    *each("PUT", CERT, {"name": "other", "type": "what"}, {"name": 5}, {"name": "x", "type": "client", "projects": "default"}, b"nonsense"),
    *each("PATCH", CERT, {"name": "third"}, {"restricted": True, "projects": ["default"]}), Case("GET", CERT),
    *each("PUT", "/1.0/certificates/ffff", {"name": "x", "type": "client"}), *each("PATCH", "/1.0/certificates/ffff", {"name": "x"}),
    Case("DELETE", CERT), Case("DELETE", CERT), *get(CERT, "/1.0/certificates"),
    *each("PUT", "/1.0", {"config": {"images.auto_update_interval": "12"}}, {"config": {"no.such": "1"}}, {"config": {"images.auto_update_interval": "x"}},
          {"config": 5}, b"nonsense"), Case("GET", "/1.0"),
    *each("PATCH", "/1.0", {"config": {"images.remote_cache_expiry": "5"}}), Case("GET", "/1.0"),
    *each("PUT", "/1.0", {"config": {}}), Case("GET", "/1.0"),
]

CASES = [*SERVER, *LISTS, *IMAGES, *CREATE, *STOPPED, *RUNNING, *CHANGES, *FILES, *SNAPSHOTS, *BACKUPS, *PUBLISH, *PROFILES, *PROJECTS, *TRUST, *OTHER]
