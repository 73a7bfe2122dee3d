"""The tools that run QEMU, Bochs and other programs, with scripts in place of those programs."""

import os
import subprocess
import sys
import time
import unittest

from tests.support import TREE
from tests.tools.fakes import HANG, FakesTest
from tools.run.bochs import Bochs
from tools.run.buildtree import Tree
from tools.run.child import Child, ChildError, last_lines
from tools.run.machine import Machine
from tools.run.patience import Patience, cpu_waits
from tools.run.tool import remove_folder

HANG_SECONDS = 60


class MachineTest(FakesTest):
    def failure(self, qemu, args=(), limit=60):
        """Wait for a prompt, which must fail. Returns the text of the error."""
        with self.assertRaises(ChildError) as caught:
            with Machine(qemu, args, limit=limit) as machine:
                machine.run_to_prompt()
        return str(caught.exception)

    def test_missing_qemu_is_named(self):
        text = self.failure(["/nonexistent/qemu"])
        self.assertIn("/nonexistent/qemu: No such file or directory", text)

    def test_qemus_error_is_shown(self):
        text = self.failure(TREE.qemu() if os.path.exists(TREE.path("GNUmakefile"))
                            else ["qemu-system-i386"], ["-nonsense"])
        self.assertRegex(text, "^QEMU cannot run: .*-nonsense: invalid option$")

    def test_loaders_error_is_shown(self):
        words = "error while loading shared libraries: libx.so.1: cannot open"
        text = self.failure([self.fake_qemu("echo '%s' >&2; exit 127" % words)])
        self.assertEqual(text, "QEMU cannot run: " + words)

    def test_unexpected_end_is_an_error(self):
        text = self.failure([self.fake_qemu("echo hello")])
        self.assertIn("QEMU ended by itself, with status 0", text)
        self.assertIn("    hello", text)

    def test_hang_ends_at_the_limit_and_shows_last_lines(self):
        text = self.failure([self.fake_qemu(HANG)], limit=1)
        self.assertIn("cut off after 1 s", text)
        self.assertIn("    first\n    second", text)

    def test_process_and_folder_are_removed(self):
        with Machine([self.fake_qemu("echo $$; exec cat >/dev/null")], disk=b"disk") as machine:
            pid = int(machine.wait_for(r"\d+\n").group())
            folder = machine.dir
            self.assertTrue(os.path.exists(os.path.join(folder, "disk.img")))
        self.assertFalse(os.path.exists(folder))
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    def test_command_is_typed_and_answered(self):
        script = "printf 'K> '; read line; echo \"$line\"; echo you said: $line; printf 'K> '; cat"
        with Machine([self.fake_qemu(script)]) as machine:
            self.assertIn("you said: help me\n", machine.command("help me"))

    def test_output_through_a_file_does_not_wait_for_its_reader(self):
        million = self.fake_qemu("head -c 1000000 /dev/zero | tr '\\0' x")
        with Machine([million], via_file=True, limit=HANG_SECONDS) as machine:
            with machine.not_reading():
                machine._process.wait(timeout=HANG_SECONDS)
            machine.wait_for_end()
        self.assertEqual(machine.output, "x" * 1000000)

    def test_last_lines_are_indented(self):
        self.assertEqual(last_lines("a\r\nb\r\nc\r\n", 2), "    b\n    c")


class PatienceTest(FakesTest):
    def test_seconds_without_a_cpu_do_not_count(self):
        class Starved(Patience):
            def _seconds_without_cpu(self):
                return 0.009
        patience = Starved(0.01, [])
        time.sleep(0.011)
        self.assertGreater(patience.left(), 0)
        time.sleep(0.02)
        self.assertLessEqual(patience.left(), 0)

    def test_patience_has_an_upper_limit(self):
        class Starved(Patience):
            def _seconds_without_cpu(self):
                return 1000
        patience = Starved(0.001, [])
        time.sleep(0.001 * Patience.MAX_FACTOR)
        self.assertLessEqual(patience.left(), 0)

    @unittest.skipUnless(os.path.exists("/proc/self/task/%d/schedstat" % os.getpid()),
                         "this system does not show how long a process waits for a CPU")
    def test_time_waiting_for_a_cpu_is_measured(self):
        # Two processes loop on the same CPU, so one of them always waits. The first is measured
        # itself, the second as the child of a shell.
        cpu = min(os.sched_getaffinity(0))
        loop = [sys.executable, "-c", "import os\nos.sched_setaffinity(0, {%d})\n"
                "print('here', flush=True)\nwhile True: pass" % cpu]
        with Child(loop) as first, Child(["sh", "-c", '"$@"; true', "sh", *loop]) as second:
            for child in (first, second):
                child.wait_for("here")
                patience = child.patience()
                while max(seconds for threads in cpu_waits([child.pid]).values()
                          for seconds in threads.values()) < 0.2:
                    self.assertGreater(patience.left(), 0)
                    time.sleep(0.01)

    def test_looping_child_ends_at_the_limit(self):
        with Child(["sh", "-c", "while :; do :; done"], limit=0.5) as child:
            self.assertRaisesRegex(ChildError, "cut off after 0.5 s, waiting for: x",
                                   child.wait_for, "x")

    def test_each_wait_has_its_own_limit(self):
        with Child(["sh", "-c", "while read x; do echo $x; done"], limit=2) as child:
            for i in range(6):
                time.sleep(0.5)
                child.send("%d\n" % i)
                child.wait_for("%d\n" % i)


