#!/usr/bin/env python3
"""Pack the sources of this tree, with changes that are not committed, into FILE: `make tarball`."""

import argparse
import os
import sys
import tarfile

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import Tree
from tools.run.tool import run_tool


def main():
    parser = argparse.ArgumentParser(description="Pack the sources of this tree.")
    parser.add_argument("output", metavar="FILE")
    args = parser.parse_args()
    tree = Tree()
    names = sorted(name for name in tree.sources() if not name.endswith(".tar.gz"))
    temporary = args.output + ".part"
    with tarfile.open(temporary, "w:gz") as archive:
        for name in names:
            if name != temporary:
                archive.add(tree.path(name), name, recursive=False)
    os.replace(temporary, args.output)
    print("%s: %d files" % (args.output, len(names)))


if __name__ == "__main__":
    run_tool(main)
