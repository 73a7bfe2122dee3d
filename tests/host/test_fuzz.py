"""make fuzz-host: runs each target with its kept inputs and with new ones, the same in every run;
and finds a mistake in the kernel."""

import errno
import os
import platform
import re
import shutil
import subprocess
import unittest

from tools.run.buildtree import Tree
from tools.run.tool import make_folder, remove_folder

RUNS, SEED = 3000, 4

# conf/setup can install the libraries only on these systems.
CAN_FUZZ = platform.system() == "Linux" and re.fullmatch("x86_64|i.86", platform.machine()) \
    and shutil.which("apt-get")


def refuses_32_bit_programs():
    """True if this computer's kernel has no support for 32-bit programs, as in some virtual
    machines."""
    folder = make_folder("jos-")
    try:
        program = os.path.join(folder, "program")
        subprocess.run(["clang", "-m32", "-x", "c", "-o", program, "-"], check=True,
                       input=b"int main(void) { return 0; }")
        subprocess.run([program], check=True)
    except OSError as e:
        return e.errno == errno.ENOEXEC
    except subprocess.CalledProcessError:
        pass  # Something else is wrong, which the tests report.
    finally:
        remove_folder(folder)
    return False


@unittest.skipUnless(CAN_FUZZ, "conf/setup knows no 32-bit libFuzzer for this system")
class FuzzTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if refuses_32_bit_programs():
            raise unittest.SkipTest("this computer's kernel does not run 32-bit programs")

    def fuzz(self, target, tree=None):
        """Build a target and run it. Return make's exit status and output."""
        tree = tree or Tree(variables=[])
        folder = os.path.join(tree.objdir(), "test-" + self._testMethodName)
        self.addCleanup(remove_folder, tree.path(folder))
        done = tree.run_make(
            "-s", "fuzz-host", "FUZZ=" + target, "FUZZ_RUNS=%d" % RUNS, "FUZZ_SEED=%d" % SEED,
            "WERROR=1", "OBJDIR=" + folder)
        return done.returncode, done.stdout

    def check(self, target):
        status, text = self.fuzz(target)
        self.assertEqual(status, 0, text)
        found = re.search(r"(?m)^%s: (\d+) executions, of (\d+) kept inputs and new ones, seed %d: "
                          "nothing found$" % (target, SEED), text)
        self.assertTrue(found, text)
        executions, kept = map(int, found.groups())
        self.assertEqual(kept, len(os.listdir(Tree().path("fuzz", "corpus", target))))
        self.assertGreaterEqual(executions, kept + RUNS)

    def test_every_target_has_a_test(self):
        targets = {file[:-2] for file in os.listdir(Tree().path("fuzz")) if file.endswith(".c")}
        self.assertEqual({"test_" + target for target in targets - {"host"}},
                         {name for name in dir(self) if hasattr(self, name) and
                          name.startswith("test_")} - {"test_every_target_has_a_test",
                                                       "test_mistake_in_the_kernel_is_found"})

    def test_elf(self):
        self.check("elf")

    def test_firmware(self):
        self.check("firmware")

    def test_multiboot(self):
        self.check("multiboot")

    def test_pmap(self):
        self.check("pmap")

    def test_printfmt(self):
        self.check("printfmt")

    def test_string(self):
        self.check("string")

    def test_mistake_in_the_kernel_is_found(self):
        tree = Tree().copy()
        self.addCleanup(tree.remove)
        path = tree.path("kern", "elf.h")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        right, wrong = "offset <= size && len <= size - offset", "offset + len <= size"
        self.assertEqual(text.count(right), 1)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(right, wrong))
        status, text = self.fuzz("elf", tree)
        self.assertNotEqual(status, 0, text)
        self.assertRegex(text, r"(?m)^elf: FOUND something with a kept input:$")
        self.assertRegex(text, r"(?m)^  to see it again: \S+/elf \S+/fuzz/corpus/elf/\S+$")


if __name__ == "__main__":
    unittest.main()
