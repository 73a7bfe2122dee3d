"""Builds in copies of the tree: both compilers, rebuilds after changes, missing programs."""

import json
import os
import re

from tests.support import LIMIT_SECONDS, TREE, KernelTest, connect_gdb, run_gdb, user_programs
from tools.run.buildtree import clean_environment
from tools.run.child import Child
from tools.run.machine import PROMPT
from tools.run.tool import make_folder, remove_folder

LEAVE_QEMU = "\001x"  # Ctrl-a x

JOBS = "-j%d" % (os.cpu_count() or 1)


class BuildTest(KernelTest):
    """Tests that build a copy of the sources, with their own make variables."""

    needs_build = False
    slow = True

    def copy(self, *variables):
        tree = TREE.copy(variables)
        self.addCleanup(tree.remove)
        return tree


class CompilerTest(BuildTest):
    def check_compiler(self, *variables):
        """Build everything without warnings; the boot sector must fit. Returns the tree."""
        tree = self.copy("WERROR=1", *variables)
        output = tree.make(JOBS)
        self.assertNotRegex(output.lower(), "warning|error")
        sector = tree.read_obj("kern", "kernel.img")[:512]
        self.assertEqual(sector[510:], b"\x55\xaa")
        self.assertLess(len(sector[:510].rstrip(b"\0")), 510)
        return tree

    def test_gcc_builds_without_warnings(self):
        tree = self.check_compiler()
        output = self.start(disk=tree.disk_image("dumbfork"), cpus=2).run_to_prompt()
        self.assert_lines(output, ["19: I am the child!"])

    def test_clang_kernel_passes_the_grade(self):
        output = self.check_compiler("CC=clang").make("grade")
        self.assertRegex(output, r"(?m)^Score: (\d+)/\1$")


class ProductsTest(BuildTest):
    needs_build = True

    def test_all_products_are_built(self):
        names = ["kern/kernel.img", "kern/kernel", "kern/kernel.asm", "kern/kernel.sym",
                 "boot/boot.out", *("user/" + name for name in user_programs("*"))]
        missing = [name for name in names if not os.path.getsize(TREE.obj(name))]
        self.assertEqual(missing, [])

    def test_kernel_sym_has_readline(self):
        with open(TREE.obj("kern", "kernel.sym"), encoding="utf-8") as f:
            self.assertRegex(f.read(), r"(?m)^f01[0-9a-f]{5} T readline$")

    def test_kernel_sym_has_the_names_that_lab_notes_use(self):
        names = """
            i386_init mp_main boot_aps _panic page_init page_alloc page_free page_decref
            pgdir_walk boot_map_region page_insert page_lookup page_remove tlb_invalidate
            mmio_map_region mem_init mem_init_mp user_mem_check user_mem_assert env_init
            env_init_percpu env_setup_vm env_alloc region_alloc load_icode env_create env_free
            env_destroy env_pop_tf env_run envid2env trap_init trap_init_percpu trap_dispatch trap
            page_fault_handler print_trapframe sched_yield sched_halt syscall sys_cputs
            sys_page_map sys_exofork lapic_init lapic_startap lapic_eoi lapic_ipi mp_init
            mpentry_start mpentry_end lock_kernel unlock_kernel spin_lock spin_unlock cpus ncpu
            bootcpu percpu_kstacks monitor mon_backtrace readline""".split()
        with open(TREE.obj("kern", "kernel.sym"), encoding="utf-8") as f:
            symbols = {line.split()[-1] for line in f}
        self.assertEqual([name for name in names if name not in symbols], [])

    def test_print_qemu_names_qemu(self):
        self.assertRegex(TREE.make("-s", "print-qemu"), r"^\S*qemu\S*\n$")

    def test_print_gdbport_gives_a_port(self):
        self.assertTrue(1024 < int(TREE.make("-s", "print-gdbport")) < 65536)


