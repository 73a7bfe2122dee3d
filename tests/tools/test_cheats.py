"""Answers that cheat (cheats.py) do not raise the score, and nothing else changes."""

import copy
import json
import os
import runpy
import subprocess
import tarfile
import unittest
import zipfile
from unittest import mock

from tests.support import TREE
from tests.tools import cheats
from tools.build.elffile import ElfError
from tools.grade import answers
from tools.grade.answers import ANSWERS, Submission, SubmissionError
from tools.grade.grader import Grader
from tools.grade.scratch import AnswerTree, Base
from tools.run.buildtree import BuildError
from tools.run.child import Child
from tools.run.tool import make_folder, remove_folder

GRADE = runpy.run_path(TREE.path("grade-lab4"))["PARTS"]


def find_test(name, limit):
    """A test of the grade, with another time limit."""
    test = copy.copy(next(t for part in GRADE for t in part.tests if t.name == name))
    test.limit = limit
    return test


class FolderTest(unittest.TestCase):
    """Each test has a folder for a submission."""

    def setUp(self):
        self.dir = make_folder("jos-submission-")
        self.addCleanup(remove_folder, self.dir)

    def path(self, name):
        return os.path.join(self.dir, *name.split("/"))

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(data)

    def submit(self, *changes):
        """Write our answers with these changes; return the folder."""
        for name, text in cheats.our_answers().items():
            self.write(name, text)
        for change in changes:
            for name, replaced in change.items():
                if isinstance(replaced, str):
                    self.write(name, replaced.replace("MARK", self.path("mark")))
                    continue
                with open(self.path(name), encoding="utf-8") as f:
                    text = f.read()
                for old, new in replaced:
                    self.assertEqual(text.count(old), 1, old)
                    text = text.replace(old, new)
                self.write(name, text)
        return self.dir


