"""What people do with make: settings, goals, names of files, terminals, GDB, two makes at once."""

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
import time
import unittest

from tests.support import LIMIT_SECONDS, TREE, KernelTest
from tools.build.mkimage import SECTOR
from tools.run.buildtree import Tree, clean_environment, settings
from tools.run.child import Child
from tools.run.machine import PROMPT
from tools.run.patience import Patience
from tools.run.tool import make_folder, remove_folder

LEAVE_QEMU = "\001x"  # Ctrl-a x


class MakeTest(KernelTest):
    """Tests in a copy of the tree, which each class has one of; it is built if `built` says so."""

    needs_build = True
    slow = True
    built = True

    @classmethod
    def setUpClass(cls):
        cls.tree = TREE.copy_built() if cls.built else TREE.copy()
        cls.addClassCleanup(cls.tree.remove)
        if cls.built:
            cls.tree.make()

    def child(self, *args, tree=None, env=(), limit=LIMIT_SECONDS):
        """A running make. It is stopped when the test ends."""
        child = Child(["make", *args, *(tree or self.tree).variables], limit=limit,
                      cwd=(tree or self.tree).root, env=dict(clean_environment(), **dict(env)))
        self.addCleanup(child.stop)
        return child

    def plan(self, *args, **environment):
        """What make would run, with some environment variables."""
        return self.tree.make("-n", *args, env=dict(clean_environment(), **environment))

    def failure(self, *args, **environment):
        """Run make, which must fail; return the one line that says why, without make's own of a
        command that failed."""
        done = self.tree.run_make(*args, env=dict(clean_environment(), **environment))
        self.assertNotEqual(done.returncode, 0, done.stdout)
        lines = [line for line in done.stdout.splitlines() if not re.search(r"Error \d+$", line)]
        self.assertEqual(len(lines), 1, done.stdout)
        return lines[0]

    def wait_until(self, child, condition):
        """Ask again and again, as long as a child may take for anything."""
        patience = Patience(child.limit, [child.pid])
        while not condition():
            self.assertGreater(patience.left(), 0, child.describe_output())
            time.sleep(0.05)

    def folder(self):
        folder = make_folder("jos-")
        self.addCleanup(remove_folder, folder)
        return folder

    def write(self, path, text, mode=0o644):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path


def compilation(plan, file):
    """The command that compiles a file, in what make would run."""
    return re.search(r"(?m)^.* -c -o .* %s$" % re.escape(file), plan)[0]


