"""make: names of programs, prep, tarball, clean; two makes at once; the terminal; line ends."""

import fcntl
import glob
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tarfile
import termios
import unittest

from tests.support import LIMIT_SECONDS, TREE
from tests.tools.maketest import MakeTest
from tools.build.mkimage import SECTOR
from tools.run.buildtree import clean_environment
from tools.run.child import Child
from tools.run.machine import PROMPT
from tools.run.patience import Patience

LEAVE_QEMU = "\001x"  # Ctrl-a x


class TwoMakesTest(MakeTest):
    """Two makes in one tree. A slow compiler keeps the first make busy."""

    built = False
    needs_build = False

    def slow_compiler(self):
        """A compiler that prints `compiling`, then waits until the file `go` exists."""
        folder = self.folder()
        self.go = os.path.join(folder, "go")
        return self.write(
            os.path.join(folder, "cc"), "#!/bin/sh\ncase \" $* \" in *' -c '*) echo compiling;"
            " while [ ! -e '%s' ]; do sleep 0.05; done;; esac\nexec gcc \"$@\"\n" % self.go, 0o755)

    def end_wait(self):
        """Let the slow compiler go on."""
        self.write(self.go, "")

    def first_make(self, *args):
        objdir = args[0].split("=")[1] if args else "obj"
        first = self.child("CC=" + self.slow_compiler(), *args, objdir + "/kern/printf.o")
        first.wait_for("compiling")
        return first

    def wait_for_message(self, child):
        """Wait until a make prints that it waits, on stderr, where Child.wait_for does not look."""
        self.wait_until(child, lambda: "waiting for another make" in child.errors)

    def test_second_make_waits(self):
        self.tree.make("clean")
        first = self.first_make()
        second = self.child("CC=" + os.path.join(os.path.dirname(self.go), "cc"),
                            "obj/kern/printf.o")
        self.wait_for_message(second)
        self.assertIn("process %d," % first.pid, second.errors)
        self.assertEqual(second.output, "")
        self.end_wait()
        self.assertEqual((first.wait_for_end(), second.wait_for_end()), (0, 0))
        self.assertNotIn("compiling", second.output)

    def test_clean_waits_for_builds_in_subfolders(self):
        first = self.first_make("OBJDIR=obj/san")
        clean = self.child("clean")
        self.wait_for_message(clean)
        self.assertTrue(os.path.exists(self.tree.path("obj", "san")))
        self.end_wait()
        self.assertEqual((first.wait_for_end(), clean.wait_for_end()), (0, 0))
        self.assertFalse(os.path.exists(self.tree.path("obj")))

    def test_killed_make_releases_the_lock(self):
        first = self.first_make()
        os.kill(first.pid, signal.SIGKILL)
        second = self.child("obj/kern/printf.o")
        self.assertEqual(second.wait_for_end(), 0, second.errors)
        self.assertNotIn("waiting", second.errors)

    def test_make_inside_make_does_not_wait(self):
        rules = self.write(os.path.join(self.folder(), "rules"),
                           "include GNUmakefile\nouter: lib/entry.S\n"
                           "\t@sh -c '$(MAKE) obj/lib/entry.o'\n")
        done = self.child("-f", rules, "outer")
        self.assertEqual(done.wait_for_end(), 0, done.errors)
        self.assertNotIn("waiting", done.errors)

    def test_targets_that_build_nothing_do_not_wait(self):
        first = self.first_make()
        for args in (["-n"], ["print-qemu"], ["-s", "print-gdbport"]):
            self.tree.make(*args)
        self.end_wait()
        first.wait_for_end()


