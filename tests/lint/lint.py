#!/usr/bin/env python3
"""The house rules that a machine can check: who includes whom, which calls are banned, how large a file may be.

usage: lint.py ROOT    Each violation is one line `FILE:LINE: RULE: what is wrong`; exit status 1 when there are any.
"""

import os
import re
import sys

SOURCE_FOLDERS = ("base", "dbus-interfaces", "daemon", "rest-bridge", "cli", "tests", "units", "polkit", "man", "tools")
CODE = (".cpp", ".hpp", ".c", ".h")
MAX_LINES = 450

# Folder -> what of this repository it may include. The longest folder that is a prefix of the file counts.
LAYERS = {
    "base": ("base",),
    "dbus-interfaces": ("base", "dbus-interfaces"),
    "daemon/domain": ("base", "daemon/domain"),
    "daemon/ports": ("base", "daemon/domain", "daemon/ports"),
    "daemon/services": ("base", "daemon/domain", "daemon/ports", "daemon/services"),
    "daemon/adapters": ("base", "daemon/domain", "daemon/ports"),  # and the adapter's own folder
    "daemon/bus": ("base", "dbus-interfaces", "daemon/domain", "daemon/ports", "daemon/services", "daemon/bus"),
    "daemon/supervisor": ("base", "daemon/domain", "daemon/supervisor"),
    "daemon/helpers": ("base", "daemon/domain", "daemon/helpers"),
    # The composition root: the only file that names concrete adapters.
    "daemon/main.cpp": ("base", "daemon/domain", "daemon/ports", "daemon/services", "daemon/adapters", "daemon/bus"),
    "rest-bridge": ("base", "dbus-interfaces", "rest-bridge"),
    "cli": ("base", "dbus-interfaces", "rest-bridge/api", "cli"),
}

# Foreign header -> the folders that may include it. Tests may include what they test with.
HOMES = (
    (r"sqlite3\.h", ("daemon/adapters/sqlite",)),
    (r"lxc/.*", ("daemon/adapters/lxc", "daemon/supervisor")),
    (r"sdbus-c\+\+/.*", ("daemon/bus", "dbus-interfaces", "rest-bridge/api", "rest-bridge/identity")),
    (r"systemd/sd-(event|daemon)\.h", ("daemon/bus",)),
    (r"systemd/sd-journal\.h", ("base",)),
    (r"(archive|archive_entry)\.h", ("daemon/helpers",)),
    (r"yaml-cpp/.*", ("daemon/helpers", "cli")),
    (r"boost/.*", ("rest-bridge", "cli/remote")),
    (r"openssl/(ssl|x509|x509v3|pem)\.h", ("base/openssl.hpp", "base/self_signed.cpp", "daemon/adapters/tls", "daemon/helpers", "rest-bridge/http", "cli/remote")),
    (r"curl/curl\.h", ("daemon/helpers",)),
    (r"CLI/.*", ("cli",)),
)

# Calls that no code makes: name, pattern, folders the rule is for, folders that are excepted, why.
BANNED = (
    ("no-shell", r"(?<![\w.>])(?:std\s*::\s*|::\s*)?(system|popen)\s*\(", ("",), (),
     "start programs by an argument vector (posix_spawn)"),
    ("no-getcreds", r"\bgetCreds\w*\s*\(", ("",), (), "it reads /proc; ask the bus driver for the sender's uid"),
    ("no-fork", r"(?<![\w.>])(?:::\s*)?v?fork\s*\(", ("base", "daemon", "rest-bridge", "cli"),
     ("daemon/supervisor", "daemon/helpers"), "use posix_spawn: other threads may hold locks"),
    ("no-sleep", r"\bsleep_(for|until)\s*\(|(?<![\w.>])(?:::\s*)?(u|nano)?sleep\s*\(", ("tests",), ("tests/bench",),
     "wait for the event with a deadline"),
)

