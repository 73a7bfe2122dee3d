"""The tools that run QEMU and report, tried with programs that only play QEMU."""

import os
import select
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import unittest

from tests.support import TREE
from tools.run.bochs import Bochs
from tools.run.buildtree import Tree
from tools.run.child import Child, ChildError, last_lines
from tools.run.machine import Machine
from tools.run.patience import Patience, cpu_waits
from tools.run.tool import make_folder, remove_folder

# A grade of two parts, and an output that is worth all points.
GRADE = """
from tools.grade.gradelib import Part, Test, grade
grade([Part("A", [Test("first", 5, lines=["one", "t.o", "three"], no=["f.*"], cpus=2)]),
       Part("B", [Test("second", 10, lines=["one"]), Test("third", 1, lines=["two"])])])
"""
OUTPUT = "zero\none\ntwo\nthree\naudit: 5 pages, 0 environments, balanced"

# The same, where the second test goes on for ever.
ENDLESS_GRADE = GRADE.replace('lines=["one"])', 'lines=["one", "last"], no=["f.*"], enough=True)')

# Say something and never end.
HANG = "echo first; echo second; exec cat >/dev/null"


class HarnessTest(unittest.TestCase):
    """Gives tests a folder of their own to put fakes in."""

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
        """A shell script to be run as QEMU."""
        return self.write("fake-qemu", "#!/bin/sh\n" + script + "\n", 0o755)

    def fake_tree(self, script, makefile=""):
        """A folder with our tools in it, and a make that has nothing to do."""
        qemu = self.fake_qemu(script)
        self.write("GNUmakefile", "all:\n\t@%s\nprint-qemu:\n\t@echo %s\nprint-objdir:\n\t@echo obj\n"
                   % (makefile or "true", qemu))
        self.write("obj/kern/kernel.img", "")
        shutil.copytree(TREE.path("tools"), os.path.join(self.dir, "tools"))
        os.mkdir(os.path.join(self.dir, "boot"))
        shutil.copy(TREE.path("boot", "boot.h"), os.path.join(self.dir, "boot"))
        self.write("grade", GRADE)
        os.mkdir(os.path.join(self.dir, "tests"))
        os.mkdir(os.path.join(self.dir, "tests", "host"))

    def run_tool(self, *command):
        """Run a tool of the fake tree; return its status and what it printed."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        done = subprocess.run([sys.executable, *command], cwd=self.dir, env=env, timeout=600,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        return done.returncode, done.stdout


class MachineTest(HarnessTest):
    def failure(self, qemu, args=(), limit=60):
        """The text of the error with which waiting for a prompt ends."""
        with self.assertRaises(ChildError) as caught:
            with Machine(qemu, args, limit=limit) as machine:
                machine.run_to_prompt()
        return str(caught.exception)

    def test_missing_qemu_is_named(self):
        text = self.failure(["/nonexistent/qemu"])
        self.assertIn("/nonexistent/qemu: No such file or directory", text)

    def test_bad_option_in_qemus_own_words(self):
        text = self.failure(TREE.qemu() if os.path.exists(TREE.path("GNUmakefile"))
                            else ["qemu-system-i386"], ["-nonsense"])
        self.assertRegex(text, "^QEMU cannot run: .*-nonsense: invalid option$")

    def test_missing_library_in_the_loaders_own_words(self):
        words = "error while loading shared libraries: libx.so.1: cannot open"
        text = self.failure([self.fake_qemu("echo '%s' >&2; exit 127" % words)])
        self.assertEqual(text, "QEMU cannot run: " + words)

    def test_end_is_noticed(self):
        text = self.failure([self.fake_qemu("echo hello")])
        self.assertIn("QEMU ended by itself, with status 0", text)
        self.assertIn("    hello", text)

    def test_hang_is_cut_off_and_shows_last_lines(self):
        text = self.failure([self.fake_qemu(HANG)], limit=1)
        self.assertIn("cut off after 1 s", text)
        self.assertIn("    first\n    second", text)

    def test_nothing_is_left_over(self):
        with Machine([self.fake_qemu("echo $$; exec cat >/dev/null")], disk=b"disk") as machine:
            pid = int(machine.wait_for(r"\d+\n").group())
            folder = machine.dir
            self.assertTrue(os.path.exists(os.path.join(folder, "disk.img")))
        self.assertFalse(os.path.exists(folder))
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    def test_typing_is_heard(self):
        script = "printf 'K> '; read line; echo \"$line\"; echo you said: $line; printf 'K> '; cat"
        with Machine([self.fake_qemu(script)]) as machine:
            self.assertIn("you said: help me\n", machine.command("help me"))

    def test_last_lines(self):
        self.assertEqual(last_lines("a\r\nb\r\nc\r\n", 2), "    b\n    c")


class PatienceTest(HarnessTest):
    def test_seconds_without_a_cpu_do_not_count(self):
        class Starved(Patience):
            def _seconds_without_cpu(self):
                return 0.009
        patience = Starved(0.01, [])
        time.sleep(0.011)
        self.assertGreater(patience.left(), 0)
        time.sleep(0.02)
        self.assertLessEqual(patience.left(), 0)

    def test_it_comes_to_an_end(self):
        class Starved(Patience):
            def _seconds_without_cpu(self):
                return 1000
        patience = Starved(0.001, [])
        time.sleep(0.001 * Patience.MAX_FACTOR)
        self.assertLessEqual(patience.left(), 0)

    @unittest.skipUnless(os.path.exists("/proc/self/task/%d/schedstat" % os.getpid()),
                         "this system does not tell which process waits for a CPU")
    def test_process_that_waits_for_a_cpu_is_seen(self):
        # Of two that loop on the same CPU one has to wait at any time, a process of its child's too.
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

    def test_child_that_loops_is_cut_off(self):
        with Child(["sh", "-c", "while :; do :; done"], limit=0.5) as child:
            self.assertRaisesRegex(ChildError, "cut off after 0.5 s, waiting for: x",
                                   child.wait_for, "x")

    def test_each_wait_has_its_own_limit(self):
        with Child(["sh", "-c", "while read x; do echo $x; done"], limit=2) as child:
            for i in range(6):
                time.sleep(0.5)
                child.send("%d\n" % i)
                child.wait_for("%d\n" % i)


class FolderTest(HarnessTest):
    def test_remove_while_it_is_written_to(self):
        folder = os.path.join(self.dir, "busy")
        os.mkdir(folder)
        # After the folder has gone, all that is left to the writer are complaints.
        with Child(["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); "
                    "echo > $i; test $i -ne 500 || echo; done 2>/dev/null"], cwd=folder) as child:
            child.wait_for("\n")
            remove_folder(folder)
        self.assertFalse(os.path.exists(folder))

    def test_remove_what_is_not_there(self):
        remove_folder(os.path.join(self.dir, "nothing"))


class TreeTest(HarnessTest):
    """Checkouts, without make having to build anything."""

    def copy(self):
        tree = TREE.copy([])
        self.addCleanup(tree.remove)
        return tree

    def test_sources_are_the_same_without_git(self):
        names = TREE.sources()
        self.assertLessEqual({"GNUmakefile", "kern/init.c", "tools/check/check.py"}, set(names))
        self.assertFalse([name for name in names if name.startswith(".git/")
                          or name in (".gdbinit", "compile_commands.json")
                          or name.startswith(os.path.relpath(TREE.obj(), TREE.root))])
        self.assertEqual(sorted(self.copy().sources()), sorted(names))

    def test_objdir_of_env_mk(self):
        tree = self.copy()
        self.assertEqual(tree.obj("kern"), tree.path("obj", "kern"))
        for folder, in_copy in (("built", "built"), (os.path.join(tree.root, "else"), "obj")):
            with open(tree.path("conf", "env.mk"), "w", encoding="utf-8") as f:
                f.write("OBJDIR = %s\n" % folder)
            tree = Tree(tree.root, [])
            self.assertEqual(tree.obj("kern"), os.path.join(tree.root, folder, "kern"))
            # What a copy builds is its own.
            copy = tree.copy()
            self.addCleanup(copy.remove)
            self.assertEqual(copy.obj("kern"), copy.path(in_copy, "kern"))

    def test_bench_without_git(self):
        done = subprocess.run([sys.executable, TREE.path("tools/measure/bench.py"), "--base",
                               "HEAD"],
                              env=dict(os.environ, PATH=self.dir), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8")
        self.assertEqual((done.returncode, done.stdout),
                         (1, "bench: no revision 'HEAD': git is not installed\n"))


class BochsTest(HarnessTest):
    def failure(self, limit=60, **options):
        """The text of the error with which waiting for a prompt ends."""
        with self.assertRaises(ChildError) as caught:
            with Bochs(bytes(1 << 20), limit=limit, **options) as machine:
                machine.run_to_prompt()
        self.assertFalse(os.path.exists(machine.dir))
        return str(caught.exception)

    def test_missing_bochs_is_named(self):
        with self.assertRaisesRegex(ChildError, "Bochs cannot be started: /nonexistent/bochs: No "):
            Bochs(bytes(1 << 20), command=["/nonexistent/bochs"])

    def test_bad_option_in_bochss_own_words(self):
        self.assertRegex(self.failure(model="nonsense"),
                         "^Bochs cannot run: (?s:.*)wrong value for parameter 'model'")

    def test_end_before_the_serial_line_is_there(self):
        text = self.failure(command=[self.fake_qemu("echo drawn; exit 0")])
        self.assertIn("Bochs ended by itself, with status 0\n  there was no output", text)

    def test_no_serial_line_is_cut_off(self):
        text = self.failure(command=[self.fake_qemu(HANG)], limit=1)
        self.assertIn("cut off after 1 s, waiting for: K>", text)

    def test_disk_that_does_not_boot_is_bochss_end(self):
        self.assertIn("No bootable device", self.failure())


class GradeTest(HarnessTest):
    def grade(self, output, *args):
        self.fake_tree("cat <<'END'\n%s\nEND\nprintf 'K> '\nexec cat >/dev/null" % output)
        return self.run_tool("grade", *args)

    def test_full_score(self):
        status, text = self.grade(OUTPUT)
        self.assertRegex(text, r"^first: OK \(\d+\.\ds\)\nPart A score: 5/5\n\n"
                               r"second: OK \(.*s\)\nthird: OK \(.*s\)\nPart B score: 11/11\n\n"
                               r"Score: 16/16\n$")
        self.assertEqual(status, 0)

    def test_missing_line_is_shown(self):
        status, text = self.grade(OUTPUT.replace("one", "a one"))
        self.assertRegex(text, r"^first: FAIL \(.*s\)\n    missing: one\n")
        self.assertIn("        a one\n", text)
        self.assertIn("Part A score: 0/5\n", text)
        self.assertIn("Part B score: 1/11\n\nScore: 1/16\n", text)
        self.assertEqual(status, 1)

    def assert_books_matter(self, output, complaint):
        status, text = self.grade(output)
        self.assertEqual((status, text.count(": FAIL (")), (1, 3), text)
        self.assertEqual(text.count("\n    " + complaint), 3, text)

    def test_books_that_do_not_balance(self):
        self.assert_books_matter(OUTPUT + "\naudit: page 0x1000 is lost", "audit: page")

    def test_no_audit(self):
        self.assert_books_matter(OUTPUT.replace("audit", "odd"), "missing at the end: audit")

    def test_no_audit_at_the_end(self):
        self.assert_books_matter(OUTPUT + "\n[00000000] new env 00001000",
                                 "missing at the end: audit")

    def test_kernel_panic(self):
        self.assert_books_matter(OUTPUT + "\nkernel panic on CPU 1 at x.c:3: no", "kernel panic")

    def test_unwanted_line_is_shown(self):
        status, text = self.grade(OUTPUT + "\nfour")
        self.assertIn("must not appear: four\n", text)
        self.assertIn("Score: 11/16\n", text)
        self.assertEqual(status, 1)

    def test_verbose_shows_all(self):
        status, text = self.grade(OUTPUT, "-v")
        self.assertEqual((status, text.count("    zero\n")), (0, 3))

    def test_by_name(self):
        status, text = self.grade(OUTPUT.replace("one", "a one"), "third")
        self.assertRegex(text, r"^third: OK \(.*s\)\nPart B score: 1/1\n\nScore: 1/1\n$")
        self.assertEqual(status, 0)

    def test_unknown_name(self):
        status, text = self.grade(OUTPUT, "first", "sixth")
        self.assertEqual(text, "no such test: sixth\nthe tests are: first second third\n")
        self.assertEqual(status, 1)

    def test_qemu_that_cannot_run(self):
        self.fake_tree("echo 'qemu: no such machine' >&2; exit 1")
        status, text = self.run_tool("grade")
        self.assertIn("QEMU cannot run: qemu: no such machine\n", text)
        self.assertEqual(status, 1)

    def test_compile_failure(self):
        self.fake_tree("true", makefile="echo 'init.c:1: error: no'; false")
        status, text = self.run_tool("grade")
        self.assertIn("failed:\ninit.c:1: error: no\n", text)
        self.assertEqual(status, 1)

    def test_enough(self):
        # What comes after the last of the lines does not count, nor is there an end.
        self.fake_tree("printf 'one\\nzero\\nlast\\n'; echo 'kernel panic on CPU 0 at x.c:3: no';"
                       "echo four; exec cat >/dev/null")
        self.write("grade", ENDLESS_GRADE)
        status, text = self.run_tool("grade", "second")
        self.assertRegex(text, r"^second: OK \(.*s\)\nPart B score: 10/10\n")
        self.assertEqual(status, 0)

    def test_not_enough(self):
        for output, complaint in (("one\\nlas", "missing: last"), ("last\\nfour\\none", "must not"),
                                  ("one\\nkernel panic on CPU 0: no\\nlast", "kernel panic"),
                                  ("one\\nsome last\\n", "missing: last"),
                                  ("one\\nlasting\\n", "missing: last")):
            with self.subTest(output=output):
                self.setUp()
                self.fake_tree("printf '%s\\nK> '; exec cat >/dev/null" % output)
                self.write("grade", ENDLESS_GRADE)
                status, text = self.run_tool("grade", "second")
                self.assertRegex(text, r"^second: FAIL \(.*s\)\n    %s" % complaint)
                self.assertEqual(status, 1)

    # ---- How it is ended ----

    def fake_that_hangs(self):
        """Let QEMU write its process's number to a FIFO, and hang. Return the FIFO."""
        fifo = os.path.join(self.dir, "fifo")
        os.mkfifo(fifo)
        self.fake_tree("echo $$ > %s; exec cat >/dev/null" % fifo)
        return fifo

    def assert_ended(self, pids):
        for pid in pids:
            with self.assertRaises(ProcessLookupError):
                os.kill(pid, 0)

    def test_interrupt_ends_qemu(self):
        fifo = self.fake_that_hangs()
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                tool = subprocess.Popen([sys.executable, "grade"], cwd=self.dir,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                pids = self.read_fifo(fifo)
                tool.send_signal(number)
                text = tool.communicate(timeout=600)[0]
                self.assertEqual((tool.returncode, text), (1, b"interrupted\n"))
                self.assert_ended(pids)

    def test_tool_that_is_stopped_ends_qemu(self):
        fifo = self.fake_that_hangs()
        with Child([sys.executable, "grade"], cwd=self.dir, tool=True):
            pids = self.read_fifo(fifo)
        self.assert_ended(pids)

    def test_reader_that_goes_away(self):
        # As `| head -1` does. The second QEMU hangs, and would keep the tool waiting.
        fifo = self.fake_that_hangs()
        self.fake_qemu("mkdir %s/first 2>/dev/null || { echo $$ > %s; exec cat >/dev/null; }\n"
                       "cat <<'END'\n%s\nEND\nprintf 'K> '\nexec cat >/dev/null"
                       % (self.dir, fifo, OUTPUT))
        self.write("grade", GRADE.replace("10, ", "10, limit=1000000, "))
        tool = subprocess.Popen([sys.executable, "grade", "-j1"], cwd=self.dir,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        tool.stdout.close()
        self.assertEqual(tool.communicate(timeout=600)[1], b"")
        self.assertEqual(tool.returncode, 1)

    def test_output_that_cannot_be_written(self):
        self.fake_tree("cat <<'END'\n%s\nEND\nprintf 'K> '\nexec cat >/dev/null" % OUTPUT)
        for target, says in ((">/dev/full", "grade: cannot print: No space left on device\n"),
                             (">&-", "")):
            done = subprocess.run(["sh", "-c", '"$@" ' + target, "sh", sys.executable, "grade"],
                                  cwd=self.dir, stderr=subprocess.PIPE, encoding="utf-8")
            self.assertEqual((done.returncode, done.stderr), (1 if says else 0, says))

    def test_temporary_folder_that_is_full(self):
        # A limit on the size of files, in units of 512 bytes, acts as a full disk does.
        self.fake_tree("true")
        self.write("obj/kern/kernel.img", "x" * 5000)
        for size, says in ((0, r"^cannot make a temporary folder: .*\n$"),
                           (4, r"first: FAIL .*\n    cannot write /.*/disk\.img: File too large\n")):
            done = subprocess.run(["sh", "-c", 'ulimit -f %d; "$@"' % size, "sh", sys.executable,
                                   "grade"], cwd=self.dir, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, encoding="utf-8")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, says)
            self.assertNotIn("Traceback", done.stdout)

    def read_fifo(self, path):
        """The numbers that are written to a FIFO."""
        fd = os.open(path, os.O_RDWR)
        try:
            self.assertTrue(select.select([fd], [], [], 600)[0], "nothing was written")
            return [int(word) for word in os.read(fd, 64).split()]
        finally:
            os.close(fd)


class CheckTest(HarnessTest):
    def check(self, test_file, *args):
        self.fake_tree("true")
        self.write("tests/test_it.py", "import unittest\n" + textwrap.dedent(test_file))
        return self.run_tool("tools/check/check.py", *args)

    def test_counts(self):
        status, text = self.check("""
            class A(unittest.TestCase):
                def test_good(self):
                    pass
                def test_bad(self):
                    self.fail("because")
                def test_other(self):
                    raise KeyError("odd")
            """)
        self.assertRegex(text, r"(?m)^ok it.good \(\d+\.\ds\)$")
        self.assertRegex(text, r"(?m)^FAIL it.bad \(\d+\.\ds\)\n    tests/test_it.py:\d+: because$")
        self.assertIn("    KeyError: 'odd'\n", text)
        self.assertEqual(text.split("\n")[-2:], ["1 passed, 2 failed", ""])
        self.assertEqual(status, 1)

    def test_patterns(self):
        source = """
            class A(unittest.TestCase):
                def test_good(self):
                    pass
                def test_bad(self):
                    self.fail("because")
            """
        status, text = self.check(source, "go")
        self.assertEqual((status, text.split("\n")[-2]), (0, "1 passed, 0 failed"))
        status, text = self.run_tool("tools/check/check.py", "it.g*")
        self.assertEqual((status, text.split("\n")[-2]), (0, "1 passed, 0 failed"))
        self.assertEqual(self.run_tool("tools/check/check.py", "--list"), (0, "it.bad\nit.good\n"))
        status, text = self.run_tool("tools/check/check.py", "nothing")
        self.assertEqual(text, "no test has a name like: nothing\n0 passed, 0 failed\n")
        self.assertEqual(status, 1)

    def test_skips_are_counted_apart(self):
        status, text = self.check("""
            class A(unittest.TestCase):
                @unittest.skip("not today")
                def test_skipped(self):
                    pass
                def test_good(self):
                    pass
            """)
        self.assertEqual((status, text.split("\n")[-2]), (0, "1 passed, 0 failed, 1 skipped"))

    def test_subtests_that_fail_are_failures(self):
        status, text = self.check("""
            class A(unittest.TestCase):
                def test_parts(self):
                    for i in range(3):
                        with self.subTest(i=i):
                            self.assertNotEqual(i, 1)
            """)
        self.assertIn("(i=1): tests/test_it.py:", text)
        self.assertEqual((status, text.split("\n")[-2]), (1, "0 passed, 1 failed"))

    def test_class_set_up(self):
        status, text = self.check("""
            class A(unittest.TestCase):
                @classmethod
                def setUpClass(cls):
                    cls.ready = True
                def test_one(self):
                    self.assertTrue(self.ready)
            class B(unittest.TestCase):
                @classmethod
                def setUpClass(cls):
                    raise AssertionError("no compiler")
                def test_two(self):
                    pass
            """)
        self.assertIn("ok it.one", text)
        self.assertIn("no compiler", text)
        self.assertEqual((status, text.split("\n")[-2]), (1, "1 passed, 1 failed"))

    def test_file_that_cannot_be_loaded(self):
        status, text = self.check("import nonsense_that_is_not_there")
        self.assertIn("FAIL tests/test_it.py", text)
        self.assertEqual((status, text.split("\n")[-2]), (1, "0 passed, 1 failed"))

    def test_build_that_fails(self):
        self.fake_tree("true", makefile="echo 'init.c:1: error: no'; false")
        self.write("tests/test_it.py", textwrap.dedent("""
            import unittest
            class A(unittest.TestCase):
                needs_build = True
                def test_good(self):
                    pass
            """))
        status, text = self.run_tool("tools/check/check.py")
        self.assertRegex(text, r"^FAIL build \(")
        self.assertIn("init.c:1: error: no", text)
        self.assertEqual((status, text.split("\n")[-2]), (1, "0 passed, 1 failed"))