class SettingsTest(MakeTest):
    built = False
    needs_build = False

    def set_in_env_mk(self, text):
        path = self.tree.path("conf", "env.mk")
        with open(path, encoding="utf-8") as f:
            self.addCleanup(self.write, path, f.read())
        with open(path, "a", encoding="utf-8") as f:
            f.write(text)

    def test_environment_counts(self):
        plan = self.plan("qemu-nox", "V=1", CPUS="3", MEM="77", QEMUEXTRA="-cpu max", QEMU="true",
                         CC="clang", CMDLINE="hello it's", OPT="-Os", GDBPORT="4321")
        self.assertRegex(plan, r"(?m)^true .*-m 77 -smp 3 .* -cpu max ")
        self.assertRegex(plan, r"(?m)^clang .*-Os.* kern/init\.c$")
        self.assertIn("--cmdline 'hello it'\\''s'", plan)
        env = dict(clean_environment(), GDBPORT="4321", OBJDIR="elsewhere")
        self.assertEqual(self.tree.make("-s", "print-gdbport", "print-objdir", env=env),
                         "4321\nelsewhere\n")

    def test_precedence(self):
        self.set_in_env_mk("CPUS = 2\nMEM = 50\nQEMU = true\n")
        self.assertRegex(self.plan("qemu-nox"), "(?m)^true .*-m 50 -smp 2 ")
        self.assertRegex(self.plan("qemu-nox", CPUS="3"), "(?m)^true .*-m 50 -smp 3 ")
        self.assertRegex(self.plan("qemu-nox", "CPUS=4", CPUS="3", MEM="60"),
                         "(?m)^true .*-m 60 -smp 4 ")

    def test_empty_is_the_default(self):
        self.assertRegex(self.plan("qemu-nox", "MEM=", "QEMU=", "OPT=", CPUS=""),
                         r"(?m)^\S*qemu\S* .*-m 128 -smp 1 ")
        self.assertIn("--cmdline ''", self.plan("CMDLINE="))

    def test_zero_switches_off(self):
        plan = self.plan("SAN=0", "WERROR=0", V="0")
        self.assertNotRegex(plan, "-fsanitize|-Werror .*-c -o|obj/san")

    def test_every_setting_is_documented(self):
        with open(TREE.path("README.md"), encoding="utf-8") as f:
            text = f.read()
        self.assertEqual([s for s in sorted(settings()) if not re.search(r"\b%s=" % s, text)], [])
        used = set(re.findall(r"[ `]([A-Z_]{2,})=", text))
        self.assertEqual(used - settings(), set())

    def test_unknown_setting_is_refused(self):
        self.assertRegex(self.failure("CPU=4"), "CPU= is not a setting here.* CPUS ")
        self.assertRegex(self.failure("run-hello-nox", "CMDLINE=a b=c", "FOO:=1"), "FOO= is not")
        self.plan("CMDLINE=hello failalloc=20 x", "CPUS=2", FOO="1")

    def test_values_that_make_no_sense(self):
        self.assertRegex(self.failure("OPT=-O9"), "OPT=-O9 is not one of -O0 ")
        for setting in ("CPUS=0", "CPUS=256", "CPUS=many", "GDBPORT=0", "GDBPORT=65536", "GDBPORT=x"):
            with self.subTest(setting=setting):
                self.assertIn(setting + " is not a number from 1 to", self.failure(setting))
        for folder in ("..", ".", "kern", "a b"):
            with self.subTest(folder=folder):
                self.assertIn("OBJDIR=" + folder, self.failure("clean", "OBJDIR=" + folder))

    def test_flags(self):
        plan = self.plan("CFLAGS=-DA=1 -fPIC", "DEFS=-DB", LABDEFS="-DSOL", INIT_CFLAGS="-DTEST=x")
        for file, flags in (("kern/init.c", "-DB -DSOL -DA=1 -fPIC .*-fno-pic .*-DTEST=x"),
                            ("kern/trap.c", "-DB -DSOL -DA=1"), ("lib/fork.c", "-DB -DSOL -DA=1"),
                            ("user/hello.c", "-DB -DSOL -DA=1"), ("boot/main.c", "-DB -DSOL")):
            self.assertRegex(compilation(plan, file), flags)
        self.assertEqual(plan.count("-DTEST=x "), 1)
        self.assertNotIn("-fPIC", compilation(plan, "boot/main.c"))

    def test_help_lists_targets_and_settings(self):
        text = self.tree.make("help")
        for line in text.splitlines():
            self.assertLessEqual(len(line), 100)
        words = set(re.findall(r"[\w.-]+", text))
        done = self.tree.run_make("-npq", "print-objdir")
        targets = set(re.search(r"(?m)^\.PHONY: (.*)$", done.stdout).group(1).split())
        targets |= {name.replace("%", "NAME")
                    for name in re.findall(r"(?m)^([a-z-]+-%[a-z-]*):", done.stdout)}
        targets |= {"compile_commands.json"}
        internal = {"FORCE", "check-qemu", "fuzz-host-build"}  # Only other targets need them.
        self.assertEqual(targets - internal - words, set())
        self.assertEqual(set(re.findall(r"(?m)^  make ([\w.-]+)", text)) - targets, set())
        self.assertEqual(settings() - words, set())

    def test_help_needs_nothing(self):
        self.assertEqual(self.tree.make("help", "CC=none", "LD=none", "GCCPREFIX=none-"),
                         self.tree.make("help"))

    def test_grade_flags(self):
        self.assertRegex(self.plan("grade", "GRADEFLAGS=-v hello", "PYTHON=/usr/bin/env python3"),
                         r"(?m)^/usr/bin/env python3 \./grade-lab\d -v hello$")

    # ---- Jobs ----

    def jobs(self, *args, goal="show"):
        """MAKEFLAGS, as make has changed it."""
        rules = "include GNUmakefile\nshow more:\n\t@echo '[$(MAKEFLAGS)]'\n"
        done = subprocess.run(["make", "-s", "-f", "-", *args, goal], input=rules,
                              cwd=self.tree.root, env=clean_environment(), encoding="utf-8",
                              stdout=subprocess.PIPE, check=True)
        return done.stdout

    def test_all_cores_are_used(self):
        cores = int(subprocess.run(["nproc"], stdout=subprocess.PIPE, check=True).stdout)
        self.assertRegex(self.jobs(), r" -j%d\b" % cores)
        self.assertRegex(self.jobs("-j7"), r" -j7\b")
        self.assertNotRegex(self.jobs("more"), " -j")

    def test_clean_comes_before_what_is_named_after_it(self):
        plan = self.plan("-j4", "clean", "print-qemu").splitlines()
        self.assertRegex(plan[0], "^rm -rf")


