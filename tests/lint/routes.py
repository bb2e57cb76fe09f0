#!/usr/bin/env python3
"""What `berth-rest --routes` says of polkit is what the daemon asks: the action beside each route is that of the bus methods it calls.

usage: routes.py ROOT    Each difference is a line; exit status 1 when there are any.
"""

import glob
import re
import sys

ROUTE = re.compile(r'\{"([A-Z]+)", "(/[^"]*)", "([^"]*)", "([^"]*)", \w+\}')
ROW = re.compile(r'\{(k\w+|"[\w.]+"), "(\w+)", (k\w+), [^}]*\}')


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def access_rows(root):
    """Interface and member to action, in the words of the routes."""
    actions = dict(re.findall(r'string_view (k\w+) = "org\.berth\.Berth1\.([\w-]+)"', read(f"{root}/daemon/bus/access_table.hpp")))
    table = read(f"{root}/daemon/bus/access_table.cpp")
    interfaces = dict(re.findall(r'string_view (k\w+) = "org\.berth\.Berth1\.(\w+)"', table))
    return {(interfaces.get(interface), member): actions.get(action) for interface, member, action in ROW.findall(table)}


def main():
    root = sys.argv[1]
    rows, routes, wrong = access_rows(root), 0, []
    for path in sorted(glob.glob(f"{root}/rest-bridge/api/*.cpp")):
        for method, pattern, calls, action in ROUTE.findall(read(path)):
            interface = None
            for call in calls.split(", "):
                interface, member = call.split(".") if "." in call else (interface, call)
                if not interface:
                    continue
                routes += 1
                asked = rows.get((interface, member), "(no row)")
                if asked != action:
                    wrong.append(f"{method} {pattern}: {interface}.{member} asks about {asked}, the route says {action}")
    print("\n".join(wrong))
    print(f"{routes} calls of routes, {len(wrong)} differences")
    return 1 if wrong or routes < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
