"""A checkout of this project: its root, its source files, its build products, its make.

A tool that make started, as in `make check CC=clang`, must build with the same settings. So the
settings of that make's command line and of the environment are passed on. Other flags of make are
not passed on, because they refer to a job server that this process has no access to.
"""

import glob
import os
import re
import shlex
import shutil
import subprocess

from tools.build.mkimage import SECTOR, check_cmdline
from tools.run.child import Child, ChildError
from tools.run.tool import ToolError, make_folder, remove_folder

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Time limit, for a make that hangs.
MAKE_SECONDS = 3600

# Files that make writes outside the build folder.
MADE_FILES = (".gdbinit", "compile_commands.json", "autograder.zip")


class BuildError(ToolError):
    """make failed. The text is its output."""


def settings():
    """The names of all settings, from conf/settings.mk."""
    try:
        with open(os.path.join(ROOT, "conf", "settings.mk"), encoding="utf-8") as f:
            found = re.search(r"(?m)^SETTINGS := ((?:.*\\\n)*.*)$", f.read())
    except FileNotFoundError:
        return set()
    return set(found[1].replace("\\", "").split())


def inherited_variables():
    """The settings as NAME=VALUE words: those given to the make that started this tool, and those
    in the environment."""
    # make escapes blanks by backslashes. Quotes are part of the values.
    splitter = shlex.shlex(os.environ.get("MAKEFLAGS", ""), posix=True)
    splitter.whitespace_split, splitter.quotes, splitter.commenters = True, "", ""
    words = list(splitter)
    given = [w for w in words if "=" in w and not w.startswith("-")]
    names = {w.split("=", 1)[0] for w in given}
    return given + ["%s=%s" % (name, os.environ[name])
                    for name in sorted(settings() - names) if name in os.environ]


def clean_environment():
    """Our environment without settings and without the variables of make."""
    removed = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", *settings()}
    return {k: v for k, v in os.environ.items() if k not in removed}


class Tree:
    """The checkout at `root`. All runs of make get `variables`: ["CC=clang", ...]."""

    def __init__(self, root=ROOT, variables=None):
        self.root = root
        self.variables = inherited_variables() if variables is None else list(variables)
        self._qemu = None
        self._objdir = None

    def path(self, *names):
        """The absolute path of a file of the checkout."""
        return os.path.join(self.root, *names)

    def objdir(self):
        """The build folder as make prints it: relative to the root, or absolute."""
        if self._objdir is None:
            self._objdir = self.make("-s", "print-objdir").strip()
        return self._objdir

    def obj(self, *names):
        """The path of a build product: obj("kern", "kernel")."""
        return self.path(self.objdir(), *names)

    def read_obj(self, *names):
        """The bytes of a build product."""
        with open(self.obj(*names), "rb") as f:
            return f.read()

    def run_make(self, *args, env=None):
        """Run make; return its CompletedProcess. stdout is text that includes stderr."""
        command = ["make", *args, *self.variables]
        try:
            with Child(command, limit=MAKE_SECONDS, cwd=self.root, env=env or clean_environment(),
                       merge=True, tool=True) as child:
                child.end_input()
                return subprocess.CompletedProcess(command, child.wait_for_end(), child.output)
        except ChildError as e:
            if not shutil.which("make"):
                raise BuildError("make is not installed: run conf/setup") from None
            raise BuildError("'make %s': %s" % (" ".join(args), e)) from None

    def make(self, *args, **kwargs):
        """Run make; return its output, or raise BuildError."""
        done = self.run_make(*args, **kwargs)
        if done.returncode:
            raise BuildError("'make %s' failed:\n%s" % (" ".join(args), done.stdout.strip()))
        return done.stdout

    def build(self):
        """Build everything, with as many jobs as there are cores."""
        self.make("-s", "-j%d" % (os.cpu_count() or 1))

    def qemu(self):
        """The command that runs QEMU, as a list of words."""
        if self._qemu is None:
            words = shlex.split(self.make("-s", "print-qemu"))
            if not words:
                raise BuildError("'make print-qemu' printed nothing")
            # QEMU runs in other folders than make does, so make a relative path absolute.
            self._qemu = [self.path(words[0]) if "/" in words[0] else words[0], *words[1:]]
        return self._qemu

    def programs(self, pattern="*"):
        """The user programs with a name that matches the pattern: {name: source file, relative to
        the root}."""
        found = {}
        for path in sorted(glob.glob(self.path("user", pattern + ".c"))
                           + glob.glob(self.path("user", "*", pattern + ".c"))):
            found[os.path.splitext(os.path.basename(path))[0]] = os.path.relpath(path, self.root)
        return found

    def disk_image(self, cmdline):
        """The bytes of the disk image, with this command line instead of its own."""
        image = self.read_obj("kern", "kernel.img")
        return image[:SECTOR] + check_cmdline(cmdline).ljust(SECTOR, b"\0") + image[2 * SECTOR:]

    def sources(self):
        """The source files of the checkout, relative to the root. Leaves out each build folder: a
        folder with a .lock file."""
        names = []
        for folder, subfolders, files in os.walk(self.root):
            subfolders[:] = [d for d in subfolders if d not in (".git", "__pycache__")
                             and not os.path.exists(os.path.join(folder, d, ".lock"))]
            paths = [os.path.join(folder, file) for file in files
                     if file not in (".git", *MADE_FILES)]  # In a git worktree, .git is a file.
            names += [os.path.relpath(path, self.root) for path in paths if os.path.isfile(path)]
        return names

    def copy(self, variables=()):
        """Copy the sources to a temporary folder; return its Tree, for the caller to remove()."""
        root = make_folder("jos-tree-")
        for name in self.sources():
            target = os.path.join(root, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(self.path(name), target)
        variables = list(variables)
        if os.path.isabs(self.objdir()) and not any(v.startswith("OBJDIR=") for v in variables):
            variables.append("OBJDIR=obj")  # conf/env.mk may name this tree's build folder.
        return Tree(root, variables)

    def copy_built(self):
        """Like copy(), but include the build products, so that make has little to do. An OBJDIR
        outside the checkout is not copied: its files contain the path of that folder."""
        tree = self.copy([v for v in self.variables if not v.startswith("OBJDIR=")])
        if tree.variables == self.variables and not os.path.isabs(self.objdir()):
            # Other tests may be building in these subfolders: ignore them.
            shutil.copytree(self.obj(), tree.path(self.objdir()), ignore=shutil.ignore_patterns(
                "san", "san-*", "test-*", "fuzz", "run", "trace", "iso*", "jos.iso", ".lock"))
        return tree

    def remove(self):
        """Delete a copy made by copy() or copy_built()."""
        assert self.root != ROOT
        remove_folder(self.root)
