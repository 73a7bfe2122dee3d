"""A checkout of this project as the tools see it: its root, its build products, its make.

A tool that `make` itself has started (make check CC=clang) must build as that make would, so the
variables given on its command line are passed on. Its other flags are not: they speak of a job
server that we cannot reach.
"""

import os
import shlex
import shutil
import subprocess
import tempfile

from mkimage import SECTOR, check_cmdline

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class BuildError(Exception):
    """make failed. The text is what it said."""


def inherited_variables():
    """The NAME=VALUE words that were given to the make that started us, if one did."""
    words = shlex.split(os.environ.get("MAKEFLAGS", ""))
    return [w for w in words if "=" in w and not w.startswith("-")]


def clean_environment():
    """Our environment without what a make above us has put in it."""
    return {k: v for k, v in os.environ.items()
            if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}


class Tree:
    """The checkout at `root`. `variables` are given to every make: ["CC=clang", ...]."""

    def __init__(self, root=ROOT, variables=None):
        self.root = root
        self.variables = inherited_variables() if variables is None else list(variables)
        self._qemu = None

    def path(self, *names):
        """A path of the checkout, absolute."""
        return os.path.join(self.root, *names)

    def obj(self, *names):
        """The path of a build product: obj("kern", "kernel")."""
        given = [v.split("=", 1)[1] for v in self.variables if v.startswith("OBJDIR=")]
        return self.path(given[-1] if given else self._default_objdir(), *names)

    def _default_objdir(self):
        sanitized = [v for v in self.variables if v.startswith("SAN=") and v != "SAN="]
        return os.path.join("obj", "san") if sanitized else "obj"

    def read_obj(self, *names):
        """The bytes of a build product."""
        with open(self.obj(*names), "rb") as f:
            return f.read()

    def run_make(self, *args, env=None, timeout=600):
        """Run make; return its CompletedProcess with stdout and stderr together as text."""
        return subprocess.run(["make", *args, *self.variables], cwd=self.root,
                              env=env or clean_environment(), timeout=timeout,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", errors="replace")

    def make(self, *args, **kwargs):
        """Run make; return what it printed, or raise BuildError."""
        try:
            done = self.run_make(*args, **kwargs)
        except FileNotFoundError:
            raise BuildError("make is not installed: run conf/setup") from None
        if done.returncode:
            raise BuildError("'make %s' failed:\n%s" % (" ".join(args), done.stdout.strip()))
        return done.stdout

    def build(self):
        """Build everything, with as many jobs as there are cores."""
        self.make("-s", "-j%d" % (os.cpu_count() or 1))

    def qemu(self):
        """The command that runs QEMU, as a list of words."""
        if self._qemu is None:
            self._qemu = shlex.split(self.make("-s", "print-qemu"))
            if not self._qemu:
                raise BuildError("'make print-qemu' printed nothing")
        return self._qemu

    def disk_image(self, cmdline):
        """The bytes of the built disk image with another command line in it."""
        image = self.read_obj("kern", "kernel.img")
        return image[:SECTOR] + check_cmdline(cmdline).ljust(SECTOR, b"\0") + image[2 * SECTOR:]

    def sources(self):
        """The files that belong to the project, relative to the root."""
        if shutil.which("git"):
            done = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"],
                                  cwd=self.root, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
            if done.returncode == 0:
                return [name for name in os.fsdecode(done.stdout).split("\0")
                        if name and os.path.exists(self.path(name))]
        names = []
        for folder, subfolders, files in os.walk(self.root):
            subfolders[:] = [d for d in subfolders if d not in (".git", "obj", "__pycache__")]
            names += [os.path.relpath(os.path.join(folder, f), self.root) for f in files]
        return names

    def copy(self, variables=()):
        """A copy of the sources in a folder of its own, not built. The caller calls remove()."""
        root = tempfile.mkdtemp(prefix="jos-tree-")
        for name in self.sources():
            target = os.path.join(root, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(self.path(name), target)
        return Tree(root, variables)

    def copy_built(self):
        """A copy with what was built, so that little is left to make. Only if it was built in the
        usual folder: what was built elsewhere has the names of that folder in it."""
        tree = self.copy([v for v in self.variables if not v.startswith("OBJDIR=")])
        if tree.variables == self.variables:
            # Other tests may be building in the folders that are left out.
            shutil.copytree(self.obj(), tree.obj(), ignore=shutil.ignore_patterns(
                "san", "san-*", "fuzz", "run", "iso*", "jos.iso"))
        return tree

    def remove(self):
        """Delete a copy."""
        assert self.root != ROOT
        shutil.rmtree(self.root, ignore_errors=True)
