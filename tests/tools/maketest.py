"""Common code of the tests that run make."""

import os
import re
import time

from tests.support import LIMIT_SECONDS, TREE, KernelTest
from tools.run.buildtree import clean_environment
from tools.run.child import Child
from tools.run.patience import Patience
from tools.run.tool import make_folder, remove_folder


class MakeTest(KernelTest):
    """Tests in a copy of the tree, one for each class. The copy is built if `built` is true."""

    needs_build = True
    slow = True
    built = True

    @classmethod
    def setUpClass(cls):
        cls.tree = TREE.copy_built() if cls.built else TREE.copy()
        cls.addClassCleanup(cls.tree.remove)
        if cls.built:
            cls.tree.make()

    def child(self, *args, tree=None, env=(), limit=LIMIT_SECONDS):
        """Start make. It is stopped when the test ends."""
        child = Child(["make", *args, *(tree or self.tree).variables], limit=limit,
                      cwd=(tree or self.tree).root, env=dict(clean_environment(), **dict(env)))
        self.addCleanup(child.stop)
        return child

    def plan(self, *args, **environment):
        """The commands that make would run, with these environment variables."""
        return self.tree.make("-n", *args, env=dict(clean_environment(), **environment))

    def failure(self, *args, **environment):
        """Run make, which must fail. Returns the reason, which must be the only line besides make's
        `Error N`."""
        done = self.tree.run_make(*args, env=dict(clean_environment(), **environment))
        self.assertNotEqual(done.returncode, 0, done.stdout)
        lines = [line for line in done.stdout.splitlines() if not re.search(r"Error \d+$", line)]
        self.assertEqual(len(lines), 1, done.stdout)
        return lines[0]

    def wait_until(self, child, condition):
        """Poll a condition until it holds, or until the child's time limit."""
        patience = Patience(child.limit, [child.pid])
        while not condition():
            self.assertGreater(patience.left(), 0, child.describe_output())
            time.sleep(0.05)

    def folder(self):
        folder = make_folder("jos-")
        self.addCleanup(remove_folder, folder)
        return folder

    def write(self, path, text, mode=0o644):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path
