"""tools/grade/gradelib.py, with a script in place of QEMU: points, messages, and the end of a grade
that is interrupted."""

import os
import re
import select
import signal
import subprocess
import sys

from tests.tools.fakes import GRADE, FakesTest
from tools.run.child import Child

# An output that gets all points of GRADE.
OUTPUT = "zero\none\ntwo\nthree\naudit: 5 pages, 0 environments, balanced"

# The same grade, where the second program never ends.
ENDLESS_GRADE = GRADE.replace('lines=["one"])', 'lines=["one", "last"], no=["f.*"], enough=True)')


# The same grade, with further checks.
CHECKED_GRADE = GRADE.replace("import Part", "import Check, Part").replace(
    'lines=["two"])])', 'lines=["two"])], [Check("fourth", 7, "Fours are good.", "four.c", '
    '["four"], cost=4), Check("fifth", 8, "Twos, too.", "two.c", ["two"], cpus=(1, 4))])')


class GradelibTest(FakesTest):
    def grade(self, output, *args):
        self.fake_tree("cat <<'END'\n%s\nEND\nprintf 'K> '\nexec cat >/dev/null" % output)
        return self.run_tool("grade", *args)

    def test_full_score_is_printed(self):
        status, text = self.grade(OUTPUT)
        self.assertRegex(text, r"^first: OK \(\d+\.\ds\)\nPart A score: 5/5\n\n"
                               r"second: OK \(.*s\)\nthird: OK \(.*s\)\nPart B score: 11/11\n\n"
                               r"Score: 16/16\n$")
        self.assertEqual(status, 0)

    def test_missing_line_is_shown(self):
        status, text = self.grade(OUTPUT.replace("one", "a one"))
        self.assertRegex(text, r"^first: FAIL \(.*s\)\n    missing: one\n")
        self.assertIn("        a one\n", text)
        self.assertIn("\n    run it again: make run-first-nox CPUS=2\n", text)
        self.assertIn("Part A score: 0/5\n", text)
        self.assertIn("Part B score: 1/11\n\nScore: 1/16\n", text)
        self.assertEqual(status, 1)

    def test_last_screenful_is_shown(self):
        lines = ["line %d" % i for i in range(60)]
        status, text = self.grade("\n".join(lines), "second")
        shown = [line.strip() for line in text.split("\n") if re.match(" {8}line", line)]
        self.assertEqual(shown, lines[-24:])  # The 25th line is the prompt.

    def assert_all_fail(self, output, complaint):
        """With this output, each of the three tests must fail with this complaint."""
        status, text = self.grade(output)
        self.assertEqual((status, text.count(": FAIL (")), (1, 3), text)
        self.assertEqual(text.count("\n    " + complaint), 3, text)

    def test_audit_errors_fail_all_tests(self):
        self.assert_all_fail(OUTPUT + "\naudit: page 0x1000 is lost", "audit: page")

    def test_missing_audit_fails_all_tests(self):
        self.assert_all_fail(OUTPUT.replace("audit", "odd"), "missing at the end: audit")

    def test_audit_before_the_end_fails_all_tests(self):
        self.assert_all_fail(OUTPUT + "\n[00000000] new env 00001000",
                             "missing at the end: audit")

    def test_kernel_panic_fails_all_tests(self):
        self.assert_all_fail(OUTPUT + "\nkernel panic on CPU 1 at x.c:3: no", "kernel panic")

    def test_unwanted_line_is_shown(self):
        status, text = self.grade(OUTPUT + "\nfour")
        self.assertIn("must not appear: four\n", text)
        self.assertIn("Score: 11/16\n", text)
        self.assertEqual(status, 1)

    def test_verbose_shows_all_output(self):
        status, text = self.grade(OUTPUT, "-v")
        self.assertEqual((status, text.count("    zero\n")), (0, 3))

    def test_only_named_tests_run(self):
        status, text = self.grade(OUTPUT.replace("one", "a one"), "third")
        self.assertRegex(text, r"^third: OK \(.*s\)\nPart B score: 1/1\n\nScore: 1/1\n$")
        self.assertEqual(status, 0)

    def test_unknown_name_is_an_error(self):
        status, text = self.grade(OUTPUT, "first", "sixth")
        self.assertEqual(text, "no such test: sixth\nthe tests are: first second third\n")
        self.assertEqual(status, 1)

    def test_error_of_qemu_is_shown(self):
        self.fake_tree("echo 'qemu: no such machine' >&2; exit 1")
        status, text = self.run_tool("grade")
        self.assertIn("QEMU cannot run: qemu: no such machine\n", text)
        self.assertEqual(status, 1)

    def test_error_of_the_compiler_is_shown(self):
        self.fake_tree("true", makefile="echo 'init.c:1: error: no'; false")
        status, text = self.run_tool("grade")
        self.assertIn("failed:\ninit.c:1: error: no\n", text)
        self.assertEqual(status, 1)

    def test_test_may_end_at_its_last_line(self):
        # Output after the last expected line does not count, and the program need not end.
        self.fake_tree("printf 'one\\nzero\\nlast\\n'; echo 'kernel panic on CPU 0 at x.c:3: no';"
                       "echo four; exec cat >/dev/null")
        self.write("grade", ENDLESS_GRADE)
        status, text = self.run_tool("grade", "second")
        self.assertRegex(text, r"^second: OK \(.*s\)\nPart B score: 10/10\n")
        self.assertEqual(status, 0)

    def test_endless_program_must_print_all_lines(self):
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

    # ---- Further checks ----

    def checked_grade(self, output, *args):
        self.fake_tree("cat <<'END'\n%s\nEND\nprintf 'K> '\nexec cat >/dev/null" % output)
        self.write("grade", CHECKED_GRADE)
        return self.run_tool("grade", *args)

    def test_passed_checks_change_no_score(self):
        status, text = self.checked_grade(OUTPUT.replace("three", "three\nfour"), "second", "third",
                                          "fourth", "fifth")
        self.assertRegex(text, r"third: OK \(.*s\)\n2 of 2 further checks passed\n"
                               r"Part B score: 11/11\n\nScore: 11/11\n$")
        self.assertEqual(status, 0)

    def test_failed_check_costs_points_and_explains(self):
        for option in ((), ("--strict",)):
            self.setUp()
            status, text = self.checked_grade(OUTPUT, *option)
            self.assertRegex(text, r"\nfourth: FAIL \(.*s\)\n    Fours are good\.\n"
                                   r"    missing: four\n")
            self.assertIn("    Exercise 7: look at four.c\n    run it again: make run-fourth-nox "
                          "CPUS=1\n1 of 2 further checks passed: 4 points off\n"
                          "Part B score: 7/11\n\nScore: 12/16\n", text)
            self.assertEqual(status, 1)

    def test_score_of_a_part_is_not_negative(self):
        status, text = self.checked_grade(OUTPUT.replace("one", "none"), "third", "fourth")
        self.assertIn("0 of 1 further checks passed: 1 points off\nPart B score: 0/1\n", text)

    def test_mit_runs_no_checks(self):
        status, text = self.checked_grade(OUTPUT, "--mit")
        self.assertTrue(text.endswith("Part B score: 11/11\n\nScore: 16/16\n"), text)
        self.assertNotIn("further", text)
        self.assertEqual(status, 0)

    def test_checks_alone_have_no_score(self):
        status, text = self.checked_grade(OUTPUT, "fourth")
        self.assertIn("0 of 1 further checks passed\n\nScore: 0/0\n", text)
        self.assertEqual(status, 1)

    def test_failed_lines_of_a_program_are_the_message(self):
        output = "x: 45: expected -3 (fffffffd), got 0 (00000000): sys_page_alloc(0, 1, 7)\n" * 9
        status, text = self.checked_grade(output, "fourth")
        self.assertIn("    expected -E_INVAL, got 0: sys_page_alloc(0, 1, 7)\n", text)
        self.assertIn("    and 3 more\n", text)
        self.assertNotIn("last lines", text)

    def test_first_failure_ends_the_grade(self):
        self.fake_tree("if grep -q second disk.img; then printf 'K> '; exec cat >/dev/null; fi\n"
                       "exec sleep 1000")
        self.write("grade", CHECKED_GRADE)
        status, text = self.run_tool("grade", "--fail-fast", "-j3")
        self.assertRegex(text, r"^second: FAIL \(.*s\)\n    missing: one\n")
        self.assertTrue(text.endswith("\nNo score: stopped at the first failure.\n"), text)
        self.assertEqual(status, 1)

    # ---- Kernels that do not boot, hang or flood ----

    def test_kernel_that_does_not_boot_fails_all_tests_at_once(self):
        self.fake_tree("")
        self.fake_boot("echo 'kernel panic on CPU 0 at x.c:3: no'; printf 'K> '; "
                       "exec cat >/dev/null")
        status, text = self.run_tool("grade")
        self.assertIn("The kernel does not boot, so no program is run:\n    kernel panic", text)
        self.assertEqual((status, text.count("not run, because")), (1, 3), text)
        self.assertTrue(text.endswith("Score: 0/16\n"), text)

    def test_flood_is_cut_off(self):
        self.fake_tree("exec yes")
        status, text = self.run_tool("grade", "second")
        self.assertIn("cut off: the output has more than", text)
        self.assertEqual(status, 1)

    # ---- Interrupted grades ----

    def fake_that_hangs(self):
        """QEMU writes its process id to a FIFO, then hangs. Returns the path of the FIFO."""
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

    def test_stopped_tool_ends_qemu(self):
        fifo = self.fake_that_hangs()
        with Child([sys.executable, "grade"], cwd=self.dir, tool=True):
            pids = self.read_fifo(fifo)
        self.assert_ended(pids)

    def test_closed_pipe_ends_the_tool(self):
        # Like `| head -1`. The second QEMU hangs; the tool must not wait for it.
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

    def test_failed_write_is_an_error(self):
        self.fake_tree("cat <<'END'\n%s\nEND\nprintf 'K> '\nexec cat >/dev/null" % OUTPUT)
        for target, says in ((">/dev/full", "grade: cannot print: No space left on device\n"),
                             (">&-", "")):
            done = subprocess.run(["sh", "-c", '"$@" ' + target, "sh", sys.executable, "grade"],
                                  cwd=self.dir, stderr=subprocess.PIPE, encoding="utf-8")
            self.assertEqual((done.returncode, done.stderr), (1 if says else 0, says))

    def test_full_temporary_folder_is_an_error(self):
        # A limit on file sizes, in units of 512 bytes, has the effect of a full disk.
        self.fake_tree("true")
        self.write("obj/kern/kernel.img", "x" * 5000)
        too_large = r"first: FAIL .*\n    cannot write /.*/disk\.img: File too large\n"
        for size, error in ((0, r"^cannot make a temporary folder: .*\n$"), (4, too_large)):
            done = subprocess.run(["sh", "-c", 'ulimit -f %d; "$@"' % size, "sh", sys.executable,
                                   "grade"], cwd=self.dir, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, encoding="utf-8")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, error)
            self.assertNotIn("Traceback", done.stdout)

    def read_fifo(self, path):
        """Wait for numbers in a FIFO; return them."""
        fd = os.open(path, os.O_RDWR)
        try:
            self.assertTrue(select.select([fd], [], [], 600)[0], "nothing was written")
            return [int(word) for word in os.read(fd, 64).split()]
        finally:
            os.close(fd)
