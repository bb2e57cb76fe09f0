#!/usr/bin/env python3
"""Tests of lint.py: every rule finds its violation, with file and line, and leaves good code alone."""

import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lint  # noqa: E402

UNFINISHED_WORD = "TO" + "DO"


class ATree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def put(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as stream:
            stream.write(text)

    def found(self):
        """Set of (file, line, rule)."""
        out = set()
        for line in lint.violations(self.root):
            path, number, rule, _ = line.split(":", 3)
            out.add((path, int(number), rule.strip()))
        return out

    def expect(self, path, text, *wanted):
        self.put(path, text)
        self.assertEqual({(p, n, r) for p, n, r in self.found() if p == path}, {(path, n, r) for n, r in wanted})

    def test_each_layer_may_not_include_what_stands_above_it(self):
        for path, header in (
            ("base/a.cpp", "daemon/domain/a.hpp"),
            ("daemon/domain/a.cpp", "daemon/ports/a.hpp"),
            ("daemon/ports/a.cpp", "daemon/services/a.hpp"),
            ("daemon/services/a.cpp", "daemon/adapters/sqlite/a.hpp"),
            ("daemon/services/b.cpp", "daemon/bus/a.hpp"),
            ("daemon/adapters/sqlite/a.cpp", "daemon/adapters/lxc/a.hpp"),
            ("daemon/adapters/sqlite/b.cpp", "daemon/services/a.hpp"),
            ("daemon/bus/a.cpp", "daemon/adapters/sqlite/a.hpp"),
            ("daemon/supervisor/a.cpp", "daemon/ports/a.hpp"),
            ("daemon/helpers/a.cpp", "daemon/services/a.hpp"),
            ("rest-bridge/api/a.cpp", "daemon/domain/a.hpp"),
            ("cli/a.cpp", "daemon/domain/a.hpp"),
            ("cli/b.cpp", "rest-bridge/http/a.hpp"),
        ):
            with self.subTest(path=path, header=header):
                self.expect(path, f'#include <map>\n\n#include "{header}"\n', (3, "layer"))

    def test_each_layer_may_include_what_stands_below_it(self):
        for path, header in (
            ("daemon/domain/a.cpp", "base/a.hpp"),
            ("daemon/adapters/sqlite/a.cpp", "daemon/adapters/sqlite/b.hpp"),
            ("daemon/adapters/sqlite/b.cpp", "daemon/ports/b.hpp"),
            ("daemon/bus/a.cpp", "daemon/services/b.hpp"),
            ("daemon/main.cpp", "daemon/adapters/sqlite/b.hpp"),
            ("cli/a.cpp", "rest-bridge/api/b.hpp"),
            ("tests/unit/a.cpp", "daemon/adapters/sqlite/b.hpp"),
            ("daemon/bus/b.cpp", "manager_adaptor.hpp"),
        ):
            with self.subTest(path=path, header=header):
                self.expect(path, f'#include "{header}"\n')

    def test_includes_are_written_from_the_root(self):
        self.expect("daemon/domain/a.cpp", '#include "a.hpp"\n#include "../b.hpp"\n', (1, "include-root"), (2, "include-root"))

    def test_foreign_headers_stay_at_home(self):
        for header, home, elsewhere in (
            ("sqlite3.h", "daemon/adapters/sqlite", "daemon/services"),
            ("lxc/lxccontainer.h", "daemon/supervisor", "daemon/bus"),
            ("sdbus-c++/sdbus-c++.h", "daemon/bus", "daemon/services"),
            ("systemd/sd-event.h", "daemon/bus", "daemon/adapters/systemd"),
            ("systemd/sd-journal.h", "base", "daemon/bus"),
            ("archive.h", "daemon/helpers", "daemon/adapters/image"),
            ("yaml-cpp/yaml.h", "daemon/helpers", "daemon/domain"),
            ("boost/asio.hpp", "rest-bridge/http", "daemon/bus"),
            ("CLI/CLI.hpp", "cli", "rest-bridge/api"),
        ):
            with self.subTest(header=header):
                self.expect(home + "/a.cpp", f"#include <{header}>\n")
                self.expect(elsewhere + "/z.cpp", f"#include <{header}>\n", (1, "header-home"))

    def test_shells_are_found_in_every_spelling(self):
        self.expect("daemon/bus/a.cpp", 'void f() {\n  system("x");\n  std::system("x");\n  ::popen("x", "r");\n}\n',
                    (2, "no-shell"), (3, "no-shell"), (4, "no-shell"))
        self.expect("tests/unit/a.cpp", 'int r = system("x");\n', (1, "no-shell"))

    def test_other_banned_calls_are_found_where_they_are_banned(self):
        self.expect("daemon/bus/a.cpp", "auto c = message.getCredsUid();\n", (1, "no-getcreds"))
        self.expect("daemon/services/a.cpp", "pid_t p = fork();\n", (1, "no-fork"))
        self.expect("daemon/services/b.cpp", "pid_t p = ::vfork();\n", (1, "no-fork"))
        self.expect("daemon/supervisor/a.cpp", "pid_t p = fork();\n")
        self.expect("tests/unit/a.cpp", "std::this_thread::sleep_for(1s);\n::usleep(5);\nsleep(1);\n",
                    (1, "no-sleep"), (2, "no-sleep"), (3, "no-sleep"))

    def test_comments_strings_and_other_names_are_no_calls(self):
        self.expect("daemon/bus/a.cpp",
                    "// system(x) is banned\n/* popen(\n fork() */\nauto s = \"system(x)\"; auto r = R\"(fork())\";\n"
                    "system_error(x); my_system(x); bus.system(x); pitchfork(); int n = 1'000'000; auto c = '\"';\n")

    def test_a_call_after_a_number_with_separators_is_found(self):
        self.expect("daemon/bus/a.cpp", "int n = 1'000; system(x); int m = 2'000;\n", (1, "no-shell"))

    def test_large_files_are_found(self):
        self.expect("daemon/bus/a.cpp", "\n" * lint.MAX_LINES)
        self.expect("daemon/bus/b.cpp", "\n" * (lint.MAX_LINES + 1), (lint.MAX_LINES + 1, "file-size"))

    def test_headers_without_pragma_once_are_found(self):
        self.expect("base/a.hpp", "#pragma once\n")
        self.expect("base/b.hpp", "#ifndef B\n#define B\n#endif\n", (1, "pragma-once"))

    def test_unfinished_work_is_found_in_every_kind_of_file(self):
        self.expect("daemon/bus/a.cpp", f"int a;\n// {UNFINISHED_WORD}: more\n", (2, "unfinished"))
        self.expect("man/a.md", f"{UNFINISHED_WORD}\n", (1, "unfinished"))
        self.expect("tools/a", f"x = 1  # {UNFINISHED_WORD} more\ny = 2\n{UNFINISHED_WORD}(me)\n", (1, "unfinished"), (3, "unfinished"))
        self.expect("base/a.cpp", 'auto pattern = "berth-XXXXXX";\n')
        self.expect("tools/tap", f"re.match('(SKIP|{UNFINISHED_WORD})')\n")

    def test_the_program_names_each_violation_and_fails(self):
        program = [sys.executable, "-B", os.path.join(os.path.dirname(os.path.abspath(__file__)), "lint.py"), self.root]
        empty = subprocess.run(program, capture_output=True, text=True, check=False)
        self.assertEqual(empty.returncode, 1, "a root without sources is no clean tree")
        self.put("base/a.cpp", "int a;\n")
        clean = subprocess.run(program, capture_output=True, text=True, check=False)
        self.assertEqual(clean.returncode, 0, clean.stdout)
        self.put("base/a.cpp", 'int a;\n#include "cli/a.hpp"\n')
        bad = subprocess.run(program, capture_output=True, text=True, check=False)
        self.assertEqual(bad.returncode, 1)
        self.assertIn("base/a.cpp:2: layer:", bad.stdout)


if __name__ == "__main__":
    unittest.main()
