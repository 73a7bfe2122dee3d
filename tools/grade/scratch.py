"""The trees of a sealed grade: the teacher's tree, with only the answers from a student.

    base = Base(folder)          # the teacher's tree with sealed programs, built once
    tree = AnswerTree(base)      # a copy of it for one student
    tree.take(Submission(path))  # puts the answers in, checks them, builds

The base has only the programs that the grade runs, so that a build takes seconds. It may be used
again by a later grade: it is made anew when a file of the teacher's tree has changed.
"""

import glob
import hashlib
import json
import os
import re
import runpy
import shutil
import sys

from tools.build.elffile import STB_LOCAL, ElfError, read_elf
from tools.build.mkimage import LAYOUT, SECTOR
from tools.grade import outside, seal
from tools.grade.answers import ANSWERS, Submission, SubmissionError
from tools.run.buildtree import BuildError, Tree, clean_environment
from tools.run.child import Child, ChildError
from tools.run.tool import ToolError, make_folder, remove_folder

BUILD_SECONDS = 300         # Of the build of a submission. It takes about 10.
BUILD_OUTPUT = 1000000      # Characters that a build may print
BUILD_MEMORY = 3000000      # In KB: address space of each compiler
BUILD_FILE = 200000         # In blocks of 512 bytes: size of each file that a build writes

# Timelines: how many for a student, and the limits of each
MOST_TIMELINES, TRACE_SECONDS, TRACE_RECORDS = 4, 20, 100000

# Left out of the base: nothing in it runs them.
UNUSED = ("tests/", "docs/", ".github/", ".ci/")
STAMP = ".sealed"           # In the base's folder: the digest of the sources that it was made from

# A path that leaves the tree, and the directive that includes any file as data. Both can also be
# written in ways that this does not find: check_included() looks at the result.
OUTSIDE = re.compile(rb'#\s*(?:include|include_next|embed|import)\s*["<]\s*(?:/|[^">\n]*\.\.)')
INCBIN = re.compile(rb"\.\s*incbin|\bincbin\b")


def replace_once(path, old, new):
    """Replace a piece of text that a file must contain once."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if text.count(old) != 1:
        raise ToolError("%s should contain once: %s" % (path, old))
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


def defined(path):
    """The global symbols that an object file defines."""
    return {s.name for s in read_elf(path).symbols() if s.section and s.bind != STB_LOCAL}


def dependencies(path):
    """The files that were included, from a .d file; an empty set if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            words = f.read().replace("\\\n", " ").replace("\\ ", "\0").split()
    except FileNotFoundError:
        return set()
    return {word.replace("\0", " ") for word in words if not word.endswith(":")}


def object_name(source):
    """kern/ipc.c -> ("kern", "ipc")"""
    folder, file = source.split("/")
    return folder, file.rsplit(".", 1)[0]


