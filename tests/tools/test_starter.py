"""The student's tree: sections and sources fit; each step of the lab builds, says what is next, and
has exactly its points. starter/lab4/points.txt is the table."""

import glob
import os
import re
import subprocess
import unittest

from tests.support import TREE, KernelTest, add_tests
from tests.tools.test_layout import FILE
from tools.check.format import FormatError, check
from tools.run.buildtree import Tree, clean_environment
from tools.run.tool import ToolError, make_folder, remove_folder
from tools.teach import next as next_exercise
from tools.teach.sections import SectionError, parse
from tools.teach.starter import Starter, check_dest, parse_exercises, write

EXERCISES = range(1, 16)
SCRIPT = TREE.path("tools", "teach", "starter.py")
MESSAGE = r"Exercise \d+: [^\r\n]*(?=\r?\n)"
QUIET = r"(?:(?:cc|ld|ar|mk) \S+|Next: .*|All exercises are written.*|)"

# In these steps, some programs never end, as the lab's text says. They must not be graded.
ENDLESS = {12: {"spin", "stresssched"}, 13: {"spin", "stresssched"}}


def points_table():
    """{step: (points, tests that pass, program or None, message)} from points.txt."""
    table, passing = {}, []
    with open(TREE.path("starter", "lab4", "points.txt"), encoding="utf-8") as f:
        for line in f:
            if line.startswith("#"):
                continue
            left, right = line.split(" | ")
            step, points, *tests = left.split()
            passing = passing + tests
            program, _, message = right.strip().partition(": ")
            table[int(step)] = (int(points), passing, None if program == "-" else program, message)
    return table


POINTS = points_table()


def with_sources(**changes):
    """A Starter in which files are changed: name with __ for / and _c for .c -> function."""
    starter = Starter(4)
    for name, change in changes.items():
        name = name.replace("__", "/").replace("_c", ".c")
        starter.sources[name] = change(starter.sources[name])
    return starter


class SectionsTest(unittest.TestCase):
    def test_sections_fit_the_sources(self):
        Starter(4).check()
        self.assertEqual(sorted(POINTS), [0, *EXERCISES])
        self.assertEqual(sorted(Starter(4).exercises), [*EXERCISES])

    def assert_error(self, starter, text):
        with self.assertRaisesRegex(SectionError, text):
            starter.check()

    def test_answer_without_section_is_found(self):
        self.assert_error(with_sources(kern__tlb_c=lambda t: t + "// Exercise 7, part two.\n"),
                          r"(?s)exercise07\.txt has no section for this line of kern/tlb\.c:"
                          ".*Exercise 7, part two")
        self.assert_error(with_sources(kern__tlb_c=lambda t: t + "// Exercise 16.\n"),
                          r"exercise 16 is marked in kern/tlb\.c, but has no file .*16\.txt")

    def test_section_without_answer_is_found(self):
        self.assert_error(with_sources(kern__syscall_c=lambda t: t.replace("Exercise 8.", "")),
                          r"exercise08\.txt: no source is marked `Exercise 8`")
        self.assert_error(with_sources(kern__syscall_c=lambda t: t.replace("sys_exofork", "f")),
                          r"exercise07\.txt:\d+: kern/syscall\.c has no function sys_exofork")
        self.assert_error(with_sources(kern__init_c=lambda t: t.replace("boot_aps();", "f();")),
                          r"exercise05\.txt:\d+: kern/init\.c has this text 0 times, not once:")
        starter = Starter(4)
        del starter.sources["lib/fork.h"]
        self.assert_error(starter, r"there is no file lib/fork\.h")

    def test_bad_section_files_are_refused(self):
        for text, error in (
                ("only words\n", "x.txt has no sections"),
                ("@@ a.c\nint\n", "x.txt:1: this is no head of a section: @@ a.c"),
                ("\n@@ a.c function\nint\n", "x.txt:2: this is no head"),
                ("@@ a.c text\nint\n", "x.txt:1: a text must be followed by @@ becomes"),
                ("@@ a.c text\n@@ becomes\nint\n", "x.txt:1: a text must be followed")):
            with self.subTest(text=text), self.assertRaisesRegex(SectionError, error):
                parse("x.txt", text)

    def test_no_answer_is_left(self):
        """No line of code that only the answers have is anywhere in the tree."""
        starter = Starter(4)
        whole, stripped = starter.files(set()), starter.files(set(EXERCISES))
        answers = set()
        for name, text in whole.items():
            if re.match(r"(kern|lib|inc)/.*\.[chS]$", name):
                left = set(stripped.get(name, "").split("\n"))
                answers |= {line.strip() for line in text.split("\n")
                            if line not in left and not line.lstrip().startswith(("//", "#"))}
        # Whole statements; but not those that code without exercises has, too.
        others = {line.strip() for name, text in whole.items() if stripped.get(name) == text
                  and re.search(r"\.[chS]$", name) for line in text.split("\n")}
        answers = {line for line in answers - others
                   if len(line) > 35 and ";" in line and "sti; hlt" not in line}
        self.assertGreater(len(answers), 60)
        self.assertIn("return page_insert(dst->env_pgdir, pp, dstva, perm);", answers)
        for name, text in stripped.items():
            if isinstance(text, str):
                found = answers & {line.strip() for line in text.split("\n")}
                self.assertEqual(found, set(), name)
                found = re.findall(r"\b(?:sfork|sys_batch|sys_ipc_call|sysenter_entry)\b", text)
                self.assertEqual([] if name.startswith("tools/") else found, [], name)
        self.assertEqual([n for n in stripped if re.match("tests/|starter/|.git/|.ci/", n)], [])


