"""A submission: the files that a student hands in, and nothing else.

A submission is a folder (a checkout, or a part of one), or an archive of it (.tar.gz, .tgz, .tar,
.zip). Only the files in ANSWERS are read from it. Nothing in it is run, no link is followed, and no
other file is opened, so it does not matter what else a submission contains.
"""

import hashlib
import os
import stat
import tarfile
import zipfile
import zlib

from tools.run.buildtree import Tree
from tools.run.tool import ToolError

# The files that the exercises change. tests/tools/test_cheats.py compares this list with the files
# that name an exercise. All other files of a grade are the teacher's.
ANSWERS = (
    "kern/pmap.c", "kern/init.c", "kern/env.c", "kern/trap.c", "kern/trap.h", "kern/trapentry.S",
    "kern/sched.c", "kern/syscall.c", "kern/upcall.c", "kern/ipc.c",
    "lib/fork.c", "lib/pgfault.c", "lib/pfentry.S", "lib/ipc.c",
)

# These differ in the tree of a sealed grade: scratch.py.
SEALED = ("lib/printf.c", "lib/libmain.c")

MAX_SIZE = 256 * 1024              # Bytes of an answer file. The longest is about 16 KB.
MAX_ARCHIVE = 64 * 1024 * 1024     # Bytes to read from an archive, after decompression
MAX_MEMBERS = 20000                # Files in an archive
MAX_DEPTH = 3                      # Folders in which the tree may be inside a submission
ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")


class SubmissionError(ToolError):
    """The submission cannot be graded. The text says why."""


class Submission:
    """The answer files of a submission: `files` is {name: bytes}, `notes` says in a few lines what
    was taken and what was not. Raises SubmissionError if a file is missing or not acceptable.
    `ours` is the root of a tree to compare other files with, or None."""

    def __init__(self, path, ours=None):
        if os.path.isdir(path):
            packed = only_archive(path)
            self.files, ignored = (read_archive(packed), []) if packed else read_folder(path, ours)
        elif path.lower().endswith(ARCHIVES):
            self.files, ignored = read_archive(path), []
        elif not os.path.exists(path):
            raise SubmissionError("%s does not exist" % path)
        else:
            raise SubmissionError("%s is not a folder, and not an archive (%s)"
                                  % (path, " ".join(ARCHIVES)))
        missing = [name for name in ANSWERS if name not in self.files]
        if len(missing) == len(ANSWERS):
            raise SubmissionError("no answer file was found: expected %s and %d others"
                                  % (ANSWERS[0], len(ANSWERS) - 1))
        if missing:
            raise SubmissionError("missing: " + ", ".join(missing))
        self.notes = ["taken from the submission: " + ", ".join(ANSWERS)]
        if ignored:
            self.notes.append("changed but not used: " + ", ".join(ignored))

    def digest(self):
        """A text that changes when an answer changes."""
        total = hashlib.sha256()
        for name in ANSWERS:
            total.update(b"%d %d " % (len(name), len(self.files[name])))
            total.update(name.encode() + self.files[name])
        return total.hexdigest()

    def write_to(self, root):
        """Put the answers into a tree."""
        for name, data in self.files.items():
            path = os.path.join(root, *name.split("/"))
            if os.path.lexists(path):
                os.unlink(path)
            with open(path, "wb") as f:
                f.write(data)


def check_text(name, data):
    if len(data) > MAX_SIZE:
        raise SubmissionError("%s is too large: the limit is %d bytes" % (name, MAX_SIZE))
    if b"\0" in data:
        raise SubmissionError("%s is not a text file" % name)
    return data


# ---- Folders ----

def has_answers(folder):
    """Whether the folder, not a link to it, has at least one answer file."""
    return any(os.path.lexists(os.path.join(folder, *name.split("/"))) for name in ANSWERS)


def find_root(folder):
    """The folder with the student's tree: `folder`, or a folder in it. Upload sites often add one
    or two folders. If there are several trees, the submission is not clear."""
    level = [folder]
    for _ in range(MAX_DEPTH + 1):
        found = [path for path in level if has_answers(path)]
        if len(found) > 1:
            raise SubmissionError("there are several trees: %s" % ", ".join(
                os.path.relpath(path, folder) for path in sorted(found)))
        if found:
            return found[0]
        level = [entry.path for path in level for entry in sorted_entries(path)
                 if entry.is_dir(follow_symlinks=False)][:MAX_MEMBERS]
    return folder


def only_archive(folder):
    """The archive in a folder that has an archive and nothing else, or None."""
    entries = [entry for entry in sorted_entries(folder) if not entry.name.startswith(".")]
    if len(entries) == 1 and entries[0].is_file(follow_symlinks=False) \
            and entries[0].name.lower().endswith(ARCHIVES):
        return entries[0].path
    return None


