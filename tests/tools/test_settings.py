"""make's settings: where they come from, which are valid, and what they change."""

import os
import re
import shutil
import subprocess
import time

from tests.support import TREE
from tests.tools.maketest import MakeTest
from tools.run.buildtree import Tree, clean_environment, settings


def compilation(plan, file):
    """The command that compiles a file, from the commands that make would run."""
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

    def test_settings_may_be_in_the_environment(self):
        plan = self.plan("qemu-nox", "V=1", CPUS="3", MEM="77", QEMUEXTRA="-cpu max", QEMU="true",
                         CC="clang", CMDLINE="hello it's", OPT="-Os", GDBPORT="4321")
        self.assertRegex(plan, r"(?m)^true .*-m 77 -smp 3 .* -cpu max ")
        self.assertRegex(plan, r"(?m)^clang .*-Os.* kern/init\.c$")
        self.assertIn("--cmdline 'hello it'\\''s'", plan)
        env = dict(clean_environment(), GDBPORT="4321", OBJDIR="elsewhere")
        self.assertEqual(self.tree.make("-s", "print-gdbport", "print-objdir", env=env),
                         "4321\nelsewhere\n")

    def test_command_line_overrides_environment_and_env_mk(self):
        self.set_in_env_mk("CPUS = 2\nMEM = 50\nQEMU = true\n")
        self.assertRegex(self.plan("qemu-nox"), "(?m)^true .*-m 50 -smp 2 ")
        self.assertRegex(self.plan("qemu-nox", CPUS="3"), "(?m)^true .*-m 50 -smp 3 ")
        self.assertRegex(self.plan("qemu-nox", "CPUS=4", CPUS="3", MEM="60"),
                         "(?m)^true .*-m 60 -smp 4 ")

    def test_empty_setting_is_the_default(self):
        self.assertRegex(self.plan("qemu-nox", "MEM=", "QEMU=", "OPT=", CPUS=""),
                         r"(?m)^\S*qemu\S* .*-m 128 -smp 1 ")
        self.assertIn("--cmdline ''", self.plan("CMDLINE="))

    def test_zero_switches_off(self):
        plan = self.plan("SAN=0", "WERROR=0", V="0")
        self.assertNotRegex(plan, "-fsanitize|-Werror .*-c -o|obj/san")

    def test_every_setting_is_documented(self):
        with open(TREE.path("docs", "make.md"), encoding="utf-8") as f:
            text = f.read()
        self.assertEqual([s for s in sorted(settings()) if not re.search(r"\b%s=" % s, text)], [])
        used = set(re.findall(r"[ `]([A-Z_]{2,})=", text))
        self.assertEqual(used - settings(), set())

    def test_unknown_setting_is_refused(self):
        self.assertRegex(self.failure("CPU=4"), "CPU= is not a setting here.* CPUS ")
        self.assertRegex(self.failure("run-hello-nox", "CMDLINE=a b=c", "FOO:=1"), "FOO= is not")
        self.plan("CMDLINE=hello failalloc=20 x", "CPUS=2", FOO="1")

    def test_invalid_values_are_refused(self):
        self.assertRegex(self.failure("OPT=-O9"), "OPT=-O9 is not one of -O0 ")
        for setting in ("CPUS=0", "CPUS=256", "CPUS=many", "GDBPORT=0", "GDBPORT=65536",
                        "GDBPORT=x"):
            with self.subTest(setting=setting):
                self.assertIn(setting + " is not a number from 1 to", self.failure(setting))
        for folder in ("..", ".", "kern", "a b"):
            with self.subTest(folder=folder):
                self.assertIn("OBJDIR=" + folder, self.failure("clean", "OBJDIR=" + folder))

    def test_flags_reach_the_compiler(self):
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
        targets |= {"compile_commands.json", "autograder.zip"}
        internal = {"FORCE", "check-qemu", "fuzz-host-build"}  # Only for other targets
        self.assertEqual(targets - internal - words, set())
        self.assertEqual(set(re.findall(r"(?m)^  make ([\w.-]+)", text)) - targets, set())
        self.assertEqual(settings() - words, set())

    def test_help_needs_no_compiler(self):
        self.assertEqual(self.tree.make("help", "CC=none", "LD=none", "GCCPREFIX=none-"),
                         self.tree.make("help"))

    def test_gradeflags_reach_the_grade(self):
        self.assertRegex(self.plan("grade", "GRADEFLAGS=-v hello", "PYTHON=/usr/bin/env python3"),
                         r"(?m)^/usr/bin/env python3 \./grade-lab\d -v hello$")

    # ---- Jobs ----

    def jobs(self, *args, goal="show"):
        """The value of MAKEFLAGS after GNUmakefile has changed it."""
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

    def test_clean_runs_before_later_goals(self):
        plan = self.plan("-j4", "clean", "print-qemu").splitlines()
        self.assertRegex(plan[0], "^rm -rf")