class WrittenTreeTest(unittest.TestCase):
    """One tree without any answer, which is not built."""

    @classmethod
    def setUpClass(cls):
        cls.folder = make_folder("jos starter-")
        cls.addClassCleanup(remove_folder, cls.folder)
        cls.root = os.path.join(cls.folder, "my tree")
        TREE.make("starter", "DEST=" + cls.root)

    def path(self, *names):
        return os.path.join(self.root, *names)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def test_next_is_the_first_exercise(self):
        self.assertEqual(next_exercise.describe(next_exercise.unwritten(self.root)),
                         "Next: exercise 1: mmio_map_region (kern/pmap.c)")
        self.assertEqual(sorted(next_exercise.unwritten(self.root)), [*EXERCISES])
        self.assertEqual(next_exercise.unwritten(TREE.root), {})

    def test_scripts_can_be_run(self):
        for name in ("grade-lab4", "conf/setup", "tools/teach/next.py"):
            self.assertTrue(os.access(self.path(name), os.X_OK), name)

    def test_documents_name_files_that_exist(self):
        names = glob.glob(self.path("**", "*.md"), recursive=True)
        self.assertGreater(len(names), 20)
        for name in names:
            with open(name, encoding="utf-8") as f:
                text = f.read()
            folder = os.path.dirname(name)
            for file in set(re.findall(FILE, text)) - {"user/lost.c"}:  # A reader writes this one.
                places = (folder, folder + "/..", folder + "/*", self.root, self.root + "/*")
                with self.subTest(name=os.path.relpath(name, self.root), file=file):
                    self.assertTrue(file.startswith("obj/")
                                    or any(glob.glob(os.path.join(p, file)) for p in places))

    def test_help_and_documents_name_all_targets_and_settings(self):
        tree = Tree(self.root, [])
        text = tree.make("help", env=clean_environment())
        names = re.search(r"(?m)^SETTINGS := ((?:.*\\\n)*.*)$", self.read("conf/settings.mk"))[1]
        for name in set(names.replace("\\", "").split()) | {"next", "grade"}:
            self.assertRegex(text, r"\b%s\b" % name)
            self.assertRegex(self.read("docs/make.md"), r"\b%s\b" % name)
        for name in re.findall(r"(?m)^  make ([\w-]+)", text):
            if name.isupper():
                continue
            if "NAME" not in name and name not in ("gdb", "realclean", "distclean", "clean"):
                self.assertNotEqual(tree.run_make("-n", name).stdout, "", name)

    def test_text_is_laid_out(self):
        try:
            complaints = check(self.root)
        except FormatError as e:
            self.skipTest(str(e))
        self.assertEqual("\n".join(complaints), "")

    # ---- make starter ----

    def refused(self, *args):
        done = subprocess.run([SCRIPT, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", cwd=TREE.root, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout.count("\n"), 1, done.stdout)
        return done.stdout

    def test_bad_destinations_are_refused(self):
        before = os.listdir(self.root)
        self.assertRegex(self.refused(self.root), "is not empty: nothing is written")
        self.assertEqual(os.listdir(self.root), before)
        self.assertRegex(self.refused(self.path("README.md")), "is not a folder")
        self.assertRegex(self.refused(), "say where: make starter DEST=folder")
        for folder in ("kern/new", "new", ".", TREE.path("new")):
            self.assertRegex(self.refused(folder), "is inside this project|is not empty")
            self.assertFalse(os.path.exists(TREE.path("new")))
        empty = os.path.join(self.folder, "empty")
        os.mkdir(empty)
        check_dest(empty)

    def test_bad_exercises_are_refused(self):
        new = os.path.join(self.folder, "new")
        for text in ("16", "0", "x", "4-", "7-4", "-4", "4-16"):
            with self.assertRaisesRegex(ToolError, "EXERCISES: .* from 1 to 15"):
                parse_exercises(text, EXERCISES)
        self.assertRegex(self.refused("--exercises", "3 99", new), "99 is no exercise")
        self.assertRegex(self.refused("--lab", "5", new), "no student's tree for lab 5")
        self.assertFalse(os.path.exists(new))
        self.assertEqual(parse_exercises("4-6, 1 9", EXERCISES), {1, 4, 5, 6, 9})
        self.assertEqual(parse_exercises("", EXERCISES), set(EXERCISES))


class BuiltTreeTest(KernelTest):
    """A tree that is built again and again, with other exercises missing."""

    needs_build = False
    slow = True
    may_panic = True

    @classmethod
    def setUpClass(cls):
        cls.starter = Starter(4)
        root = make_folder("jos-student-")
        variables = [v for v in TREE.variables if not v.startswith(("OBJDIR=", "CHALLENGES="))]
        cls.tree = Tree(root, [*variables, "WERROR=1"])
        cls.addClassCleanup(cls.tree.remove)

    def build(self, missing):
        """Build without a warning. Returns what next.py says."""
        files = self.starter.files(missing)
        for name in self.tree.sources():
            if name not in files:
                os.remove(self.tree.path(name))
        write(files, self.tree.root)
        output = self.tree.make("-s", "-j%d" % (os.cpu_count() or 1))
        self.assertEqual([line for line in output.split("\n") if not re.fullmatch(QUIET, line)], [])
        return output.strip().split("\n")[-1]

    def boot_student(self, program, cpus=1):
        return self.start(disk=self.tree.disk_image(program), cpus=cpus)

    def assert_next(self, line, missing):
        self.assertRegex(line, "^Next: exercise %d: " % min(missing) if missing
                         else "^All exercises are written")


class Student(BuiltTreeTest):
    """Step N: exercises 1 to N are answered. Without N: only exercise N is missing, and its text
    must fit the project's answers around it."""

    def check(self, name):
        kind, number = name.split("_")
        if kind == "step":
            self.check_step(int(number))
        else:
            self.assert_next(self.build({int(number)}), {int(number)})

    def check_step(self, step):
        missing = set(range(step + 1, 16))
        points, passing, program, message = POINTS[step]
        self.assert_next(self.build(missing), missing)
        if program:
            found = self.boot_student(program).wait_for(MESSAGE).group()
            self.assertRegex(found, "^%s$" % message)
        later = POINTS.get(step + 1, POINTS[15])[1] + ["dumbfork", "faultread", "primes"]
        names = [n for n in POINTS[15][1] if n in passing + later
                 and n not in ENDLESS.get(step, ())]
        self.assert_grade(names, passing, points)
        if step >= 3:
            self.assert_boots(step)

    def assert_grade(self, names, passing, points):
        # With the same settings, the grade builds nothing again.
        env = dict(clean_environment(), **dict(v.split("=", 1) for v in self.tree.variables))
        done = subprocess.run([self.tree.path("grade-lab4"), "--mit", "-j", "1", *names],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                              check=False, env=env)
        results = dict(re.findall(r"(?m)^(\w+): (OK|FAIL) ", done.stdout))
        self.assertEqual(results, {n: "OK" if n in passing else "FAIL" for n in names}, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^Score: %d/" % points)

    def assert_boots(self, step):
        """The kernel boots as far as the lab's text says."""
        machine = self.boot_student("yield yield yield", cpus=2)
        output = machine.run_to_prompt()
        self.assert_lines(output, [r"check_page_installed_pgdir\(\) succeeded!"])
        if step >= 5:
            self.assert_lines(output, ["SMP: CPU 1 starting"])
        if step >= 6:
            self.assert_lines(output, [r"All done in environment 0000100%d\." % i for i in range(3)]
                              + ["audit: .* 0 environments, balanced",
                                 "No runnable environments in the system!"])


class FirstHalfTest(Student):
    def test_some_are_missing(self):
        self.assert_next(self.build({4, 5, 6, 7}), {4, 5, 6, 7})
        found = self.boot_student("hello").wait_for(MESSAGE).group()
        self.assertEqual(found, "Exercise 4: trap_init_percpu is not written yet")


class SecondHalfTest(Student):
    def test_spin_keeps_the_cpu_until_exercise_13(self):
        """With interrupts off, nothing can end the child."""
        self.build({13, 14, 15})
        machine = self.boot_student("spin")
        machine.wait_for(r"I am the child\.  Spinning")
        machine.wait_until(lambda: re.search("CPL=3", machine.monitor("info registers")), "spin")
        flags = re.search("EFL=([0-9a-f]+)", machine.monitor("info registers"))[1]
        self.assertEqual(int(flags, 16) & 0x200, 0)


# Two classes, because the tests of a class run one after the other in one tree.
add_tests(FirstHalfTest, ["step_%02d" % step for step in range(0, 10)])
add_tests(FirstHalfTest, ["without_%02d" % exercise for exercise in range(1, 10)])
add_tests(SecondHalfTest, ["step_%02d" % step for step in range(10, 16)])
add_tests(SecondHalfTest, ["without_%02d" % exercise for exercise in range(10, 16)])
