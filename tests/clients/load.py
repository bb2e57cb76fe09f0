#!/usr/bin/python3
"""A short run of tools/load: many clients, mixed work, no error, nothing left behind."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import SOURCE, case, command, good, run_cases  # noqa: E402  pylint: disable=wrong-import-position


@case("Thirty-two clients do mixed work for fifteen seconds without an error, and leave nothing behind")
def _():
    # Operations are kept for a minute, so memory is looked at in runs of minutes alone.
    good(command(f"{SOURCE}/tools/load", "--clients", "32", "--tls", "4", "--seconds", "15", "--settle", "12", "--no-memory", timeout=300))


if __name__ == "__main__":
    sys.exit(1 if run_cases() else 0)