class ToolchainTest(MakeTest):
    def remade(self, compiler, name):
        path = self.tree.obj(name)
        before = os.stat(path).st_mtime_ns
        self.tree.make("CC=" + compiler, "obj/" + name)
        return os.stat(path).st_mtime_ns != before

    def test_new_compiler_rebuilds_everything(self):
        wrapper = os.path.join(self.folder(), "gcc-other")
        script = '#!/bin/sh\n[ "$1" = --version ] && echo gcc %s && exit\nexec gcc "$@"\n'
        self.write(wrapper, script % "98", 0o755)
        for name in ("kern/init.o", "user/hello.o", "lib/fork.o", "boot/main.o"):
            self.assertTrue(self.remade(wrapper, name), name)
            self.assertFalse(self.remade(wrapper, name), name)
        self.write(wrapper, script % "99", 0o755)  # An update of the same compiler
        self.assertTrue(self.remade(wrapper, "kern/init.o"))

    def test_users_flags_do_not_break_the_kernel(self):
        self.tree.make("CFLAGS=-fPIC -O1 -fstack-protector-all -fcf-protection=full "
                       "-march=native -msse2 -flto -DANSWER='\"4 2\"'")
        output = self.start(disk=self.tree.disk_image("forktree"), cpus=2).run_to_prompt()
        self.assert_lines(output, ["....: I am '111'"])

    def test_removed_header_and_renamed_source_rebuild(self):
        path = self.tree.path
        self.write(path("kern", "my own.h"), "#define ANSWER 42\n")
        self.write(path("kern", "extra.c"), '#include "my own.h"\nint extra = ANSWER;\n')
        self.tree.make("obj/kern/extra.o")
        then = time.time() + 10  # Later than the object, even with coarse file times
        os.utime(path("kern", "my own.h"), (then, then))
        self.assertIn("kern/extra.c", self.tree.make("obj/kern/extra.o"))

        os.remove(path("kern", "my own.h"))
        self.write(path("kern", "extra.c"), "int extra = 43;\n")
        self.assertIn("kern/extra.c", self.tree.make("obj/kern/extra.o"))
        os.remove(path("kern", "extra.c"))
        self.write(path("kern", "extra.S"), ".globl extra\n.data\nextra: .long 44\n")
        self.assertIn("kern/extra.S", self.tree.make("obj/kern/extra.o"))


class OptimizationTest(MakeTest):
    """At each level of optimization: no warnings, the full score, and no function that the
    compiler calls is missing (user/conform/helpers.c)."""

    built = False
    needs_build = False

    def check_level(self, *settings):
        settings = [*settings, "WERROR=1", "OBJDIR=obj/" + "".join(settings).replace("=", "")]
        output = self.tree.make("grade", "GRADEFLAGS=--mit", *settings)
        self.assertNotRegex(output.lower(), "warning:|error:")
        self.assertRegex(output, r"(?m)^Score: (\d+)/\1$")
        built = Tree(self.tree.root, settings)
        output = self.start(disk=built.disk_image("helpers floats"), cpus=2).run_to_prompt()
        self.assert_lines(output, ["helpers: ok"], no=[".*panic.*"])
        shutil.rmtree(built.obj())

    def test_gcc_at_all_levels(self):
        for level in ("-O0", "-O1", "-O3", "-Os", "-Og"):
            with self.subTest(level=level):
                self.check_level("OPT=" + level)

    def test_clang_at_all_levels(self):
        for level in ("-O0", "-O1", "-O3", "-Os", "-Og"):
            with self.subTest(level=level):
                self.check_level("CC=clang", "OPT=" + level)
