"""Where the fuzz targets begin: well-formed inputs of each, as bytes. The requests are those of tests/compare."""

import json
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "compare"))
from cases import CASES  # noqa: E402  pylint: disable=wrong-import-position

FINGERPRINT = "00112233445566778899aabbccddeeff" * 2
OPERATION = "c0ffee00-0000-4000-8000-000000000000"


def body_of(case):
    if isinstance(case.body, bytes):
        return case.body
    return b"" if case.body is None else json.dumps(case.body).encode()


def filled(text):
    return text.replace("{fp12}", FINGERPRINT[:12]).replace("{fp}", FINGERPRINT).replace("c1", "web").replace("c3", "web")


def requests():
    for case in CASES:
        lines = [f"{case.method} {filled(case.url)}", *(f"{name}: {value}" for name, value in case.headers.items())]
        yield "\n".join(lines).encode() + b"\n\n" + filled(body_of(case).decode("latin-1")).encode("latin-1")
    for line in (f"GET /1.0/operations/{OPERATION}/wait?timeout=1", f"DELETE /1.0/operations/{OPERATION}", f"GET /1.0/images/{FINGERPRINT}/export",
                 "GET /1.0/instances/web/files?path=/etc/passwd", "GET /1.0/openapi.json", "GET /1.0/resources", "GET /1.0/certificates?recursion=1",
                 "GET /1.0/instances/web/metadata/templates?path=a.tpl", "GET /1.0/instances/web/backups/b0/export"):
        yield line.encode() + b"\n\n"
        yield line.encode() + b"\nFail: 0 NotFound\n\n"
    yield b'PUT /1.0/instances/web\nIf-Match: x\nFail: 1 Busy\n\n{"config":{"a":"b"}}'
    yield b'POST /1.0/instances/web/exec\n\n{"command":["sh","-c","x"],"wait-for-websocket":true,"interactive":true,"width":80,"height":24}'
    yield b'POST /1.0/certificates\n\n{"type":"client","certificate":"AAAA","name":"n","password":"p"}'
    yield b'PUT /1.0/instances/web/metadata\n\n{"architecture":"x86_64","creation_date":1,"templates":{"/a":{"when":["start"],"template":"a.tpl"}}}'