def sorted_entries(folder):
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def read_answer(root, name):
    """The bytes of an answer file, or None if it does not exist. No part of its path below the
    root may be a link, and it must be a regular file."""
    path = root
    parts = name.split("/")
    for i, part in enumerate(parts):
        path = os.path.join(path, part)
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return None
        except OSError as e:
            raise SubmissionError("%s cannot be read: %s" % (name, e.strerror)) from None
        wanted = stat.S_ISDIR if i < len(parts) - 1 else stat.S_ISREG
        if not wanted(mode):
            raise SubmissionError("%s is %s" % (
                "/".join(parts[:i + 1]),
                "a link: hand in the file itself" if stat.S_ISLNK(mode) else "not a plain file"))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as f:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SubmissionError("%s is not a plain file" % name)
            return check_text(name, f.read(MAX_SIZE + 1))
    except OSError as e:
        raise SubmissionError("%s cannot be read: %s" % (name, e.strerror)) from None


def read_folder(folder, ours):
    """The answer files of a folder, and the names of other files that differ from ours."""
    root = find_root(folder)
    files = {name: read_answer(root, name) for name in ANSWERS}
    return ({name: data for name, data in files.items() if data is not None},
            changed(root, Tree(ours, [])) if ours else [])


def changed(root, tree):
    """Files of our tree that exist in the submission with other contents. They are only named, so
    a file that cannot be compared is left out."""
    names = []
    for name in sorted(tree.sources()):
        theirs = os.path.join(root, name)
        try:
            ours = os.stat(tree.path(name)).st_size
            if name in (*ANSWERS, *SEALED) or os.path.islink(theirs) or not os.path.isfile(theirs):
                continue
            if os.stat(theirs).st_size == ours:
                with open(theirs, "rb") as a, open(tree.path(name), "rb") as b:
                    if a.read(ours + 1) == b.read():
                        continue
        except OSError:
            continue
        names.append(name)
    return names[:20] + (["and %d others" % (len(names) - 20)] if len(names) > 20 else [])


# ---- Archives ----

class LimitedReader:
    """A file that refuses to give more than `limit` bytes."""

    def __init__(self, stream, limit):
        self._stream, self._left = stream, limit

    def read(self, size=-1):
        data = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise SubmissionError("the archive is too large: the limit is %d bytes" % MAX_ARCHIVE)
        return data


def read_archive(path):
    """The answer files of an archive. Members are not written anywhere."""
    try:
        found = read_zip(path) if path.lower().endswith(".zip") else read_tar(path)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError,
            NotImplementedError, RuntimeError, ValueError) as e:
        raise SubmissionError("the archive cannot be read: %s" % e) from None
    roots = {prefix for prefix, _ in found}
    if len(roots) > 1:
        raise SubmissionError("there are several trees: %s"
                              % ", ".join(prefix or "." for prefix in sorted(roots)))
    return {name: data for (_, name), data in found.items()}


def split_member(member):
    """(folder, answer) for the path of an answer file in an archive, else None."""
    parts = [part for part in member.split("/") if part not in ("", ".")]
    if ".." in parts or member.startswith("/"):
        return None
    name = "/".join(parts[-2:])
    if name in ANSWERS and len(parts) - 2 <= MAX_DEPTH:
        return "/".join(parts[:-2]), name
    return None


def read_tar(path):
    found = {}
    with open(path, "rb") as f:
        stream = f
        if not path.lower().endswith(".tar"):
            import gzip
            stream = gzip.GzipFile(fileobj=f)
        with tarfile.open(fileobj=LimitedReader(stream, MAX_ARCHIVE), mode="r|") as archive:
            for count, member in enumerate(archive):
                if count >= MAX_MEMBERS:
                    raise SubmissionError("the archive has too many files")
                place = split_member(member.name)
                if place is None:
                    continue
                if not member.isreg():
                    raise SubmissionError("%s is not a plain file" % place[1])
                found[place] = check_text(place[1],
                                          archive.extractfile(member).read(MAX_SIZE + 1))
    return found


def read_zip(path):
    found = {}
    with zipfile.ZipFile(path) as archive:
        if len(archive.infolist()) > MAX_MEMBERS:
            raise SubmissionError("the archive has too many files")
        for member in archive.infolist():
            place = split_member(member.filename)
            if place is None or member.is_dir():
                continue
            kind = member.external_attr >> 16
            if kind and not stat.S_ISREG(kind) and stat.S_IFMT(kind):
                raise SubmissionError("%s is not a plain file" % place[1])
            with archive.open(member) as f:
                found[place] = check_text(place[1], f.read(MAX_SIZE + 1))
    return found