class Base:
    """The tree that answers are put into, sealed and built, in `folder`; without a folder, in a
    temporary one, which remove() deletes. It is the student's tree of `make starter`, where there
    is one, or with `whole` the whole project."""

    def __init__(self, folder=None, whole=False, source=None):
        self.source = source or Tree()
        self._starter = not whole and os.path.exists(
            self.source.path("tools", "teach", "starter.py"))
        self.temporary = folder is None
        self.root = os.path.abspath(folder) if folder else make_folder("jos-base-")
        self.tree = Tree(self.root, [v for v in self.source.variables
                                     if not v.startswith("OBJDIR=")] + ["OBJDIR=obj"])

    def remove(self):
        if self.temporary:
            remove_folder(self.root)

    def prepare(self, as_is=False):
        """Make the base, unless it exists and is up to date. Returns whether it was made. With
        `as_is`, the base must exist, and may have been made from other sources."""
        digest = self._read_stamp() if as_is else self._digest()
        if digest is None:
            raise ToolError("%s is not the tree of a sealed grade" % self.root)
        made = self._read_stamp() != digest
        if made:
            if os.path.isdir(self.root) and os.listdir(self.root) and self._read_stamp() is None:
                raise ToolError("%s is not empty, and is not the tree of a sealed grade"
                                % self.root)
            self._make()
            self.tree.make("-s", "-j%d" % (os.cpu_count() or 1), "all", "obj/kern/layout.json")
            with open(os.path.join(self.root, STAMP), "w", encoding="ascii") as f:
                f.write(digest)
        self._read()
        return made

    def _read_stamp(self):
        try:
            with open(os.path.join(self.root, STAMP), encoding="ascii") as f:
                return f.read()
        except FileNotFoundError:
            return None

    def _sources(self):
        return sorted(name for name in self.source.sources()
                      if not name.startswith(UNUSED) and name != STAMP)

    def _digest(self):
        total = hashlib.sha256(" ".join([*self.source.variables, str(self._starter)]).encode())
        for name in self._sources():
            with open(self.source.path(name), "rb") as f:
                data = f.read()
            total.update(b"%s %d " % (name.encode(), len(data)) + data)
        return total.hexdigest()

    def digest(self):
        return self._read_stamp()

    def _needed_programs(self):
        """The source files of the programs that the grade runs."""
        words = set()
        for path in glob.glob(self.source.path("grade-lab*")):
            for part in runpy.run_path(path)["PARTS"]:
                for test in part.all():
                    for cmdline, _, _ in test.runs():
                        words.update(word.split(",")[0] for word in cmdline.split())
        return {file for name, file in self.source.programs().items() if name in words}

    def _make(self):
        if os.path.isdir(self.root):
            for name in os.listdir(self.root):
                path = os.path.join(self.root, name)
                (shutil.rmtree if os.path.isdir(path) and not os.path.islink(path)
                 else os.unlink)(path)
        unused = set(self.source.programs().values()) - self._needed_programs()
        if self._starter:
            self._write_starter(unused)
        else:
            for name in self._sources():
                if name not in unused:
                    target = os.path.join(self.root, name)
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    shutil.copy2(self.source.path(name), target)
        shutil.copy(self.source.path("tools", "grade", "sealed.c"),
                    self.tree.path("lib", "printf.c"))
        replace_once(self.tree.path("lib", "libmain.c"), "\tumain(argc, argv);\n",
                     "\tvoid _seal_start(void);\n\n\t_seal_start();\n\tumain(argc, argv);\n")

    def _write_starter(self, unused):
        """Write the student's tree: that is what the answers of students fit to."""
        from tools.teach.starter import Starter, write
        with open(self.source.path("conf", "lab.mk"), encoding="utf-8") as f:
            starter = Starter(int(re.search(r"LAB\s*:?=\s*(\d+)", f.read())[1]), self.source.root)
        files = starter.files(set(starter.exercises))
        write({name: data for name, data in files.items() if name not in unused}, self.root,
              self.source.root)

    def _read(self):
        """Read what the copies need to know about the build with the teacher's own answers."""
        self.symbols = {name: defined(self.tree.obj("lib", object_name(name)[1] + ".o"))
                        for name in ANSWERS if name.startswith("lib/")}
        self.library = {symbol for path in glob.glob(self.tree.obj("lib", "**", "*.o"),
                                                     recursive=True)
                        if os.path.relpath(path, self.tree.obj()) not in
                        ["%s/%s.o" % object_name(name) for name in ANSWERS]
                        for symbol in defined(path)}
        self.included = set()
        for path in glob.glob(self.tree.obj("**", "*.d"), recursive=True):
            self.included |= dependencies(path)
        with open(self.tree.obj("kern", "layout.json"), encoding="utf-8") as f:
            self.layout = json.load(f)