class TwoMakesTest(MakeTest):
    """A compiler that waits for a word keeps the first make at work."""

    built = False
    needs_build = False

    def slow_compiler(self):
        """A compiler that says it runs, and goes on when the file `go` is there."""
        folder = self.folder()
        self.go = os.path.join(folder, "go")
        return self.write(
            os.path.join(folder, "cc"), "#!/bin/sh\ncase \" $* \" in *' -c '*) echo compiling;"
            " while [ ! -e '%s' ]; do sleep 0.05; done;; esac\nexec gcc \"$@\"\n" % self.go, 0o755)

    def let_go(self):
        self.write(self.go, "")

    def first_make(self, *args):
        objdir = args[0].split("=")[1] if args else "obj"
        first = self.child("CC=" + self.slow_compiler(), *args, objdir + "/kern/printf.o")
        first.wait_for("compiling")
        return first

    def wait_for_message(self, child):
        """Until it says that it waits. stderr is no output that a Child can wait for."""
        self.wait_until(child, lambda: "waiting for another make" in child.errors)

    def test_the_second_one_waits(self):
        self.tree.make("clean")
        first = self.first_make()
        second = self.child("CC=" + os.path.join(os.path.dirname(self.go), "cc"),
                            "obj/kern/printf.o")
        self.wait_for_message(second)
        self.assertIn("process %d," % first.pid, second.errors)
        self.assertEqual(second.output, "")
        self.let_go()
        self.assertEqual((first.wait_for_end(), second.wait_for_end()), (0, 0))
        self.assertNotIn("compiling", second.output)

    def test_clean_waits_for_all_that_is_built_below(self):
        first = self.first_make("OBJDIR=obj/san")
        clean = self.child("clean")
        self.wait_for_message(clean)
        self.assertTrue(os.path.exists(self.tree.path("obj", "san")))
        self.let_go()
        self.assertEqual((first.wait_for_end(), clean.wait_for_end()), (0, 0))
        self.assertFalse(os.path.exists(self.tree.path("obj")))

    def test_killed_make_leaves_nothing_locked(self):
        first = self.first_make()
        os.kill(first.pid, signal.SIGKILL)
        second = self.child("obj/kern/printf.o")
        self.assertEqual(second.wait_for_end(), 0, second.errors)
        self.assertNotIn("waiting", second.errors)

    def test_make_within_make(self):
        rules = self.write(os.path.join(self.folder(), "rules"),
                           "include GNUmakefile\nouter: lib/entry.S\n"
                           "\t@sh -c '$(MAKE) obj/lib/entry.o'\n")
        done = self.child("-f", rules, "outer")
        self.assertEqual(done.wait_for_end(), 0, done.errors)
        self.assertNotIn("waiting", done.errors)

    def test_nothing_is_locked_by_looking(self):
        first = self.first_make()
        for args in (["-n"], ["print-qemu"], ["-s", "print-gdbport"]):
            self.tree.make(*args)
        self.let_go()
        first.wait_for_end()


