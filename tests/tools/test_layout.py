"""Each folder has a short README, which names only files that exist."""

import glob
import os
import re
import unittest

from tools.run.buildtree import Tree

TREE = Tree()
MAX_LINES = 15
FILE = r"`((?!.*NAME)[\w./*\[\]-]+(?:\.(?:py|c|h|S|ld|mk|txt|md|tmpl|\[ch\])|/))`"
# These folders, and each folder in them
WITH_README = ("conf", "docs", "kern", "lib", "models", "tests", "tools", "user")


class LayoutTest(unittest.TestCase):
    def readmes(self):
        """The READMEs in folders, relative to the root."""
        return [name for name in TREE.sources() if re.search(r"./README\.md$", name)]

    def read(self, name):
        with open(TREE.path(name), encoding="utf-8") as f:
            return f.read()

    def test_each_folder_has_a_readme(self):
        folders = {os.path.dirname(name) for name in TREE.sources()}
        folders = {name for name in folders if name.split(os.sep)[0] in WITH_README}
        self.assertEqual(folders - {os.path.dirname(name) for name in self.readmes()}, set())

    def test_readmes_are_short(self):
        for name in self.readmes():
            with self.subTest(name=name):
                self.assertLessEqual(len(self.read(name).splitlines()), MAX_LINES)

    def test_readmes_name_files_that_exist(self):
        """In the README's folder, in the folder above, in a folder below, or by a path from the
        root."""
        for name in self.readmes():
            for file in re.findall(FILE, self.read(name)):
                with self.subTest(name=name, file=file):
                    folder = TREE.path(os.path.dirname(name))
                    places = (folder, folder + "/..", folder + "/*", TREE.root)
                    self.assertTrue(any(glob.glob(os.path.join(p, file)) for p in places))

    def test_readmes_name_each_test_and_tool(self):
        for name in self.readmes():
            folder = os.path.dirname(name)
            if folder.split(os.sep)[0] in ("tests", "tools"):
                files = [os.path.basename(path) for path in glob.glob(TREE.path(folder, "*.py"))]
                for file in set(files) - {"__init__.py"}:
                    self.assertIn("`%s`" % file, self.read(name))
