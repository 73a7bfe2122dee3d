#!/usr/bin/env python3
"""Turn what make would run into a compilation database, for editors and checkers.

    make -B -n V=1 all | compile_commands.py > compile_commands.json

Of the commands on standard input, those that compile one file (-c ... FILE) are written
as clang's JSON compilation database describes them.
"""

import json
import os
import shlex
import sys


def compile_command(line):
    """(the file, the command's words) if a line compiles a file, else None."""
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    if "-c" not in words or not words[-1].endswith((".c", ".S")):
        return None
    return words[-1], words


def main():
    entries = []
    for line in sys.stdin:
        found = compile_command(line)
        if found:
            file, words = found
            entries.append({"directory": os.getcwd(), "file": file, "arguments": words})
    if not entries:
        print("compile_commands: no compiler command in the input", file=sys.stderr)
        return 1
    json.dump(entries, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