class ToolchainTest(MakeTest):
    def remade(self, compiler, name):
        path = self.tree.obj(name)
        before = os.stat(path).st_mtime_ns
        self.tree.make("CC=" + compiler, "obj/" + name)
        return os.stat(path).st_mtime_ns != before

    def test_another_compiler_makes_all_again(self):
        wrapper = os.path.join(self.folder(), "gcc-other")
        script = '#!/bin/sh\n[ "$1" = --version ] && echo gcc %s && exit\nexec gcc "$@"\n'
        self.write(wrapper, script % "98", 0o755)
        for name in ("kern/init.o", "user/hello.o", "lib/fork.o", "boot/main.o"):
            self.assertTrue(self.remade(wrapper, name), name)
            self.assertFalse(self.remade(wrapper, name), name)
        self.write(wrapper, script % "99", 0o755)  # An update of the same compiler
        self.assertTrue(self.remade(wrapper, "kern/init.o"))

    def test_own_flags_cannot_spoil_the_kernel(self):
        self.tree.make("CFLAGS=-fPIC -O1 -fstack-protector-all -fcf-protection=full "
                       "-march=native -msse2 -flto -DANSWER='\"4 2\"'")
        output = self.start(disk=self.tree.disk_image("forktree"), cpus=2).run_to_prompt()
        self.assert_lines(output, ["....: I am '111'"])

    def test_header_that_vanishes_and_source_that_changes_its_language(self):
        path = self.tree.path
        self.write(path("kern", "my own.h"), "#define ANSWER 42\n")
        self.write(path("kern", "extra.c"), '#include "my own.h"\nint extra = ANSWER;\n')
        self.tree.make("obj/kern/extra.o")
        then = time.time() + 10  # Later than the object, however coarse the clock of files is
        os.utime(path("kern", "my own.h"), (then, then))
        self.assertIn("kern/extra.c", self.tree.make("obj/kern/extra.o"))

        os.remove(path("kern", "my own.h"))
        self.write(path("kern", "extra.c"), "int extra = 43;\n")
        self.assertIn("kern/extra.c", self.tree.make("obj/kern/extra.o"))
        os.remove(path("kern", "extra.c"))
        self.write(path("kern", "extra.S"), ".globl extra\n.data\nextra: .long 44\n")
        self.assertIn("kern/extra.S", self.tree.make("obj/kern/extra.o"))


class OptimizationTest(MakeTest):
    """Each level of optimization: no warning, all points, and nothing that a compiler calls is
    missing (user/conform/helpers.c)."""

    built = False
    needs_build = False

    def check_level(self, *settings):
        settings = [*settings, "WERROR=1", "OBJDIR=obj/" + "".join(settings).replace("=", "")]
        output = self.tree.make("grade", *settings)
        self.assertNotRegex(output.lower(), "warning:|error:")
        self.assertRegex(output, r"(?m)^Score: (\d+)/\1$")
        built = Tree(self.tree.root, settings)
        output = self.start(disk=built.disk_image("helpers floats"), cpus=2).run_to_prompt()
        self.assert_lines(output, ["helpers: ok"], no=[".*panic.*"])
        shutil.rmtree(built.obj())

    def test_gcc(self):
        for level in ("-O0", "-O1", "-O3", "-Os", "-Og"):
            with self.subTest(level=level):
                self.check_level("OPT=" + level)

    def test_clang(self):
        for level in ("-O0", "-O1", "-O3", "-Os", "-Og"):
            with self.subTest(level=level):
                self.check_level("CC=clang", "OPT=" + level)


class NamesTest(MakeTest):
    PROGRAM = '#include <inc/lib.h>\n\nvoid\numain(int argc, char **argv)\n{\n' \
              '\tcprintf("%s runs\\n", argv[0]);\n}\n'

    def test_names_that_are_no_words_of_c(self):
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

    def test_names_that_cannot_be(self):
        for name in ("my prog", "a,b", "a=b", "a:b", "it's", "$HOME", "a#b", "100%", "naïve",
                     "x-nox", "x-nox-gdb", "x.asm", "-x", "a(b", "a\\b", 'a"b', "a;b", "*"):
            with self.subTest(name=name):
                path = self.tree.path("user", name + ".c")
                self.write(path, self.PROGRAM)
                self.addCleanup(lambda path=path: os.path.exists(path) and os.remove(path))
                for goal in ("all", "run-hello-nox"):
                    self.assertIn("Rename 'user/%s.c'" % name, self.failure(goal))
                os.remove(path)

    def test_names_in_folders(self):
        # Other bad names come with the one that is refused first.
        for folder, name in (("bench", "a,b"), ("bench", "-x"), ("my-own", "x-nox"), ("a b", "x")):
            with self.subTest(folder=folder, name=name):
                path = self.tree.path("user", folder, name + ".c")
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self.write(path, self.PROGRAM)
                self.addCleanup(lambda path=path: os.path.exists(path) and os.remove(path))
                self.assertIn("Rename 'user/%s/%s.c'" % (folder, name), self.failure("all"))
                os.remove(path)

    def test_one_name_in_two_folders(self):
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

    def test_name_with_its_prefix(self):
        self.assertIn("--cmdline 'hello'", self.plan("-B", "obj/run/user_hello.img"))

    def test_program_that_is_not_there(self):
        for goal in ("run-nothing", "run-nothing-nox-gdb", "prep-nothing"):
            self.assertIn("There is no program user/nothing.c", self.failure(goal))