# Split, so that this file does not break its own rule.
WORDS = "(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + ")"
# As a marker, not as a word of a format that has it (TAP).
UNFINISHED = re.compile(rf"(?:^|#|//|\*|--)\s*{WORDS}\b|\b{WORDS}[:(]")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
# Made by the build from the interface descriptions.
GENERATED = re.compile(r"[\w.-]+(-glue|_adaptor|_proxy)\.(h|hpp)$|(config|version)\.(h|hpp)$")


def is_under(path, folder):
    return folder == "" or path == folder or path.startswith(folder + "/")


def code_only(text):
    """The text with comments and the insides of strings blanked; line numbers stay."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)

    def blank(match):
        # 1'000'000 is a number, not a character.
        if match.group().startswith("'") and match.start() > 0 and text[match.start() - 1].isalnum():
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())

    return pattern.sub(blank, text)


def allowed_includes(path):
    folders = [folder for folder in LAYERS if is_under(path, folder)]
    if not folders:
        return None
    folder = max(folders, key=len)
    allowed = LAYERS[folder]
    if folder == "daemon/adapters":
        allowed += ("/".join(path.split("/")[:3]),)
    return allowed


def check_includes(path, lines):
    allowed = allowed_includes(path)
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        if quote == '"':
            if header.startswith("../") or ("/" not in header and not GENERATED.match(header)):
                yield number, "include-root", f'"{header}" is not written from the root of the repository'
            elif allowed is not None and "/" in header and not any(is_under(header, folder) for folder in allowed):
                yield number, "layer", f'{path} may not include "{header}" (only {", ".join(allowed)})'
            continue
        for pattern, homes in HOMES:
            if re.fullmatch(pattern, header) and not any(is_under(path, home) for home in homes + ("tests",)):
                yield number, "header-home", f"<{header}> belongs to {', '.join(homes)}"


def check_calls(path, text):
    for number, line in enumerate(code_only(text).split("\n"), 1):
        for rule, pattern, folders, excepted, why in BANNED:
            concerned = any(is_under(path, f) for f in folders) and not any(is_under(path, f) for f in excepted)
            match = concerned and re.search(pattern, line)
            if match:
                yield number, rule, f"{match.group().strip().rstrip('(').strip()}: {why}"


def check_text(path, lines):
    for number, line in enumerate(lines, 1):
        match = UNFINISHED.search(line)
        if match:
            yield number, "unfinished", f"{match.group().strip()}: finish it or leave it out"
    if path.endswith(CODE + (".py",)) and len(lines) > MAX_LINES:
        yield MAX_LINES + 1, "file-size", f"{len(lines)} lines; split it by its jobs (at most {MAX_LINES})"


def check_file(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as stream:
        text = stream.read()
    lines = text.splitlines()
    yield from check_text(path, lines)
    if not path.endswith(CODE):
        return
    yield from check_includes(path, lines)
    yield from check_calls(path, text)
    # A header to be precompiled is a main file to the compiler, which warns of the pragma there.
    if path.endswith((".hpp", ".h")) and "/pch/" not in path and not any(line.strip() == "#pragma once" for line in lines):
        yield 1, "pragma-once", "a header begins with #pragma once"


def source_files(root):
    for folder in SOURCE_FOLDERS:
        for where, folders, files in os.walk(os.path.join(root, folder)):
            folders[:] = sorted(f for f in folders if not f.startswith((".", "__pycache__")))
            for name in sorted(files):
                if not name.endswith((".pyc", ".gz", ".xz", ".tar", ".squashfs", ".bin")):
                    yield os.path.relpath(os.path.join(where, name), root)


def violations(root):
    for path in source_files(root):
        for number, rule, message in check_file(root, path):
            yield f"{path}:{number}: {rule}: {message}"


def main():
    if len(sys.argv) != 2 or not os.path.isdir(sys.argv[1]):
        print(__doc__, file=sys.stderr)
        return 2
    checked = sum(1 for _ in source_files(sys.argv[1]))
    found = list(violations(sys.argv[1]))
    for line in found:
        print(line)
    print(f"{checked} files checked, {len(found)} violations")
    # A root without sources is a mistake of the caller, not a clean tree.
    return 1 if found or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
