#!/usr/bin/env python3
"""Pack an autograder for Gradescope into FILE: `make autograder.zip`.

The archive has setup.sh and run_autograder in its root, as Gradescope wants, and the sources of
this tree, with changes that are not committed, in the folder jos.
"""

import argparse
import os
import sys
import zipfile

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import Tree
from tools.run.tool import run_tool

SCRIPTS = ("setup.sh", "run_autograder")
UNUSED = ("tests/", ".ci/", ".github/")


def main():
    parser = argparse.ArgumentParser(description="Pack an autograder for Gradescope.")
    parser.add_argument("output", metavar="FILE")
    args = parser.parse_args()
    tree = Tree()
    names = [name for name in sorted(tree.sources())
             if not name.startswith(UNUSED) and not name.endswith((".tar.gz", ".part"))]
    temporary = args.output + ".part"
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in SCRIPTS:
            archive.write(tree.path("classroom", "gradescope", name), name)
        for name in names:
            archive.write(tree.path(name), "jos/" + name)
    os.replace(temporary, args.output)
    print("%s: %d files" % (args.output, len(names) + len(SCRIPTS)))


if __name__ == "__main__":
    run_tool(main)