class NamesTest(MakeTest):
    PROGRAM = '#include <inc/lib.h>\n\nvoid\numain(int argc, char **argv)\n{\n' \
              '\tcprintf("%s runs\\n", argv[0]);\n}\n'

    def test_names_need_not_be_c_identifiers(self):
        os.mkdir(self.tree.path("user", "new"))
        paths = [self.tree.path("user", name + ".c")
                 for name in ("a-b", "2x", "a.b.c", "c++", "x_y", "if", "new/in-folder")]
        names = [os.path.basename(path)[:-len(".c")] for path in paths]
        for path in paths:
            self.write(path, self.PROGRAM)
        self.tree.make()
        for name in names:
            with self.subTest(name=name):
                self.tree.make("obj/run/%s.img" % name)
        image = self.tree.disk_image(" ".join(names))
        output = self.start(disk=image).run_to_prompt()
        self.assert_lines(output, [re.escape(name) + " runs" for name in names])
        for path in paths:
            os.remove(path)

    def test_unusable_names_are_refused(self):
        for name in ("my prog", "a,b", "a=b", "a:b", "it's", "$HOME", "a#b", "100%", "naïve",
                     "x-nox", "x-nox-gdb", "x.asm", "-x", "a(b", "a\\b", 'a"b', "a;b", "*"):
            with self.subTest(name=name):
                path = self.tree.path("user", name + ".c")
                self.write(path, self.PROGRAM)
                self.addCleanup(lambda path=path: os.path.exists(path) and os.remove(path))
                for goal in ("all", "run-hello-nox"):
                    self.assertIn("Rename 'user/%s.c'" % name, self.failure(goal))
                os.remove(path)

    def test_unusable_names_in_folders_are_refused(self):
        # A few names are enough: make checks the names in all folders together.
        for folder, name in (("bench", "a,b"), ("bench", "-x"), ("my-own", "x-nox"), ("a b", "x")):
            with self.subTest(folder=folder, name=name):
                path = self.tree.path("user", folder, name + ".c")
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self.write(path, self.PROGRAM)
                self.addCleanup(lambda path=path: os.path.exists(path) and os.remove(path))
                self.assertIn("Rename 'user/%s/%s.c'" % (folder, name), self.failure("all"))
                os.remove(path)

    def test_same_name_in_two_folders_is_refused(self):
        for first, second in (("user/benchnull.c", "user/bench/benchnull.c"),
                              ("user/hello.c", "user/my-own/hello.c")):
            with self.subTest(name=first):
                new = [self.tree.path(path) for path in (first, second)
                       if not os.path.exists(self.tree.path(path))]
                self.assertEqual(len(new), 1)
                os.makedirs(os.path.dirname(new[0]), exist_ok=True)
                self.write(new[0], self.PROGRAM)
                try:
                    self.assertRegex(self.failure("all"), "Two programs have the same name. "
                                     r"Rename one of: %s %s\." % (first, second))
                finally:
                    os.remove(new[0])

    def test_prefix_user_is_accepted(self):
        self.assertIn("--cmdline 'hello'", self.plan("-B", "obj/run/user_hello.img"))

    def test_missing_program_is_named(self):
        for goal in ("run-nothing", "run-nothing-nox-gdb", "prep-nothing"):
            self.assertIn("There is no program user/nothing.c", self.failure(goal))


class GoalsTest(MakeTest):
    def cmdline(self):
        image = self.tree.read_obj("kern", "kernel.img")
        return image[SECTOR:2 * SECTOR].rstrip(b"\0").decode()

    def test_prep_sets_the_command_line(self):
        self.assertIn("kernel.img runs hello", self.tree.make("prep-hello"))
        self.assertEqual(self.cmdline(), "hello")
        self.assertIn("kernel.img runs yield", self.tree.make("prep-user_yield"))
        self.assertEqual(self.cmdline(), "yield")
        self.tree.make()
        self.assertEqual(self.cmdline(), "yield yield yield")

    def test_definition_names_the_program(self):
        self.tree.make("DEFS=-DTEST=user_hello")
        output = self.start(disk=self.tree.read_obj("kern", "kernel.img")).run_to_prompt()
        self.assert_lines(output, ["hello, world"], no=[".*00001001.*"])
        self.tree.make()

    def test_tarball_has_the_sources(self):
        output = self.tree.make("tarball")
        name = self.tree.path("lab4-handin.tar.gz")
        with tarfile.open(name) as archive:
            names = archive.getnames()
        self.assertLessEqual({"GNUmakefile", "kern/init.c", "conf/setup", "user/hello.c"},
                             set(names))
        self.assertEqual([n for n in names if n.startswith("obj") or n.endswith(".tar.gz")], [])
        self.assertIn("lab4-handin.tar.gz: %d files" % len(names), output)
        self.tree.make("tarball")  # Must not pack the first tarball

    def test_clean_targets_remove_only_their_files(self):
        tree = TREE.copy()
        self.addCleanup(tree.remove)
        before = set(os.listdir(tree.root))
        tree.make("tarball", ".gdbinit", "obj/kern/init.o")
        tree.make("clean")
        self.assertEqual(set(os.listdir(tree.root)) - before, {"lab4-handin.tar.gz"})
        tree.make("realclean")
        self.assertEqual(set(os.listdir(tree.root)), before)
        tree.make("tarball", "obj/kern/init.o")
        tree.make("distclean")
        self.assertEqual(set(os.listdir(tree.root)), before)
        self.assertEqual(glob.glob(tree.path("**", "__pycache__"), recursive=True), [])

    def test_distclean_keeps_env_mk(self):
        self.assertTrue(os.path.exists(self.tree.path("conf", "env.mk")))

    def test_objdir_in_env_mk_is_used(self):
        tree = TREE.copy()
        self.addCleanup(tree.remove)
        with open(tree.path("conf", "env.mk"), "a", encoding="utf-8") as f:
            f.write("OBJDIR = built/here\n")
        self.assertEqual(tree.obj("kern"), tree.path("built/here/kern"))
        done = subprocess.run(["./grade-lab4", "faultread"], cwd=tree.root, encoding="utf-8",
                              env=clean_environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=LIMIT_SECONDS * 4, check=False)
        self.assertRegex(done.stdout, r"(?m)^Score: 5/5$")
        self.assertFalse(os.path.exists(tree.path("obj")))


