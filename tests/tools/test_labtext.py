"""Code from lab notes, in a copy of the tree: ENV_CREATE in i386_init, and the programs in
tests/programs/."""

import glob
import os
import shutil

from tests.support import TREE, KernelTest

JOBS = "-j%d" % (os.cpu_count() or 1)
BEFORE_LINE = "\tstart_programs(boot_cmdline);\n"


class LabTextTest(KernelTest):
    """Tests in one copy of the tree. They run one after the other."""

    needs_build = True

    @classmethod
    def setUpClass(cls):
        cls.tree = TREE.copy_built()
        cls.addClassCleanup(cls.tree.remove)
        for path in glob.glob(TREE.path("tests", "programs", "*.c")):
            shutil.copy(path, cls.tree.path("user"))
        cls.tree.make(JOBS)

    def run_alone(self, name, cpus=1):
        output = self.start(disk=self.tree.disk_image(name), cpus=cpus).run_to_prompt()
        return output.replace("\r", "")

    # ---- Programs that define or declare names of the library ----

    def test_program_may_define_printf(self):
        output = self.run_alone("ownprintf")
        self.assert_in_order(output, ["<2:12 apples>", "<1:twenty character><1:s ab>",
                                      "in all 29",
                                      r"\[00001000\] user warning in ownprintf at .*: "
                                      "this is still printed"])

    def test_program_may_declare_printf(self):
        self.assert_in_order(self.run_alone("declareprintf"), ["by a pointer", "13 characters"])

    def test_program_may_define_console_strings_and_exit(self):
        output = self.run_alone("ownnames", cpus=2)
        self.assert_in_order(output, ["typed by itself", "read: typed by itself",
                                      "exit of its own: 16 characters, strlen called"])
        self.assert_lines(output, ["the child returns"], no=[".*exiting gracefully.*panic.*"])
        self.assertEqual(output.count("exit of its own"), 2)

    # ---- Messages ----

    def test_ipc_send_panics_when_the_receiver_has_ended(self):
        self.may_panic = True  # The program's panic stops at a breakpoint.
        output = self.run_alone("ipcgone", cpus=2)
        self.assert_in_order(output, ["checked: bad environment",
                                      r"\[00001000\] user panic in ipcgone at lib/ipc\.c:\d+: "
                                      "ipc_send: bad environment",
                                      "Welcome to the JOS kernel monitor!"])
        self.assert_lines(output, [], no=["not reached", "kernel panic.*"])

    def test_ipc_send_goes_on_when_made_runnable(self):
        for cpus in (1, 4):
            output = self.run_alone("ipcwoken", cpus=cpus)
            self.assert_lines(output, ["checked: unspecified error"], no=[".*panic.*"])
            for line in ("received 2", "sent"):
                self.assertEqual(output.splitlines().count(line), 2, output)

    # ---- Files and ports ----

    def test_pipes_of_shared_pages_work(self):
        for cpus in (1, 4):
            output = self.run_alone("pipes", cpus=cpus)
            self.assert_lines(output, ["read 67 bytes: right", "no reader after 32 bytes"],
                              no=[".*panic.*"])

    def test_ports_are_refused(self):
        output = self.run_alone("ports")
        self.assert_in_order(output, ["writing to the disk",
                                      "  trap 0x0000000d General Protection"])
        self.assert_lines(output, [], no=["this program may use ports", "it was written"])


class EnvCreateTest(KernelTest):
    """ENV_CREATE in i386_init."""

    needs_build = True
    slow = True

    def copy(self, lines="", head=""):
        """A copy of the tree with these lines in i386_init, where lab notes put them, and this text
        at the top of kern/init.c."""
        tree = TREE.copy_built()
        self.addCleanup(tree.remove)
        path = tree.path("kern", "init.c")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.assertEqual(text.count(BEFORE_LINE), 1)
        with open(path, "w", encoding="utf-8") as f:
            f.write(head + text.replace(BEFORE_LINE, lines + BEFORE_LINE))
        return tree

    def run_tree(self, tree, cmdline):
        return self.start(disk=tree.disk_image(cmdline), cpus=2).run_to_prompt().replace("\r", "")

    def test_env_create_runs_before_the_command_line(self):
        tree = self.copy("\tENV_CREATE(user_yield, ENV_TYPE_USER);\n" * 2)
        tree.make(JOBS)
        output = self.run_tree(tree, "")
        self.assert_lines(output, [r"All done in environment 0000100[01]\."] * 2,
                          no=[".*00001002.*"])
        output = self.run_tree(tree, "hello")
        self.assert_lines(output, [r"All done in environment 00001000\.",
                                   r"All done in environment 00001001\.",
                                   "i am environment 00001002"])

    def test_macro_may_name_the_program(self):
        tree = self.copy(head="#define TEST user_hello\n")
        tree.make(JOBS)
        output = self.run_tree(tree, "yield")
        self.assert_lines(output, ["i am environment 00001000",
                                   r"All done in environment 00001001\."])

    def test_missing_program_does_not_link(self):
        done = self.copy("\tENV_CREATE(user_nosuch, ENV_TYPE_USER);\n").run_make(JOBS)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout, "undefined reference to [`']program_user_nosuch'")