class SettingsTest(BuildTest):
    # `true` is a program that every system has. make -n does not run it.
    SETTINGS = {"QEMU": "true", "CPUS": "3", "CC": "clang", "V": "1"}

    def assert_settings_hold(self, tree):
        self.assertEqual(tree.make("-s", "print-qemu"), "true\n")
        output = tree.make("-n", "qemu-nox")
        self.assertRegex(output, r"(?m)^clang .*kern/init\.c$")
        self.assertRegex(output, r"(?m)^true .*-smp 3 ")

    def test_settings_on_the_command_line(self):
        self.assert_settings_hold(self.copy(*map("=".join, self.SETTINGS.items())))

    def test_settings_in_env_mk(self):
        tree = self.copy()
        with open(tree.path("conf", "env.mk"), "a", encoding="utf-8") as f:
            f.writelines("%s = %s\n" % setting for setting in self.SETTINGS.items())
        self.assert_settings_hold(tree)

    def test_command_line_overrides_env_mk(self):
        tree = self.copy("QEMU=/elsewhere/qemu")
        with open(tree.path("conf", "env.mk"), "a", encoding="utf-8") as f:
            f.write("QEMU = /somewhere/qemu\n")
        self.assertEqual(tree.make("-s", "print-qemu"), "/elsewhere/qemu\n")


class RebuildTest(BuildTest):
    needs_build = True

    def time_of(self, tree, *names):
        return os.stat(tree.obj(*names)).st_mtime_ns

    def remade(self, tree, names, *args):
        """Run make. Returns the products that it rebuilt."""
        before = {name: self.time_of(tree, name) for name in names}
        tree.make(JOBS, *args)
        return [name for name in names if self.time_of(tree, name) != before[name]]

    def test_changed_files_are_rebuilt(self):
        tree = TREE.copy_built()
        self.addCleanup(tree.remove)
        tree.make(JOBS)
        products = ["kern/init.o", "kern/dev/console.o", "lib/printf.o", "user/hello.o",
                    "user/hello", "kern/kernel", "kern/kernel.img", "boot/boot"]

        with self.subTest("nothing to do"):
            self.assertEqual(self.remade(tree, products), [])
            self.assertEqual(tree.make(JOBS), "")

        with self.subTest("a header of the kernel"):
            os.utime(tree.path("kern", "init.h"))
            remade = set(self.remade(tree, products))
            self.assertLessEqual({"kern/init.o", "kern/kernel", "kern/kernel.img"}, remade)
            self.assertFalse({"lib/printf.o", "user/hello.o", "boot/boot"} & remade)

        with self.subTest("a header that all files include"):
            os.utime(tree.path("inc", "types.h"))
            self.assertEqual(self.remade(tree, products), products)

        with self.subTest("changed flags"):
            self.assertEqual(self.remade(tree, products, "WERROR=1"), products)
            self.assertEqual(self.remade(tree, products, "WERROR=1"), [])

        with self.subTest("files that grading scripts delete"):
            os.remove(tree.obj("kern", "init.o"))
            os.remove(tree.obj("kern", "kernel"))
            tree.make(JOBS, "WERROR=1")
            self.assertTrue(os.path.exists(tree.obj("kern", "kernel.img")))

        with self.subTest("a renamed header"):
            os.rename(tree.path("kern", "init.h"), tree.path("kern", "begin.h"))
            for folder, _, files in os.walk(tree.path("kern")):
                for file in files:
                    self.replace(os.path.join(folder, file), "<kern/init.h>", "<kern/begin.h>")
            tree.make(JOBS, "WERROR=1")

        with self.subTest("clean"):
            tree.make("clean")
            self.assertFalse(os.path.exists(tree.obj()))

    def replace(self, path, old, new):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if old in text:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.replace(old, new))

    def test_parallel_builds_give_the_same_image(self):
        tree = self.copy()
        tree.make("-j8")
        image = tree.read_obj("kern", "kernel.img")

        tree.make("clean")
        tree.make("-j3")
        self.assertEqual(tree.read_obj("kern", "kernel.img"), image)

        # So does a build in another folder. Its path is relative: an absolute one may have
        # characters that make does not allow.
        folder = make_folder("jos-")
        self.addCleanup(remove_folder, folder)
        other = self.copy("OBJDIR=" + os.path.join("..", os.path.basename(folder)))
        other.make(JOBS)
        self.assertEqual(other.read_obj("kern", "kernel.img"), image)
        self.assertFalse(os.path.exists(other.path("obj")))

    def test_compile_commands_lists_the_sources(self):
        tree = self.copy()
        tree.make("compile_commands.json")
        with open(tree.path("compile_commands.json"), encoding="utf-8") as f:
            commands = json.load(f)
        files = {os.path.relpath(os.path.join(c["directory"], c["file"]), tree.root)
                 for c in commands}
        self.assertTrue({"kern/init.c", "lib/printf.c", "user/hello.c"} <= files, files)