class FolderTest(FakesTest):
    def test_folder_is_removed_while_files_are_written(self):
        folder = os.path.join(self.dir, "busy")
        os.mkdir(folder)
        # When the folder is gone, the shell's writes fail.
        with Child(["sh", "-c", "i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); "
                    "echo > $i; test $i -ne 500 || echo; done 2>/dev/null"], cwd=folder) as child:
            child.wait_for("\n")
            remove_folder(folder)
        self.assertFalse(os.path.exists(folder))

    def test_removing_a_missing_folder_is_no_error(self):
        remove_folder(os.path.join(self.dir, "nothing"))


class TreeTest(FakesTest):
    """Trees in which nothing is built."""

    def copy(self):
        tree = TREE.copy([])
        self.addCleanup(tree.remove)
        return tree

    def test_sources_are_found_without_git(self):
        names = TREE.sources()
        self.assertLessEqual({"GNUmakefile", "kern/init.c", "tools/check/check.py"}, set(names))
        self.assertFalse([name for name in names if name.startswith(".git/")
                          or name in (".gdbinit", "compile_commands.json")
                          or name.startswith(os.path.relpath(TREE.obj(), TREE.root))])
        self.assertEqual(sorted(self.copy().sources()), sorted(names))

    def test_objdir_is_read_from_env_mk(self):
        tree = self.copy()
        self.assertEqual(tree.obj("kern"), tree.path("obj", "kern"))
        for folder, in_copy in (("built", "built"), (os.path.join(tree.root, "else"), "obj")):
            with open(tree.path("conf", "env.mk"), "w", encoding="utf-8") as f:
                f.write("OBJDIR = %s\n" % folder)
            tree = Tree(tree.root, [])
            self.assertEqual(tree.obj("kern"), os.path.join(tree.root, folder, "kern"))
            # A copy builds in its own folder.
            copy = tree.copy()
            self.addCleanup(copy.remove)
            self.assertEqual(copy.obj("kern"), copy.path(in_copy, "kern"))

    def test_bench_needs_git(self):
        done = subprocess.run([sys.executable, TREE.path("tools/measure/bench.py"), "--base",
                               "HEAD"],
                              env=dict(os.environ, PATH=self.dir), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8")
        self.assertEqual((done.returncode, done.stdout),
                         (1, "bench: no revision 'HEAD': git is not installed\n"))


class BochsTest(FakesTest):
    def failure(self, limit=60, **options):
        """Wait for a prompt, which must fail. Returns the text of the error."""
        with self.assertRaises(ChildError) as caught:
            with Bochs(bytes(1 << 20), limit=limit, **options) as machine:
                machine.run_to_prompt()
        self.assertFalse(os.path.exists(machine.dir))
        return str(caught.exception)

    def test_missing_bochs_is_named(self):
        with self.assertRaisesRegex(ChildError, "Bochs cannot be started: /nonexistent/bochs: No "):
            Bochs(bytes(1 << 20), command=["/nonexistent/bochs"])

    def test_bochss_error_is_shown(self):
        self.assertRegex(self.failure(model="nonsense"),
                         "^Bochs cannot run: (?s:.*)wrong value for parameter 'model'")

    def test_end_without_a_serial_line_is_an_error(self):
        text = self.failure(command=[self.fake_boot("echo drawn; exit 0")])
        self.assertIn("Bochs ended by itself, with status 0\n  there was no output", text)

    def test_missing_serial_line_ends_at_the_limit(self):
        text = self.failure(command=[self.fake_qemu(HANG)], limit=1)
        self.assertIn("cut off after 1 s, waiting for: K>", text)

    def test_unbootable_disk_is_an_error(self):
        self.assertIn("No bootable device", self.failure())
