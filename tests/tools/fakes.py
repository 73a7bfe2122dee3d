"""Shell scripts in place of QEMU and make, for the tests of the tools."""

import os
import shutil
import subprocess
import sys
import unittest

from tests.support import TREE
from tools.run.tool import make_folder, remove_folder

# A grade with two parts.
GRADE = """
from tools.grade.gradelib import Part, Test, grade
grade([Part("A", [Test("first", 5, lines=["one", "t.o", "three"], no=["f.*"], cpus=2)]),
       Part("B", [Test("second", 10, lines=["one"]), Test("third", 1, lines=["two"])])])
"""

# A script: print two lines and never end.
HANG = "echo first; echo second; exec cat >/dev/null"


BOOT = """if [ -e disk.img ] && ! grep -q '[a-z]' disk.img; then
    printf 'K> '
    exec cat >/dev/null
fi
"""


class FakesTest(unittest.TestCase):
    """Each test has a folder for its scripts and files."""

    def setUp(self):
        self.dir = make_folder("jos-")
        self.addCleanup(remove_folder, self.dir)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def fake_qemu(self, script):
        """Write a shell script that runs in place of QEMU. Returns its path. A grade first boots
        with an empty command line, which is at the start of the disk. Then only the prompt is
        printed."""
        return self.write("fake-qemu", "#!/bin/sh\n" + BOOT + script + "\n", 0o755)

    def fake_boot(self, script):
        """Write a shell script that runs in place of QEMU, also for the boot. Returns its path."""
        return self.write("fake-qemu", "#!/bin/sh\n" + script + "\n", 0o755)

    def fake_tree(self, script, makefile=""):
        """Make the folder a small tree: the tools, a GNUmakefile that builds nothing, a grade."""
        qemu = self.fake_qemu(script)
        self.write("GNUmakefile", "all:\n\t@%s\nprint-qemu:\n\t@echo %s\n"
                   "print-objdir:\n\t@echo obj\n" % (makefile or "true", qemu))
        self.write("obj/kern/kernel.img", "")
        shutil.copytree(TREE.path("tools"), os.path.join(self.dir, "tools"))
        os.mkdir(os.path.join(self.dir, "boot"))
        shutil.copy(TREE.path("boot", "boot.h"), os.path.join(self.dir, "boot"))
        self.write("grade", GRADE)
        os.mkdir(os.path.join(self.dir, "tests"))
        os.mkdir(os.path.join(self.dir, "tests", "host"))

    def run_tool(self, *command):
        """Run a tool of the small tree; return its status and output."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        done = subprocess.run([sys.executable, *command], cwd=self.dir, env=env, timeout=600,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        return done.returncode, done.stdout
