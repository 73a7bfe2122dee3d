"""The kernel without kern/challenge/, built by `make CHALLENGES=`: it gets all points of the grade,
and the conformance programs of the lab's system calls pass."""

import subprocess

from tests.support import ICOUNT, TREE, KernelTest

# The programs that check the calls of LAB_SYSCALLS in inc/syscall.h.
CONFORMANCE = ["conform_" + name for name in (
    "cputs", "cgetc", "getenvid", "env_destroy", "page_alloc", "page_map", "page_unmap", "exofork",
    "env_set_status", "yield", "ipc_try_send", "ipc_recv", "memory")]


class ChallengesTest(KernelTest):
    needs_build = True
    slow = True

    @classmethod
    def setUpClass(cls):
        cls.tree = TREE.copy(["CHALLENGES="])
        cls.addClassCleanup(cls.tree.remove)
        cls.tree.make("WERROR=1")

    def test_no_object_of_the_folder(self):
        done = subprocess.run(["nm", self.tree.obj("kern", "kernel")], stdout=subprocess.PIPE,
                              encoding="utf-8", check=True)
        self.assertIn(" sys_ipc_recv\n", done.stdout)
        self.assertNotRegex(done.stdout, " (sys_ipc_send|sysenter_entry|fpu_trap|sys_batch)\n")

    def test_grade(self):
        text = self.tree.make("grade")
        self.assertRegex(text, r"\nScore: 80/80\n")

    def test_conformance(self):
        for program in CONFORMANCE:
            with self.subTest(program=program):
                machine = self.start(disk=self.tree.disk_image(program), args=ICOUNT)
                output = machine.run_to_prompt().replace("\r", "")
                machine.stop()
                self.assert_lines(output, [r"%s: all [1-9]\d* checks passed" % program],
                                  no=[".*FAILED.*", "kernel panic.*"])