def http(method, target, body=b"", *headers):
    lines = [f"{method} {target} HTTP/1.1", "Host: berth", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def upgrade(target):
    return http("GET", target, b"", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")


def frame(opcode, payload, last=True):
    """A client's frame; its mask is zero, so that the payload can be read and changed."""
    head = bytes([opcode | (128 if last else 0)])
    size = bytes([128 | len(payload)]) if len(payload) < 126 else bytes([128 | 126]) + struct.pack(">H", len(payload))
    return head + size + bytes(4) + payload


def secret(number):
    """The stand-in for the kernel's randomness counts."""
    return f"{number:02x}" * 32


CLOSE = frame(8, struct.pack(">H", 1000))


def websocket(number, *frames):
    return upgrade(f"/1.0/operations/{OPERATION}/websocket?secret={secret(number)}") + b"".join(frames)


def connections():
    command = {"command": ["sh"], "wait-for-websocket": True}
    pipes, terminal = http("POST", "/1.0/instances/web/exec", json.dumps(command).encode()), http(
        "POST", "/1.0/instances/web/exec", json.dumps({**command, "interactive": True}).encode())
    resize = frame(1, b'{"command":"window-resize","args":{"width":"80","height":"24"}}')
    signal = frame(1, b'{"command":"signal","signal":15}')
    yield http("GET", "/1.0") + http("GET", "/1.0/instances?recursion=2") + http("HEAD", "/1.0/instances/web/files?path=/x")
    yield http("PUT", "/1.0/instances/web/state", b'{"action":"start"}', "Content-Type: application/json", "Expect: 100-continue")
    yield http("OPTIONS", "/1.0") + b"GET /1.0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    yield http("POST", "/1.0/profiles", b"", "Transfer-Encoding: chunked") + b'10;x=y\r\n{"name":"p","a":\r\n2\r\n1}\r\n0\r\nTrailer: x\r\n\r\n'
    yield http("POST", "/1.0/images", b"abc", "Content-Type: application/octet-stream", "X-LXD-properties: a=b")
    yield http("POST", "/1.0/images", b'--B\r\nContent-Disposition: form-data; name="metadata"; filename="m"\r\n\r\nabc\r\n--B\r\nContent-Disposition: '
               b'form-data; name="rootfs"; filename="r"\r\n\r\ndef\r\n--B--\r\n', "Content-Type: multipart/form-data; boundary=B")
    yield http("POST", "/1.0/instances/web/files?path=/x", b"content", "X-LXD-type: file", "X-LXD-mode: 0644")
    yield http("POST", "/1.0/profiles", b"{}", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site")
    yield upgrade("/1.0/events?type=operation") + frame(1, b"x") + frame(9, b"ping") + CLOSE
    yield pipes + websocket(0, frame(2, b"input"), frame(1, b""), CLOSE)
    yield pipes + websocket(3, signal, resize, CLOSE)
    yield terminal + websocket(1, resize, frame(1, b'{"command":', False), frame(0, b'"signal","signal":9}'), CLOSE)
    yield b"\n%%\n".join([pipes + websocket(0, frame(2, b"in"), frame(1, b"")), websocket(1), websocket(2), websocket(3, signal, CLOSE)])
    yield b"\n%%\n".join([terminal + websocket(0, frame(2, b"in")), websocket(1, resize)])


def multiparts():
    parts = (b'--B\r\nContent-Disposition: form-data; name="metadata"; filename="m"\r\nContent-Type: application/octet-stream\r\n\r\nabc\r\n--B'
             b'\r\nContent-Disposition: form-data; name="rootfs"\r\n\r\n\r\n-B\r\n--B--\r\n')
    for piece in (b"\0", b"\x07", b"\xff"):
        yield piece + b"multipart/form-data; boundary=B\n" + parts
        yield piece + b'multipart/form-data; boundary="B"\n' + parts + b"epilogue"
        yield piece + b"multipart/form-data; boundary=B\npreamble\r\n" + parts


WORDS = {
    "a": ["web_2d1", "_", "c0ffee00_2d0000", "_30", "a_2f", "_5f_"],
    "b": ["name eq web", "not status eq running and config.user.x ne 1", 'name eq "web|db" or devices.root.type eq disk', "name eq ^w.*b$", "size eq 5"],
    "c": ["/1.0/instances/web/snapshots/s0?recursion=1&filter=a%20eq%20b", "/1.0/images/aliases/a%2Fb/c", "http://host/1.0/containers/c", "/"],
    "d": ["0 6 * * *", "*/5 1-3,7 * jan mon-fri", "@daily", "@hourly, @weekly", "0 0 29 2 *", "@never"],
    "e": ["2030-01-31T12:00:00Z", "1999-12-31T23:59:59.999999+14:00", "0001-01-01T00:00:00Z"],
    "f": ["10MiB", "1kB", "5", "7EiB", "100Mbit", "1w 2d 3H"],
    "g": ["web-1", "default", "s0", FINGERPRINT, OPERATION],
    "h": ["localhost:8443\nhttps://a.example", "[::1]:8443\ncross-site", "berth\nnull"],
    "i": ["YmFzZTY0", "YQ==\n", "AAAA"],
    "j": ["-----BEGIN CERTIFICATE-----\nMIIB+DCCAX2gAwIBAgIQFoKd2WL5rAwM1ddDBAebUDAKBggqhkjOPQQDAzAwMRwwGgYDVQQKDBNsaW51\neGNvbnRhaW5lcnMub3Jn"
          "MRAwDgYDVQQDDAdyb290QHZtMB4XDTI2MTEyNjE4MjMxNloXDTM2MTEyMzE4MjMxNlowMDEc\nMBoGA1UECgwTbGludXhjb250YWluZXJzLm9yZzEQMA4GA1UEAwwHcm9v"
          "dEB2bTB2MBAGByqGSM49AgEGBSuBBAAi\nA2IABAnRt1GYp9ceZ6pS0LOi6YWnYQdq0qHOgbyrKjni+4S9cuineFJNdbp6gWz9+4oUDYWlRSwLeeeFutNG5eNI\nOmI07c2V"
          "ART6cF/v+g0dpizGgbaWS/bhN4+zcSTizv2R/aNcMFowDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCBaAw\nEwYDVR0lBAwwCgYIKwYBBQUHAwEwJQYDVR0RBB4wHIIC"
          "dm2HBH8AAAGHEAAAAAAAAAAAAAAAAAAAAAEwCgYIKoZIzj0E\nAwMDaQAwZgIxAKEXyWav2m/X2R5Ae//S0xfLJ4s2JKHhBUYFZ9MEdMVl+HU4ZsXOFGNKl6+lJhigeQIxAP/3"
          "jjms\nJUw2ElxfZhK7+8yi1iZyq3JsOQZBDs92yfI0gOhYSH9XCOxchHlPscCQ==\n-----END CERTIFICATE-----\n"],
}

METADATA = """architecture: x86_64
creation_date: 1424284563
expiry_date: 0
properties: &p
  description: Debian
  os: debian
templates:
  /etc/hostname:
    when: [create, copy]
    create_only: true
    template: hostname.tpl
    properties: *p
"""
INDEX = """name: web
backend: dir
pool: default
optimized: false
optimized_header: false
type: container
snapshots: [s0]
config:
  container:
    architecture: x86_64
    config: {user.x: "1", volatile.idmap.next: '[{"Isuid":true,"Isgid":false,"Hostid":100000,"Nsid":0,"Maprange":65536}]'}
    devices: {root: {type: disk, path: /, pool: default}}
    ephemeral: false
    profiles: [default]
    created_at: 2026-01-01T00:00:00Z
    last_used_at: 2026-01-01T00:00:00.5Z
    name: web
    description: d
  snapshots:
  - name: s0
    config: {}
    devices: {}
    profiles: [default]
    created_at: 2026-01-01T00:00:00Z
    expires_at: 0001-01-01T00:00:00Z
  pool: {name: default, driver: dir}
"""
TEMPLATES = ["{{ container.name }}\n", "{% for x in properties.list %}{{ forloop.Counter }}: {{ x|upper }}{% endfor %}",
             '{% if config_get("user.x", "") == "one" and not false %}a{% elif 1 + 2 * 3 > 4 %}b{% else %}c{% endif %}',
             "{# note #}{% set a = 1.5 %}{{ a|floatformat:2 }}{{ path|cut:\"/\"|default:\"x\" }}"]

SEEDS = {
    "request": list(requests()),
    "connection": list(connections()),
    "multipart": list(multiparts()),
    "words": [(language + text).encode() for language, texts in WORDS.items() for text in texts],
    "documents": [b"a" + METADATA.encode(), b"b" + INDEX.encode(), *(b"c" + text.encode() for text in TEMPLATES),
                  b'd[{"Isuid":true,"Isgid":false,"Hostid":100000,"Nsid":0,"Maprange":65536}]',
                  b'e{"index":{"images":{"datatype":"image-downloads","path":"streams/v1/images.json"}}}',
                  b'e{"products":{"p":{"aliases":"debian/12,debian","arch":"amd64","os":"Debian","release":"bookworm","lxd_requirements":{"a":"b"},'
                  b'"support_eol":"2030-01-31","versions":{"20260101_05:24":{"label":"x","items":{"m":{"ftype":"lxd.tar.xz","path":"a/m","size":1,'
                  b'"combined_squashfs_sha256":"aa","combined_sha256":"bb"},"s":{"ftype":"squashfs","path":"a/s"},"r":{"ftype":"root.tar.xz",'
                  b'"path":"a/r"},"c":{"ftype":"lxd_combined.tar.gz","path":"c","sha256":"cc"}}}}}}}'],
}
