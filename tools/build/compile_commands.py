#!/usr/bin/env python3
"""Make a compilation database, for editors and code checkers, from the commands of make.

    make -B -n V=1 all | compile_commands.py > compile_commands.json

The output is in the format of clang's JSON compilation database. It has an entry for each command
on standard input that compiles a single file (-c ... FILE).
"""

import json
import os
import shlex
import sys


def compile_command(line):
    """(file, words of the command) if the line compiles a file, otherwise None."""
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