class AnswerTree(Tree):
    """A copy of a base for one student, in a temporary folder, for the caller to remove()."""

    def __init__(self, base, jobs=1):
        self.base, self._jobs = base, jobs
        super().__init__(make_folder("jos-answers-"), base.tree.variables)
        shutil.copytree(base.root, self.root, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("*.asm", ".lock", "__pycache__"))
        self._names = None

    def take(self, submission):
        """Put the answers into the tree, and build. Raises SubmissionError or BuildError."""
        for name, data in submission.files.items():
            check_source(name, data)
            with open(self.base.tree.path(*name.split("/")), "rb") as f:
                if f.read() == data:
                    continue
            with open(self.path(*name.split("/")), "wb") as f:
                f.write(data)
            self._forget(*object_name(name))
        self._forget("kern", "kernel")
        self._build()
        self._check_included()
        self._check_symbols()
        kernel = read_elf(self.obj("kern", "kernel"))
        self._find_names(kernel)
        self.layout = dict(self.base.layout, symbols=outside.find_symbols(kernel))

    def _forget(self, folder, name):
        """Remove what was built with our own answers: an answer could include it."""
        for path in glob.glob(glob.escape(self.obj(folder, name)) + ".*"):
            os.unlink(path)
        if os.path.exists(self.obj(folder, name)):
            os.unlink(self.obj(folder, name))

    def _build(self):
        """Run make with limits for the compilers."""
        limits = "ulimit -c 0 -S; ulimit -v %d; ulimit -f %d; ulimit -t %d; exec \"$@\"" % (
            BUILD_MEMORY, BUILD_FILE, BUILD_SECONDS)
        command = ["sh", "-c", limits, "sh", "make", "-s", "-j%d" % self._jobs, *self.variables]
        try:
            with Child(command, name="the build", limit=BUILD_SECONDS, cwd=self.root,
                       env=clean_environment(), merge=True, most_output=BUILD_OUTPUT) as child:
                child.end_input()
                status = child.wait_for_end()
                output = child.output.strip()
        except ChildError as e:
            raise BuildError("the build was stopped: %s" % e) from None
        if status:
            raise BuildError("the kernel does not build:\n" + output)

    def _check_included(self):
        """No answer may include a file from outside the tree."""
        for name in ANSWERS:
            for file in sorted(dependencies(self.obj("%s/%s.d" % object_name(name)))):
                if (os.path.isabs(file) or ".." in file) and file not in self.base.included:
                    raise SubmissionError("%s includes %s, which is not in the project"
                                          % (name, file))

    def _check_symbols(self):
        """The answers in lib/ may not replace other functions of the library. For the kernel, the
        linker checks this."""
        for name, usual in self.base.symbols.items():
            try:
                new = defined(self.obj("lib", object_name(name)[1] + ".o")) - usual
            except (ElfError, OSError) as e:
                raise SubmissionError("%s: %s" % (name, e)) from None
            replaced = sorted(new & (self.base.library | {"umain", "_start"}))
            if replaced:
                raise SubmissionError("%s defines %s, which belongs to another file"
                                      % (name, replaced[0]))

    # ---- Running ----

    def _find_names(self, kernel):
        """Find the programs' names in the kernel's file on the disk."""
        stripped = read_elf(self.obj("kern", "kernel.stripped"))
        self._names, symbols = {}, {s.name: s.value for s in kernel.symbols()}
        for name in self.programs():
            entry = symbols.get("program_user_" + name)
            if entry is not None:
                at = stripped.offset_of(entry)
                pointer = int.from_bytes(stripped.data[at:at + 4], "little")
                self._names[name] = stripped.offset_of(pointer)

    def machine(self, cmdline, **options):
        """Start a machine with this command line."""
        image = seal.Image(super().disk_image(cmdline), LAYOUT["BOOT_KERNEL_LBA"] * SECTOR,
                           self._names, cmdline)
        start = image.cmdline.encode().ljust(SECTOR, b"\0")
        code = [seal.own_code(self.obj("user", name), self.obj("user", name + ".o"))
                for name in image.programs]
        data = image.data[:SECTOR] + start + image.data[2 * SECTOR:]
        seals = seal.Seals(image.key, code, image.aliases, image.count)
        return seal.SealedMachine(self.qemu(), seals, disk=data, **options)

    def verify(self, machine, test):
        """What is wrong with a run that is at its end, seen from outside: a list of lines."""
        return outside.verify(machine, test, self.layout)

    def write_timelines(self, tests, folder):
        """Run these tests' programs with the kernel's trace; write a page for each to a folder. A
        kernel that cannot be traced has no page."""
        os.makedirs(folder, exist_ok=True)
        for test in tests[:MOST_TIMELINES]:
            command = [sys.executable, self.path("tools", "see", "trace.py"), "--cpus",
                       str(test.cpus), "--seconds", str(TRACE_SECONDS), "--records",
                       str(TRACE_RECORDS), test.name]
            page = self.obj("trace", test.name + ".html")
            try:
                with Child(command, limit=BUILD_SECONDS, cwd=self.root, merge=True, tool=True,
                           env=clean_environment(), most_output=BUILD_OUTPUT) as child:
                    child.end_input()
                    child.wait_for_end()
                if os.path.exists(page):
                    shutil.copy(page, os.path.join(folder, test.name + ".html"))
            except ChildError:
                pass


def check_source(name, data):
    """Refuse an answer that plainly includes a file from outside the tree."""
    for line in data.split(b"\n"):
        if OUTSIDE.search(line) or INCBIN.search(line):
            raise SubmissionError("%s includes a file that is not in the project: %s" % (
                name, line.decode("utf-8", "replace").strip()[:100]))


def add_options(parser):
    """Add the options of a sealed grade to an argparse parser."""
    group = parser.add_argument_group("grading a submission (docs/teachers.md)")
    group.add_argument("--answers", metavar="SUBMISSION",
                       help="grade only the answer files of this folder or archive, in a copy")
    group.add_argument("--base", metavar="DIR", help="keep the built tree in DIR, and use it the "
                       "next time; without --answers, only build it")
    group.add_argument("--as-is", action="store_true",
                       help="do not check that the tree in DIR is up to date")
    group.add_argument("--whole", action="store_true", help="the answers belong to the whole "
                       "project, not to the tree of make starter")
    group.add_argument("--timelines", metavar="DIR",
                       help="write a timeline of each failed test to DIR")


def make_tree(args, stack, notes):
    """Build this tree, or one with the answers of a submission."""
    if not args.answers:
        tree = Tree()
        tree.build()
        return tree
    limit_resources()
    base = Base(args.base, args.whole)
    stack.callback(base.remove)
    base.prepare(args.as_is)
    submission = Submission(args.answers, base.root)
    notes += submission.notes
    print("\n".join(notes) + "\n")
    tree = AnswerTree(base, args.jobs)
    stack.callback(tree.remove)
    tree.take(submission)
    return tree


def limit_resources():
    """Limits for this process and all that it starts, for example QEMU."""
    import resource
    for name, most in (("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 400 << 20)):
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(number, (most, hard))