class RunTest(BuildTest):
    """Tests of what make runs, in one copy of the tree. They run one after the other."""

    needs_build = True

    @classmethod
    def setUpClass(cls):
        cls.tree = TREE.copy_built()
        cls.addClassCleanup(cls.tree.remove)
        cls.tree.make(JOBS)

    def run_target(self, *args):
        """Run a make target that starts QEMU; leave QEMU at the prompt. Returns the output."""
        with Child(["make", "-s", *args], limit=LIMIT_SECONDS, cwd=self.tree.root,
                   env=clean_environment()) as child:
            child.wait_for(PROMPT)
            child.send(LEAVE_QEMU)
            self.assertEqual(child.wait_for_end(), 0, child.errors)
            return child.output

    def failure(self, *args, tree=None, **kwargs):
        """Run make, which must fail. Returns its output."""
        done = (tree or self.tree).run_make(*args, **kwargs)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_new_program_runs_without_a_list(self):
        path = self.tree.path("user", "dropped.c")
        with open(path, "w", encoding="utf-8") as f:
            f.write('#include <inc/lib.h>\n\nvoid\numain(int argc, char **argv)\n{\n'
                    '\tcprintf("%s is here, %d argument\\n", argv[0], argc);\n}\n')
        output = self.run_target("run-dropped-nox", "CPUS=2")
        self.assert_lines(output, ["dropped is here, 1 argument", r"SMP: CPU 1 starting"])

        os.remove(path)
        output = self.run_target("qemu-nox", "CPUS=3")
        self.assert_lines(output, [r"All done in environment 00001002\.", r"SMP: CPU 2 starting"])
        self.assertRegex(self.failure("run-dropped-nox"), "no program.*dropped")

    def test_qemuextra_is_passed_to_qemu(self):
        output = self.run_target("run-hello-nox", "QEMUEXTRA=-m 300")
        self.assert_lines(output, ["hello, world",
                                   r"Only the first 256 MiB of \d+ MiB are used\."])

    def test_killed_run_leaves_a_valid_image(self):
        with Child(["make", "-s", "run-hello-nox"], limit=LIMIT_SECONDS, cwd=self.tree.root,
                   env=clean_environment()) as child:
            child.wait_for(PROMPT)
        self.assertIn("hello, world", self.run_target("run-hello-nox"))

    def test_gdbinit_connects_and_loads_symbols(self):
        self.tree.make(".gdbinit")
        with open(self.tree.path(".gdbinit"), encoding="utf-8") as f:
            text = f.read()
        port = self.tree.make("-s", "print-gdbport").strip()
        self.assertIn("\ntarget remote localhost:%s\n" % port, text)

        # Use this file, with another port, for a machine that the test starts.
        machine = self.start(disk=self.tree.disk_image("yield"), cpus=2, gdb=True)
        init = self.tree.path("gdbinit")
        with open(init, "w", encoding="utf-8") as f:
            f.write(text.replace("\ntarget remote localhost:" + port,
                                 "\n".join(["", *connect_gdb(machine, self.tree.root)])))
        output = run_gdb(machine, "program yield", "hbreak i386_init", "hbreak umain", "continue",
                         "info threads", "continue", "detach", init=init)
        self.assertIn("real mode, f000:fff0", output)
        self.assertRegex(output, r"Breakpoint 1, .*i386_init \(")
        self.assertRegex(output, r"Breakpoint 2, .*umain \(.*\) at user/yield\.c:\d+")
        self.assertEqual(len(set(re.findall(r"CPU#\d", output))), 2)

    # ---- Missing programs ----

    def test_missing_compiler_is_named(self):
        text = self.failure("CC=gcc-that-is-not-there", tree=self.copy())
        self.assertRegex(text, "gcc-that-is-not-there.*conf/setup")

    def test_missing_qemu_is_named(self):
        self.assertRegex(self.failure("qemu-nox", "QEMU=/nonexistent/qemu"),
                         "/nonexistent/qemu.*conf/setup")

    def test_missing_python_is_named(self):
        folder = make_folder("jos-")
        self.addCleanup(remove_folder, folder)
        for name in os.listdir("/usr/bin"):
            if not name.startswith("python"):
                os.symlink(os.path.join("/usr/bin", name), os.path.join(folder, name))
        text = self.failure(tree=self.copy(), env=dict(clean_environment(), PATH=folder))
        self.assertRegex(text, "python3.*conf/setup")