class GoalsTest(MakeTest):
    def cmdline(self):
        image = self.tree.read_obj("kern", "kernel.img")
        return image[SECTOR:2 * SECTOR].rstrip(b"\0").decode()

    def test_prep(self):
        self.assertIn("kernel.img runs hello", self.tree.make("prep-hello"))
        self.assertEqual(self.cmdline(), "hello")
        self.assertIn("kernel.img runs yield", self.tree.make("prep-user_yield"))
        self.assertEqual(self.cmdline(), "yield")
        self.tree.make()
        self.assertEqual(self.cmdline(), "yield yield yield")

    def test_program_by_a_definition(self):
        self.tree.make("DEFS=-DTEST=user_hello")
        output = self.start(disk=self.tree.read_obj("kern", "kernel.img")).run_to_prompt()
        self.assert_lines(output, ["hello, world"], no=[".*00001001.*"])
        self.tree.make()

    def test_tarball(self):
        output = self.tree.make("tarball")
        name = self.tree.path("lab4-handin.tar.gz")
        with tarfile.open(name) as archive:
            names = archive.getnames()
        self.assertLessEqual({"GNUmakefile", "kern/init.c", "conf/setup", "user/hello.c"},
                             set(names))
        self.assertEqual([n for n in names if n.startswith("obj") or n.endswith(".tar.gz")], [])
        self.assertIn("lab4-handin.tar.gz: %d files" % len(names), output)
        self.tree.make("tarball")  # Does not pack the first one

    def test_what_is_removed(self):
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

    def test_settings_stay_after_distclean(self):
        self.assertTrue(os.path.exists(self.tree.path("conf", "env.mk")))

    def test_objdir_in_env_mk(self):
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

    def test_terminal_is_left_as_it_was(self):
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

    def run_with(self, stdin, *args):
        """Run the shell's command line make ... STDIN until the prompt; end it by a signal."""
        with Child(["sh", "-c", "exec make -s run-hello-nox %s" % stdin], cwd=self.tree.root,
                   limit=LIMIT_SECONDS, env=clean_environment()) as child:
            child.wait_for(PROMPT)
            self.assertIn("hello, world", child.output)
            os.kill(child.pid, signal.SIGTERM)
            child.wait_for_end()

    def test_standard_input_at_its_end(self):
        self.run_with("</dev/null")

    def test_standard_input_closed(self):
        self.run_with("<&-")

    def test_standard_input_is_a_pipe(self):
        child = self.child("-s", "run-hello-nox")
        child.wait_for(PROMPT)
        child.send("run yield\n")
        child.wait_for(r"All done in environment[^\0]*" + PROMPT)
        child.send("shutdown\n")
        self.assertEqual(child.wait_for_end(), 0, child.errors)


