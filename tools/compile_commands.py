#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes compile_commands.json (stdout), for editors and clang tools.

    compile_commands.py --set "COMPILER FLAGS" SOURCE... [--set ...]
"""
import json
import os
import shlex
import sys


def main():
    commands, flags, expects_flags = [], None, False
    for argument in sys.argv[1:]:
        if expects_flags:
            flags, expects_flags = shlex.split(argument), False
        elif argument == "--set":
            expects_flags = True
        elif flags is None:
            print(__doc__, file=sys.stderr)
            return 2
        else:
            commands.append({"directory": os.getcwd(), "file": argument,
                             "arguments": [*flags, "-c", argument]})
    json.dump(commands, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