class TerminalTest(MakeTest):
    def flags(self, fd):
        return termios.tcgetattr(fd), fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK

    def test_terminal_settings_are_restored(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        before = self.flags(theirs)
        with subprocess.Popen(["make", "-s", "run-hello-nox"], cwd=self.tree.root, stdin=theirs,
                              stdout=theirs, stderr=theirs, env=clean_environment(),
                              start_new_session=True) as process:
            self.addCleanup(process.kill)
            output, patience, left = b"", Patience(LIMIT_SECONDS, [process.pid]), False
            while process.poll() is None and patience.left() > 0:
                if select.select([ours], [], [], 0.1)[0]:
                    output += os.read(ours, 4096)
                if not left and re.search(PROMPT, output.decode()):
                    os.write(ours, LEAVE_QEMU.encode())
                    left = True
            process.kill()
            self.assertEqual(process.wait(), 0, output)
        self.assertIn(b"hello, world", output)
        self.assertNotIn(b"\033", output)
        self.assertEqual(self.flags(theirs), before)

    def test_control_c_goes_to_the_kernel(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        answers = [("new env 00001000", b"\003"),
                   (r"Ctrl-C on CPU 0;(?s:.*)" + PROMPT, b"continue\n"),
                   (r"K> continue\r+\n\Z", b"\020"),
                   (r"nothing: it is on CPU 0\r+\nEnvironments: 1 ", LEAVE_QEMU.encode())]
        with subprocess.Popen(["make", "-s", "run-endless-nox"], cwd=self.tree.root, stdin=theirs,
                              stdout=theirs, stderr=theirs, env=clean_environment(),
                              start_new_session=True) as process:
            self.addCleanup(process.kill)
            output, patience = b"", Patience(LIMIT_SECONDS, [process.pid])
            while process.poll() is None and patience.left() > 0:
                if select.select([ours], [], [], 0.1)[0]:
                    output += os.read(ours, 4096)
                if answers and re.search(answers[0][0], output.decode()):
                    os.write(ours, answers.pop(0)[1])
            process.kill()
            self.assertEqual((process.wait(), answers), (0, []), output)

    def run_with(self, stdin, *args):
        """Run make with this redirection of stdin until the prompt; end it by a signal."""
        with Child(["sh", "-c", "exec make -s run-hello-nox %s" % stdin], cwd=self.tree.root,
                   limit=LIMIT_SECONDS, env=clean_environment()) as child:
            child.wait_for(PROMPT)
            self.assertIn("hello, world", child.output)
            os.kill(child.pid, signal.SIGTERM)
            child.wait_for_end()

    def test_stdin_may_be_empty(self):
        self.run_with("</dev/null")

    def test_stdin_may_be_closed(self):
        self.run_with("<&-")

    def test_stdin_may_be_a_pipe(self):
        child = self.child("-s", "run-hello-nox")
        child.wait_for(PROMPT)
        child.send("run yield\n")
        child.wait_for(r"All done in environment[^\0]*" + PROMPT)
        child.send("shutdown\n")
        self.assertEqual(child.wait_for_end(), 0, child.errors)


class CheckoutTest(MakeTest):
    built = False
    needs_build = False

    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_git_keeps_line_ends(self):
        """git's autocrlf does not change the files."""
        folder = self.folder()

        def git(*args):
            subprocess.run(["git", "-c", "core.autocrlf=true", "-c", "core.safecrlf=false",
                            "-c", "user.name=a", "-c", "user.email=a", *args], cwd=folder,
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.copytree(self.tree.root, os.path.join(folder, "a"))
        git("init", "a")
        git("-C", "a", "add", "-A")
        git("-C", "a", "commit", "-m", "all")
        git("clone", "a", "b")
        for name in self.tree.sources():
            with open(self.tree.path(name), "rb") as f, \
                    open(os.path.join(folder, "b", name), "rb") as g:
                self.assertEqual(f.read(), g.read(), name)