class GdbPortTest(MakeTest):
    def port(self, tree=None):
        return (tree or self.tree).make("-s", "print-gdbport").strip()

    def is_free(self, *args):
        return "-gdb" in self.plan("qemu-nox", *args)

    def gdbinit(self):
        with open(self.tree.path(".gdbinit"), encoding="utf-8") as f:
            return f.read()

    def gdb(self, tree, *commands, args=()):
        """Run make gdb with some commands at GDB's prompt; return its status and output."""
        child = self.child("-s", "gdb", *args, tree=tree)
        with child:
            for command in commands:
                child.send(command + "\n")
            child.send("quit\n")
            return child.wait_for_end(), child.output + child.errors

    def test_gdbinit_follows_the_settings(self):
        for args, lines in (([], ["localhost:" + self.port(), "file obj/kern/kernel"]),
                            (["GDBPORT=4321"], ["localhost:4321", "file obj/kern/kernel"]),
                            (["SAN=1"], ["localhost:" + self.port(), "file obj/san/kern/kernel"]),
                            (["OBJDIR=o/2"], ["file o/2/kern/kernel"]),
                            ([], ["localhost:" + self.port(), "file obj/kern/kernel"])):
            self.tree.make(".gdbinit", *args)
            for line in lines:
                self.assertRegex(self.gdbinit(), r"(?m)^.*%s( .*)?$" % re.escape(line))

    def test_a_checkout_has_a_port_of_its_own(self):
        other = TREE.copy()
        self.addCleanup(other.remove)
        self.assertNotEqual(self.port(), self.port(other))
        self.assertEqual(self.port(), self.port())
        self.assertTrue(1024 < int(self.port()) < 32768)

    def test_port_is_open_without_waiting(self):
        machine = self.child("-s", "qemu-nox")
        machine.wait_for(PROMPT)
        self.assertNotIn("-gdb", self.plan("qemu-nox"))
        self.assertRegex(self.failure("-s", "qemu-nox-gdb"), "port.* in use.*GDBPORT=n")

        status, text = self.gdb(self.tree, "info threads", "detach")
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"CPU#0")
        machine.send("run hello\n")  # It goes on
        machine.wait_for("hello, world")
        machine.send(LEAVE_QEMU)
        machine.wait_for_end()
        self.assertIn("-gdb tcp:127.0.0.1:%s" % self.port(), self.plan("qemu-nox"))

    def test_another_make_while_a_machine_runs(self):
        machine = self.child("-s", "run-hello-nox")
        machine.wait_for(PROMPT)
        self.tree.make("run-hello", "-n")
        done = self.child("obj/kern/init.o")
        self.assertEqual(done.wait_for_end(), 0)
        self.assertNotIn("waiting", done.errors)

    def test_port_that_is_none(self):
        self.assertRegex(self.failure("-s", "qemu-nox-gdb", "GDBPORT=door"), "GDBPORT=door")

    def test_stranger_is_not_halted(self):
        other = TREE.copy_built()
        self.addCleanup(other.remove)
        port = "GDBPORT=" + self.port()
        machine = self.child("-s", "qemu-nox", port, tree=other)
        machine.wait_for(PROMPT)
        status, text = self.gdb(self.tree, args=[port])
        self.assertNotEqual(status, 0)
        self.assertRegex(text, "Not attached: the machine on this port belongs to " + other.root)
        machine.send("run hello\n")
        machine.wait_for("hello, world")
        machine.stop()

        # One that waits for its own GDB is not started.
        machine = self.child("-s", "qemu-nox-gdb", port, tree=other)
        self.wait_until(machine, lambda: not self.is_free(port))
        status, text = self.gdb(self.tree, args=[port])
        self.assertIn("Not attached", text)
        status, text = self.gdb(other, "hbreak i386_init", "continue", "kill", args=[port])
        self.assertIn("i386_init (", text)

    def test_no_machine(self):
        _, text = self.gdb(self.tree)
        self.assertIn("No machine waits for GDB at localhost:%s" % self.port(), text)

    @unittest.skipUnless(shutil.which("qemu-system-x86_64"), "no qemu-system-x86_64")
    def test_gdb_of_a_64_bit_qemu(self):
        machine = self.child("-s", "run-hello-nox-gdb", "CPUS=2", "QEMU=qemu-system-x86_64")
        self.wait_until(machine, lambda: not self.is_free())
        status, text = self.gdb(
            self.tree, "hbreak page_init", "continue", "backtrace", "print $eip", "print/x $cs",
            "print ncpu", "x/2i $pc", "info threads", "delete", "program hello", "hbreak umain",
            "continue", "finish", "print/x $cs & 3", "delete", "detach",
            args=["QEMU=qemu-system-x86_64"])
        self.assertEqual(status, 0, text)
        self.assertNotIn("packet reply", text)
        self.assertRegex(text, r"(?s)#0 .*page_init \(\).*mem_init \(.*i386_init \(")
        self.assertRegex(text, r"= \(void \(\*\)\(\)\) 0xf0[0-9a-f]{6} <page_init|<page_init")
        self.assertRegex(text, r"(?m)= 0x8$")
        self.assertRegex(text, r"(?s)umain \(.*user/hello\.c:\d+")
        self.assertRegex(text, r"(?m)= 0x3$")
        self.assertIn("CPU#1", text)
        machine.wait_for("hello, world")


