"""tools/grade-class: a small class, with the table, the pages, and what an interruption leaves."""

import csv
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import unittest

from tests.support import TREE
from tests.tools import cheats
from tools.grade import classroom, studentpage
from tools.grade.answers import ANSWERS
from tools.run.buildtree import clean_environment
from tools.run.child import Child
from tools.run.tool import ToolError, make_folder, remove_folder
from tools.teach.starter import Starter

TESTS = ["--test", "faultread", "--test", "dumbfork"]


def entry(name, **result):
    """An entry as the class grader makes it."""
    return {"student": name, "status": "graded", "seconds": 1.5, "key": [], "result": {
        "lab": "lab4", "score": 5, "max_score": 10, "seconds": 1, "error": None, "notes": [],
        "tests": [{"name": "one", "part": "A", "exercise": 7, "passed": True, "points": 5,
                   "max_points": 5, "cost": 0, "message": "", "seconds": 1.0, "repeat": "make 1"},
                  {"name": "two", "part": "B", "exercise": None, "passed": False, "points": 0,
                   "max_points": 5, "cost": 0, "message": "<script>\033", "seconds": 1.0,
                   "repeat": "make 2"}],
        **result}}


def write_answers(folder):
    """Write our answers to a folder."""
    for name, text in cheats.our_answers().items():
        target = os.path.join(folder, *name.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as f:
            f.write(text)


class PagesTest(unittest.TestCase):
    def test_page_has_all_tests(self):
        page = studentpage.student_page(entry("alice"))
        self.assertIn("5 of 10 points", page)
        self.assertIn("1 of 2 tests passed", page)
        self.assertIn("<code>make 2</code>", page)
        self.assertNotIn("make 1", page)

    def test_text_of_a_student_is_no_html(self):
        page = studentpage.student_page(entry("<b>", error="<i>", notes=["<u>"]))
        for text in ("<script>", "<b>", "<i>", "<u>", "\033"):
            self.assertNotIn(text, page)
        self.assertIn("&lt;script&gt;\ufffd", page)

    def test_page_needs_no_network(self):
        page = studentpage.student_page(entry("alice"), ["two.html"])
        self.assertNotRegex(page, r"https?://|<script|src=")
        self.assertIn('href="alice/two.html"', page)
        self.assertNotRegex(studentpage.index_page([entry("alice")]), r"https?://|<script|src=")

    def test_table_is_safe_for_a_spreadsheet(self):
        text = classroom.table([entry("=1+1"), entry("a,b", error='say "no"\nline')])
        rows = list(csv.DictReader(text.splitlines()))
        self.assertEqual([row["student"] for row in rows], ["'=1+1", "a,b"])
        self.assertEqual((rows[0]["one"], rows[0]["two"], rows[1]["error"]),
                         ("5", "0", 'say "no"'))


class FindTest(unittest.TestCase):
    def setUp(self):
        self.dir = make_folder("jos-class-")
        self.addCleanup(remove_folder, self.dir)

    def make(self, *names):
        for name in names:
            path = os.path.join(self.dir, name)
            if name.endswith("/"):
                os.mkdir(path)
            else:
                with open(path, "w", encoding="ascii"):
                    pass

    def test_folders_and_archives_are_students(self):
        self.make("bob/", "Ann Lee.tar.gz", "c.zip", ".git/", "__MACOSX/", "notes.txt")
        self.assertEqual([s.name for s in classroom.find_students(self.dir)],
                         ["Ann_Lee", "bob", "c"])

    def test_two_of_the_same_name_are_an_error(self):
        self.make("bob/", "Bob.tgz")
        with self.assertRaisesRegex(ToolError, "two submissions have the same name: bob"):
            classroom.find_students(self.dir)


class ClassTest(unittest.TestCase):
    """Four students: one has solved all, one not exercise 7, one does not build, one lacks a file.
    The steps build on each other, so this is one test."""

    slow = True
    needs_build = True

    def setUp(self):
        self.dir = make_folder("jos-class-")
        self.addCleanup(remove_folder, self.dir)
        self.folder, self.out = (os.path.join(self.dir, name) for name in ("class", "out"))
        for student in ("ann", "bob", "carl", "dora"):
            write_answers(os.path.join(self.folder, student))
        (old, new), = cheats.WEAK["kern/syscall.c"]
        self.change("bob", "kern/syscall.c", lambda text: text.replace(old, new))
        self.change("carl", "kern/ipc.c", lambda text: "int <x>;\n" + text)
        os.unlink(os.path.join(self.folder, "dora", "kern", "pmap.c"))

    def change(self, student, name, function):
        path = os.path.join(self.folder, student, *name.split("/"))
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(function(text))

    def start(self, *options):
        return Child([TREE.path("tools", "grade-class"), self.folder, "-o", self.out, "--whole",
                      *TESTS, *options], merge=True, tool=True, limit=1200)

    def grade(self, *options):
        with self.start(*options) as child:
            self.assertEqual(child.wait_for_end(), 0, child.output)
            return child.output

    def rows(self):
        with open(os.path.join(self.out, "grades.csv"), encoding="utf-8") as f:
            return {row["student"]: row for row in csv.DictReader(f)}

    def page(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8") as f:
            return f.read()

    def test_class(self):
        self.interrupt()
        self.go_on()
        self.grade_again_what_has_changed()

    def interrupt(self):
        with self.start("-j1") as child:
            child.wait_for(r"\[1/4\] ann +10/10 .*\n")
            os.kill(child.pid, signal.SIGINT)
            self.assertEqual(child.wait_for_end(), 1)
            self.assertRegex(child.output, r"[1-3] of 4 submissions are graded\. The same command "
                                           r"goes on with the others\.\ninterrupted\n$")
        self.assertEqual(self.rows()["ann"]["score"], "10")
        self.assertNotIn("dora", self.rows())

    def go_on(self):
        output = self.grade()
        self.assertRegex(output, r"ann +10/10  graded before")
        self.assertNotIn("built our own tree", output)
        rows = self.rows()
        self.assertEqual({name: (row["score"], row["status"]) for name, row in rows.items()},
                         {"ann": ("10", "graded"), "bob": ("5", "graded"),
                          "carl": ("0", "not graded"), "dora": ("0", "not graded")})
        self.assertEqual((rows["bob"]["faultread"], rows["bob"]["dumbfork"]), ("5", "0"))
        self.assertEqual(rows["dora"]["error"], "missing: kern/pmap.c")
        self.assertIn("missing: 0: I am the child!", self.page("bob.html"))
        self.assertRegex(self.page("carl.html"), r"kern/ipc\.c:1:5: error: .*&lt;")
        self.assertIn('href="carl.html"', self.page("index.html"))
        self.assertFalse([name for name in os.listdir(os.path.join(self.out, "results"))
                          if not name.endswith(".json")])

    def grade_again_what_has_changed(self):
        self.change("carl", "kern/ipc.c", lambda text: text.split("\n", 1)[1])
        output = self.grade()
        self.assertEqual(len(re.findall("graded before", output)), 2, output)
        self.assertEqual(self.rows()["carl"]["score"], "10")


class ScriptTest(unittest.TestCase):
    """A test that runs files of classroom/, as a platform runs them."""

    def setUp(self):
        self.dir = make_folder("jos-platform-")
        self.addCleanup(remove_folder, self.dir)

    def run_script(self, path, *args, **env):
        done = subprocess.run([path, *args], cwd=self.dir, timeout=1200, check=False,
                              env={**clean_environment(), **env}, encoding="utf-8",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout


class PlatformTest(ScriptTest):
    def test_classroom50_score_is_the_sum(self):
        """With a grade script that only writes a result."""
        report = {**entry("ann")["result"], "score": 3, "tests": [
            {"name": "one", "part": "A", "passed": True, "points": 5, "max_points": 5, "cost": 0,
             "message": ""},
            {"name": "further", "part": "A", "passed": False, "points": 0, "max_points": 0,
             "cost": 2, "message": "expected"}]}
        os.mkdir(os.path.join(self.dir, "jos"))
        with open(os.path.join(self.dir, "jos", "grade-lab4"), "w", encoding="utf-8") as f:
            f.write("import sys\nopen(sys.argv[-1], 'w').write(%r)\n" % json.dumps(report))
        script = os.path.join(self.dir, "autograder.py")
        shutil.copy(TREE.path("classroom", "classroom50", "autograder.py"), script)
        names = "CLASSROOM ASSIGNMENT SUBMISSION_TAG COMMIT_URL RELEASE_URL".split()
        self.run_script("python3", script, **{name: name.lower() for name in names})
        with open(os.path.join(self.dir, "result.json"), encoding="utf-8") as f:
            result = json.load(f)
        self.assertEqual((result["score"], result["max-score"]), (3, 10))
        self.assertEqual(sum(t["score"] for t in result["tests"]), 3)
        self.assertEqual([(t["test-name"], t["passed"], t["max-score"]) for t in result["tests"]],
                         [("Part A", False, 5), ("further", False, 0)])

    def test_classroom50_build_error(self):
        convert = runpy.run_path(TREE.path("classroom", "classroom50", "autograder.py"))["convert"]
        names = "CLASSROOM ASSIGNMENT SUBMISSION_TAG COMMIT_URL RELEASE_URL".split()
        result = convert(entry("ann", score=0, error="no", tests=[])["result"],
                         dict.fromkeys(names, ""))
        self.assertEqual(result["tests"], [{"test-name": "build", "passed": False, "score": 0,
                                            "max-score": 10, "message": "no"}])

    def test_settings_name_what_exists(self):
        with open(TREE.path(".devcontainer", "devcontainer.json"), encoding="utf-8") as f:
            build = json.load(f)["build"]
        self.assertTrue(os.path.exists(TREE.path(".devcontainer", build["dockerfile"])))
        with open(TREE.path("classroom", "Dockerfile"), encoding="utf-8") as f:
            copied = re.search(r"(?m)^COPY (\S+) ", f.read())[1]
        self.assertTrue(os.path.exists(TREE.path(copied)))
        with open(TREE.path("classroom", "github", "grade.yml"), encoding="utf-8") as f:
            commands = re.findall(r"run: (.*)", f.read())
        self.assertEqual([command.split()[0] for command in commands],
                         ["conf/setup", "./grade-lab4"])
        usage = subprocess.run([TREE.path("grade-lab4"), "--help"], stdout=subprocess.PIPE,
                               check=True, encoding="utf-8").stdout
        for option in re.findall(r"--\w+", commands[1]):
            self.assertIn(option, usage)


class GradescopeTest(ScriptTest):
    slow = True
    needs_build = True

    def test_autograder_grades_a_submission(self):
        """Unpack the archive, set up, grade the student's tree as it is handed out."""
        packed = os.path.join(self.dir, "autograder.zip")
        subprocess.run(["python3", TREE.path("tools", "build", "autograder.py"), packed],
                       check=True, stdout=subprocess.DEVNULL)
        home = os.path.join(self.dir, "home")
        # Python's zipfile does not restore that a file is executable.
        subprocess.run(["python3", "-m", "zipfile", "-e", packed, os.path.join(home, "source")],
                       check=True)
        for name in ("setup.sh", "run_autograder", "jos/conf/setup", "jos/grade-lab4"):
            os.chmod(os.path.join(home, "source", *name.split("/")), 0o755)
        files = Starter(4, TREE.root).files(set(range(1, 16)))
        for name in ANSWERS:
            target = os.path.join(home, "submission", *name.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as f:
                f.write(files[name])
        self.run_script(os.path.join(home, "source", "setup.sh"), AUTOGRADER=home)
        self.run_script(os.path.join(home, "source", "run_autograder"), "faultread", "dumbfork",
                        AUTOGRADER=home)
        with open(os.path.join(home, "results", "results.json"), encoding="utf-8") as f:
            result = json.load(f)
        self.assertEqual([(t["name"], t["score"], t["max_score"]) for t in result["tests"]],
                         [("dumbfork", 0, 5), ("faultread", 0, 5)])
        self.assertEqual(result["score"], 0)
        shutil.rmtree(os.path.join(home, "submission"))
        os.mkdir(os.path.join(home, "submission"))
        self.run_script(os.path.join(home, "source", "run_autograder"), AUTOGRADER=home)
        with open(os.path.join(home, "results", "results.json"), encoding="utf-8") as f:
            result = json.load(f)
        self.assertEqual(result["score"], 0)
        self.assertIn("no answer file was found", result["output"])
