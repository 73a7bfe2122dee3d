#!/usr/bin/env python3
"""Print which exercise is next: the first one that is not written yet. In a student's tree, `make`
runs this tool.

An exercise that is not written yet has a message "Exercise N: FUNCTION is not written yet" in the
sources, or a name exerciseN_SOMETHING. Whoever writes the exercise removes both.
"""

import glob
import os
import re
import sys

ROOT = os.path.abspath(__file__ + "/../../..")
MARK = r'"Exercise (\d+): (\w+)|\bexercise(\d+)_(\w+)'


def unwritten(root=ROOT):
    """What is not written yet: {exercise: {file: [names]}}."""
    found = {}
    for path in sorted(glob.glob(os.path.join(root, "kern", "*.[chS]"))
                       + glob.glob(os.path.join(root, "lib", "*.[chS]"))):
        file = os.path.relpath(path, root)
        if os.path.basename(file) == "unwritten.c":
            continue
        with open(path, encoding="utf-8", errors="replace") as f:
            for number, name, number2, name2 in re.findall(MARK, f.read()):
                names = found.setdefault(int(number or number2), {}).setdefault(file, [])
                if (name or name2) not in names:
                    names.append(name or name2)
    return found


def describe(found):
    """The line to print."""
    if not found:
        return "All exercises are written. make grade"
    exercise = min(found)
    return "Next: exercise %d: %s" % (exercise, "; ".join(
        "%s (%s)" % (", ".join(names), file) for file, names in found[exercise].items()))


if __name__ == "__main__":
    print(describe(unwritten()))
    sys.exit(0)