class OldMakeTest(unittest.TestCase):
    """GNU make 3.81 is of 2006, and macOS has it. What came later must not be used."""

    NEWER = {
        r"(?m)^[^\t#]*[^!]!=": "!= (4.0)", r"::=": "::= (4.0)", r"(?m)^ *private ": "private (3.82)",
        r"(?m)^ *undefine ": "undefine (3.82)", r"(?m)^ *define [^\n]*=": "define = (3.82)",
        r"\.ONESHELL": ".ONESHELL (3.82)", r"\.RECIPEPREFIX": ".RECIPEPREFIX (3.82)",
        r"\$\(file ": "$(file) (4.0)", r"\.SHELLSTATUS": ".SHELLSTATUS (4.2)",
        r"\$\((let|intcmp) ": "$(let), $(intcmp) (4.4)", r"\.WAIT": ".WAIT (4.4)",
        r"(?m)^[^\t#]* &:": "&: (4.3)", r"\.EXTRA_PREREQS": ".EXTRA_PREREQS (4.3)",
        r"\.NOTINTERMEDIATE": ".NOTINTERMEDIATE (4.4)",
    }

    def makefiles(self):
        for pattern in ("GNUmakefile", "*/Makefrag", "conf/*.mk"):
            for path in glob.glob(TREE.path(pattern)):
                with open(path, encoding="utf-8") as f:
                    yield os.path.relpath(path, TREE.root), f.read()

    def complaints(self, text):
        found = [what for pattern, what in self.NEWER.items() if re.search(pattern, text)]
        for command in re.findall(r"\$\(shell ((?:[^()]|\([^()]*\))*)\)", text):
            # Without one of these, make before 4.3 starts a program of the first word's name.
            if not re.search(r"[;<>|&]", command):
                found.append("needs a shell to find its command: " + command)
            if "#" in command:
                found.append("# in a function, which begins a comment before 4.3: " + command)
        return found

    def test_nothing_newer_is_used(self):
        for name, text in self.makefiles():
            with self.subTest(name=name):
                self.assertEqual(self.complaints(text), [])

    def test_what_is_newer_is_seen(self):
        for text in ("A != ls", "A ::= 1", "private A = 1", "undefine A", "define A =\nendef",
                     ".ONESHELL:", "$(file >a,b)", "a b &: c", "A := $(shell command -v x)",
                     "A := $(shell echo a; echo \\#)"):
            with self.subTest(text=text):
                self.assertTrue(self.complaints(text))

    def test_older_makes_are_refused(self):
        done = subprocess.run(["make", "-n", ".FEATURES=", "MAKE_VERSION=3.80"], cwd=TREE.root,
                              env=clean_environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^.*GNU make 3\.81 or later is needed: this is 3\.80.*\n$")

    def test_other_makes_are_refused(self):
        for goal in ([], ["qemu-nox"]):
            done = subprocess.run(["make", "-f", "Makefile", *goal], cwd=TREE.root,
                                  env=clean_environment(), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, encoding="utf-8", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("This needs GNU make 3.81 or later", done.stdout)

    def test_rules_that_overlap_come_in_order(self):
        """run-hello-nox-gdb fits run-% too. 3.81 takes the first rule that fits."""
        database = subprocess.run(["make", "-npq", "print-qemu"], cwd=TREE.root, check=False,
                                  env=clean_environment(), stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, encoding="utf-8").stdout
        rules = re.findall(r"(?m)^(run-%[a-z-]*):", database)
        self.assertEqual(len(rules), 4)
        for i, rule in enumerate(rules):
            for earlier in rules[:i]:
                self.assertFalse(rule.endswith(earlier[len("run-%"):]), rules)


class CheckoutTest(MakeTest):
    built = False
    needs_build = False

    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_line_ends(self):
        """An editor's or a system's wish for CRLF does not reach the files."""
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
