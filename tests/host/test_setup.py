"""conf/setup, with a folder of small scripts in place of the system's programs."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SETUP = os.path.join(ROOT, "conf", "setup")

# Programs that conf/setup calls and every system has.
SYSTEM = ["sh", "mktemp", "rm", "uname", "env", "touch", "chmod", "cp"]
TO_RUN = ["make", "python3", "gcc", "ld", "qemu-system-i386", "gdb"]
TO_CHECK = ["cc", "clang", "bochs", "i686-elf-grub-mkrescue", "xorriso", "mformat", "spin",
            "clang-format", "flake8", "chromium", "chromedriver", "mkdocs"]

SUCCEED = "#!/bin/sh\nexit 0\n"


class SetupTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="jos-")
        self.addCleanup(shutil.rmtree, self.dir)
        for name in SYSTEM:
            os.symlink(shutil.which(name), os.path.join(self.dir, name))
        for name in TO_RUN + TO_CHECK:
            self.add(name)
        self.add("id", "#!/bin/sh\necho 0\n")

    def add(self, name, script=SUCCEED):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(script)
        os.chmod(path, 0o755)

    def add_manager(self, name, body):
        """A package manager that appends its arguments to the file `calls`."""
        self.add(name, '#!/bin/sh\necho "%s $*" >>"$JOS_TEST_DIR/calls"\n%s\n' % (name, body))

    def remove(self, *names):
        for name in names:
            os.remove(os.path.join(self.dir, name))

    def calls(self):
        try:
            with open(os.path.join(self.dir, "calls"), encoding="utf-8") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def run_setup(self, *args, path=None):
        env = dict(os.environ, PATH=path or self.dir, JOS_TEST_DIR=self.dir)
        env.pop("PYTHON", None)
        done = subprocess.run([SETUP, *args], env=env, cwd="/", timeout=600,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8")
        return done.returncode, done.stdout

    # A command that installs a program.
    INSTALL = 'cp "$JOS_TEST_DIR/make" "$JOS_TEST_DIR/%s"'

    def test_nothing_is_done_when_nothing_is_missing(self):
        self.add_manager("apt-get", "exit 1")
        self.assertEqual(self.run_setup("--check"), (0, ""))
        self.assertEqual(self.calls(), [])

    def test_this_machine_lacks_nothing(self):
        self.assertEqual(self.run_setup("--check", path=os.environ["PATH"]), (0, ""))

    def test_packages_for_tests_are_installed_only_with_check(self):
        self.remove(*TO_CHECK)
        self.add_manager("apt-get", "exit 1")
        self.assertEqual(self.run_setup(), (0, ""))
        status, text = self.run_setup("--check")
        self.assertRegex(text, "installing.* clang .* bochs .* spin clang-format flake8 chromium "
                               "chromium-driver")

    def test_unknown_option_is_refused(self):
        for args in (["--chekc"], ["check"], ["--check", "--check"]):
            with self.subTest(args=args):
                self.assertEqual(self.run_setup(*args),
                                 (1, "conf/setup: usage: conf/setup [--check]\n"))

    def test_gdb_multiarch_is_accepted(self):
        self.remove("gdb")
        self.add("gdb-multiarch")
        self.assertEqual(self.run_setup(), (0, ""))

    def test_apt_installs_missing_packages_without_update(self):
        self.remove("qemu-system-i386")
        self.add_manager("apt-get", self.INSTALL % "qemu-system-i386")
        self.assertEqual(self.run_setup(), (0, "conf/setup: installing qemu-system-x86\n"))
        self.assertEqual(len(self.calls()), 1)
        self.assertIn(" install -y --no-install-recommends qemu-system-x86", self.calls()[0])

    def test_apt_updates_when_an_install_fails(self):
        self.remove("gdb", "mformat")
        self.add_manager("apt-get", '''case "$*" in
            *update) touch "$JOS_TEST_DIR/updated" ;;
            *) [ -e "$JOS_TEST_DIR/updated" ] || exit 100; %s; %s ;; esac'''
                         % (self.INSTALL % "gdb", self.INSTALL % "mformat"))
        self.assertEqual(self.run_setup("--check"),
                         (0, "conf/setup: installing gdb mtools\n"))
        self.assertEqual([call.split()[3] for call in self.calls()],
                         ["install", "update", "install"])

    def test_broken_programs_count_as_missing(self):
        self.add("qemu-system-i386", "#!/bin/sh\necho no library >&2; exit 127\n")
        self.add("gcc", "#!/bin/sh\nexit 1\n")
        self.add("bochs", "#!/bin/sh\necho \"display library 'term' not available\" >&2; exit 1\n")
        self.add_manager("apt-get", "; ".join(self.INSTALL % name for name in (
            "qemu-system-i386", "gcc", "bochs")))
        status, text = self.run_setup("--check")
        self.assertEqual(status, 0, text)
        self.assertRegex(text, "installing.* gcc.* binutils.* qemu-system-x86.* bochs-term")

    def test_missing_libfuzzer_is_installed(self):
        # One package has gcc's version in its name; apt-cache gives the version.
        self.add("clang", '#!/bin/sh\ncase "$*" in *fuzzer*) [ -e "$JOS_TEST_DIR/libraries" ];; '
                          'esac\n')
        self.add("apt-cache", '#!/bin/sh\necho "gcc\n  Depends: cpp\n  Depends: gcc-13"\n')
        self.add("sed", '#!/bin/sh\nexec %s "$@"\n' % shutil.which("sed"))
        self.add_manager("apt-get", 'touch "$JOS_TEST_DIR/libraries"')
        self.assertEqual(self.run_setup("--check"),
                         (0, "conf/setup: installing clang libclang-rt-dev libc6-dev-i386 "
                             "lib32stdc++-13-dev\n"))

    # apt installs no package of a command in which one name is unknown.
    UNKNOWN_PACKAGE = """case "$*" in
        *libclang-rt-dev*) echo "E: Unable to locate package libclang-rt-dev"; exit 100 ;;
        *mtools*) %s ;; esac"""

    def test_unavailable_optional_package_is_a_warning(self):
        self.remove("mformat")
        self.add("clang", '#!/bin/sh\ncase "$*" in *fuzzer*) exit 1 ;; esac\n')
        self.add("sed", '#!/bin/sh\nexit 0\n')
        self.add_manager("apt-get", self.UNKNOWN_PACKAGE % (self.INSTALL % "mformat"))
        status, text = self.run_setup("--check")
        self.assertEqual(status, 0, text)
        self.assertTrue(os.path.exists(os.path.join(self.dir, "mformat")))
        self.assertRegex(text, "warning: without .*libclang-rt-dev.* there is no make "
                               "fuzz-host and its tests\n$")
        self.assertEqual(sum(call.endswith(" update") for call in self.calls()), 1)

    def test_other_package_managers_are_used(self):
        for manager, call in (("dnf", "dnf install -y xorriso"),
                              ("pacman", "pacman -S --needed --noconfirm libisoburn"),
                              ("brew", "brew install xorriso")):
            with self.subTest(manager=manager):
                self.remove("xorriso")
                self.add_manager(manager, self.INSTALL % "xorriso")
                status, text = self.run_setup("--check")
                self.assertEqual((status, self.calls()), (0, [call]), text)
                self.remove(manager, "calls")

    def test_unavailable_debugger_is_a_warning(self):
        self.remove("gdb")
        self.add_manager("apt-get", "exit 100")
        status, text = self.run_setup()
        self.assertEqual(status, 0, text)
        self.assertIn("warning: without gdb there is no make gdb\n", text)

    def test_unknown_system_is_an_error(self):
        self.remove("make", "clang")
        status, text = self.run_setup("--check")
        self.assertEqual(status, 1)
        self.assertIn("cannot install packages on this system", text)
        self.assertIn("What is missing: make clang", text)

    def test_without_root_and_sudo_the_command_is_printed(self):
        self.remove("make")
        self.add("id", "#!/bin/sh\necho 1000\n")
        self.add_manager("apt-get", "exit 1")
        status, text = self.run_setup()
        self.assertEqual(status, 1)
        self.assertRegex(text, "not root, and there is no sudo. As root, run: .*install -y.* make")

    def test_user_installs_by_sudo(self):
        self.remove("make")
        self.add("id", "#!/bin/sh\necho 1000\n")
        self.add_manager("sudo", '"$@"')
        self.add_manager("apt-get", 'cp "$JOS_TEST_DIR/python3" "$JOS_TEST_DIR/make"')
        self.assertEqual(self.run_setup()[0], 0)
        self.assertRegex(self.calls()[0], "^sudo env DEBIAN_FRONTEND=noninteractive apt-get ")

    def test_failed_install_is_an_error(self):
        self.remove("make")
        self.add_manager("apt-get", "exit 100")
        status, text = self.run_setup()
        self.assertEqual(status, 1)
        self.assertIn("conf/setup: tried to install make", text)

    def test_package_without_the_program_is_an_error(self):
        self.remove("make")
        self.add_manager("apt-get", "exit 0")
        status, text = self.run_setup()
        self.assertEqual(status, 1)
        self.assertIn("this does not work: make", text)


if __name__ == "__main__":
    unittest.main()