class SubmissionTest(FolderTest):
    """What is read from a submission, without building it."""

    def refuse(self, regex, path=None):
        with self.assertRaisesRegex(SubmissionError, regex):
            Submission(path or self.dir)

    def test_answers_are_the_files_that_name_an_exercise(self):
        found = set()
        for name in TREE.sources():
            if name.startswith(("kern/", "lib/", "inc/", "boot/")) and name[-2:] in (
                    ".c", ".h", ".S"):
                with open(TREE.path(name), encoding="utf-8") as f:
                    if "Exercise " in f.read():
                        found.add(name)
        self.assertEqual(found, set(ANSWERS))

    def test_only_answers_are_taken(self):
        self.submit(cheats.FORGED)
        submission = Submission(self.dir, TREE.root)
        self.assertEqual(set(submission.files), set(ANSWERS))
        self.assertTrue(submission.notes[1].startswith("changed but not used: GNUmakefile, "))
        for name in ("grade-lab4", "inc/stdio.h", "kern/Makefrag"):
            self.assertIn(name, submission.notes[1])

    def test_missing_answer_is_not_replaced_by_ours(self):
        self.submit()
        os.unlink(self.path("kern/ipc.c"))
        self.refuse("^missing: kern/ipc.c$")

    def test_empty_submission(self):
        self.refuse("^no answer file was found: expected kern/pmap.c and 13 others$")
        self.refuse("does not exist", self.path("none"))

    def test_link_is_refused(self):
        self.submit()
        os.unlink(self.path("kern/ipc.c"))
        os.symlink(TREE.path("kern", "ipc.c"), self.path("kern/ipc.c"))
        self.refuse("^kern/ipc.c is a link: hand in the file itself$")

    def test_link_to_a_folder_is_refused(self):
        self.submit()
        os.rename(self.path("kern"), self.path("other"))
        os.symlink("other", self.path("kern"))
        self.refuse("^kern is a link: hand in the file itself$")

    def test_large_file_is_refused(self):
        self.submit()
        os.truncate(self.path("kern/ipc.c"), 10 << 30)  # Takes no room on the disk.
        self.refuse("^kern/ipc.c is too large: the limit is 262144 bytes$")

    def test_pipe_is_refused(self):
        self.submit()
        os.unlink(self.path("kern/ipc.c"))
        os.mkfifo(self.path("kern/ipc.c"))
        self.refuse("^kern/ipc.c is not a plain file$")

    def test_unreadable_file_is_refused(self):
        self.submit()
        os.chmod(self.path("kern/ipc.c"), 0)
        if os.access(self.path("kern/ipc.c"), os.R_OK):
            self.skipTest("root can read any file")
        self.refuse("^kern/ipc.c cannot be read: Permission denied$")

    def test_binary_file_is_refused(self):
        self.submit({"kern/ipc.c": "\0"})
        self.refuse("^kern/ipc.c is not a text file$")

    def test_tree_may_be_in_a_folder(self):
        self.submit()
        inner = self.path("a/lab")
        os.makedirs(inner)
        for name in ("kern", "lib"):
            os.rename(self.path(name), os.path.join(inner, name))
        self.assertEqual(len(Submission(self.dir).files), len(ANSWERS))
        os.makedirs(self.path("a/lib/lib"))
        with open(self.path("a/lib/lib/fork.c"), "w", encoding="utf-8"):
            pass
        self.refuse("^there are several trees: a/lab, a/lib$")

    def pack(self, kind, *more):
        """Pack our answers, with the folder lab/ before each name, and more names."""
        path = self.path("answers" + kind)
        self.submit()
        names = [(self.path(name), "lab/" + name) for name in ANSWERS]
        if kind == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                for source, name in [*names, *more]:
                    archive.write(source, name)
        else:
            with tarfile.open(path, "w:gz" if kind != ".tar" else "w") as archive:
                for source, name in [*names, *more]:
                    archive.add(source, name)
        return path

    def test_archives_are_read(self):
        for kind in answers.ARCHIVES:
            with self.subTest(kind=kind):
                path = self.pack(kind, (TREE.path("GNUmakefile"), "../../GNUmakefile"),
                                 (TREE.path("kern", "ipc.c"), "../kern/ipc.c"))
                self.assertEqual(Submission(path).digest(), Submission(self.dir).digest())

    def test_folder_may_have_only_an_archive(self):
        path = self.pack(".zip")
        folder = self.path("handed-in")
        os.mkdir(folder)
        os.rename(path, os.path.join(folder, "lab4.zip"))
        self.assertEqual(Submission(folder).digest(), Submission(self.dir).digest())

    def test_link_in_an_archive_is_refused(self):
        self.write("link", "")
        os.unlink(self.path("link"))
        os.symlink("/etc/passwd", self.path("link"))
        path = self.pack(".tar.gz", (self.path("link"), "lab/kern/ipc.c"))
        self.refuse("^kern/ipc.c is not a plain file$", path)

    def test_archive_that_grows_is_refused(self):
        with open(self.path("zeros"), "wb") as f:
            f.truncate(answers.MAX_ARCHIVE + 1)
        path = self.pack(".tar.gz", (self.path("zeros"), "lab/zeros"))
        self.assertLess(os.stat(path).st_size, 1 << 20)
        self.refuse("^the archive is too large", path)

    def test_damaged_archive_is_an_error(self):
        for kind in answers.ARCHIVES:
            path = self.pack(kind)
            os.truncate(path, os.stat(path).st_size // 2)
            with self.subTest(kind=kind):
                self.refuse("^(the archive cannot be read: |missing: )", path)
            with open(path, "w", encoding="ascii") as f:
                f.write("no archive")
            self.refuse("^the archive cannot be read: ", path)


class CheatTest(FolderTest):
    """Cheats that need a build."""

    slow = True
    needs_build = True

    @classmethod
    def setUpClass(cls):
        cls.base = Base(whole=True)
        cls.addClassCleanup(cls.base.remove)
        cls.base.prepare()

    def grade(self, changes, *names, limit=120):
        """Build a submission, run these tests; return their complaints: a list, None if OK."""
        tree = AnswerTree(self.base, os.cpu_count() or 1)
        try:
            tree.take(Submission(self.submit(*changes)))
            grader = Grader(tree)
            return [grader.boot() or grader.run(find_test(name, limit)).complaint
                    for name in names]
        finally:
            tree.remove()

    def refuse(self, change, error, regex):
        with self.assertRaisesRegex(error, regex):
            self.grade([change])

    def fails(self, changes, name, regex):
        """The test must fail, with this in its complaint."""
        self.assertRegex(self.grade(changes, name)[0] or "passed", regex)

    def test_honest_answers_pass(self):
        self.assertEqual(self.grade([], "dumbfork", "stresssched", "primes"), [None] * 3)

    def test_weak_answers_fail(self):
        complaints = self.grade([cheats.WEAK], "faultread", "dumbfork", "forktree")
        self.assertIsNone(complaints[0])
        self.assertIn("missing: 0: I am the child!", complaints[1])
        self.assertIn("missing: ....: I am '00'", complaints[2])

    def test_kernel_prints(self):
        self.fails([cheats.WEAK, cheats.KERNEL_PRINTS], "dumbfork",
                   "missing: 0: I am the parent!\n(.|\n)*missing: 0: I am the child!")

    def test_call_prints(self):
        self.fails([cheats.WEAK, cheats.CALL_PRINTS], "dumbfork", "missing: 0: I am the child!")

    def test_name_of_the_program_is_not_known(self):
        self.fails([cheats.NAME_IS_KNOWN, cheats.WEAK], "dumbfork", "missing: 0: I am the child!")

    def test_changed_program_is_not_used(self):
        self.fails([cheats.WEAK, cheats.PROGRAM], "dumbfork", "missing: 0: I am the child!")

    def test_library_prints(self):
        self.fails([cheats.WEAK, cheats.LIBRARY_PRINTS], "forktree", "missing: ....: I am '00'")

    def test_library_replaces_functions(self):
        self.refuse(cheats.REPLACES_CPRINTF, SubmissionError,
                    "^lib/fork.c defines cprintf, which belongs to another file$")
        self.refuse(cheats.REPLACES_UMAIN, SubmissionError, "^lib/fork.c defines umain")

    def test_second_start_is_no_child(self):
        self.fails([cheats.SECOND_START], "dumbfork", "2 programs have started; the grade starts 1")

    def test_one_cpu_is_not_four(self):
        self.fails([cheats.ONE_CPU], "stresssched", "ran on one CPU only")

    def test_flood_is_cut_off(self):
        with mock.patch("tools.grade.watch.FLOOD", r"\A(?s:.{100000})"):
            self.fails([cheats.FLOOD], "faultread", "^cut off: the output has more than")

    def test_crash_is_reported(self):
        self.fails([cheats.CRASH], "faultread", "^QEMU ended by itself")

    def test_hang_is_cut_off(self):
        with mock.patch("tools.grade.grader.QUIET_SECONDS", 3):
            self.fails([cheats.HANG], "faultread", "^cut off: no output for .* s")

    def test_other_files_are_not_read(self):
        self.refuse(cheats.INCLUDES_PASSWD, SubmissionError,
                    "^kern/ipc.c includes a file that is not in the project: #include")
        self.refuse(cheats.INCBIN, SubmissionError, "^kern/trapentry.S includes a file")
        self.refuse(cheats.INCLUDES_BY_MACRO, SubmissionError,
                    "^kern/ipc.c includes /dev/null, which is not in the project$")

    def test_huge_object_is_stopped(self):
        self.refuse(cheats.HUGE, BuildError, "^the kernel does not build:")

    def test_build_error_is_shown(self):
        self.refuse({"kern/ipc.c": "int x = ;\n"}, BuildError, "kern/ipc.c:1:9: error: ")

    def test_forged_files_are_not_used(self):
        """The grade script itself, as a teacher runs it."""
        self.submit(cheats.WEAK, cheats.FORGED)
        report = self.path("report.json")
        with Child([TREE.path("grade-lab4"), "--answers", self.dir, "--whole", "--base",
                    self.base.root, "--json", report, "dumbfork", "faultread"],
                   merge=True, tool=True, limit=600, cwd=self.dir) as grade:
            status = grade.wait_for_end()
        self.assertEqual((status, grade.output.rsplit("\n", 2)[1]), (1, "Score: 5/10"))
        self.assertFalse(os.path.exists(self.path("mark")))
        with open(report, encoding="utf-8") as f:
            result = json.load(f)
        self.assertEqual((result["score"], result["max_score"]), (5, 10))
        self.assertIn("changed but not used: GNUmakefile", "\n".join(result["notes"]))
        # Nothing is left behind.
        left = subprocess.run(["git", "status", "--porcelain"], cwd=TREE.root,
                              stdout=subprocess.PIPE, check=False, encoding="utf-8").stdout
        self.assertNotIn("obj/", left)

    def test_errors_of_an_answer_are_no_tracebacks(self):
        try:
            self.grade([{"lib/fork.c": ""}])
        except (SubmissionError, BuildError, ElfError) as e:
            self.assertIn("fork", str(e))
        else:
            self.fail("an empty lib/fork.c builds")
