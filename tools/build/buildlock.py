#!/usr/bin/env python3
"""One make at a time builds in a folder; a second one waits, and says so.

    buildlock.py take PID FOLDER...      PID is the make's process
    buildlock.py release PID FOLDER...

The owner of a folder is named in its file .lock: process, time of its start, computer. It stops
being the owner by `release` or by its end, however it ended. A make that an owner has started,
directly or not, may build there as well: the owner waits for it.
"""

import argparse
import fcntl
import os
import platform
import subprocess
import sys
import time

POLL_SECONDS = 0.1


def process(pid):
    """(the parent, the time of the start as a word) of a running process, or None."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
            state, parent, *rest = f.read().rpartition(")")[2].split()
        return None if state in "ZX" else (int(parent), rest[17])
    except OSError:
        if os.path.exists("/proc/self/stat"):
            return None
    done = subprocess.run(["ps", "-o", "ppid=,lstart=", "-p", str(pid)], stdout=subprocess.PIPE,
                          encoding="utf-8", check=False)
    parent, *start = done.stdout.split() or [0]
    return (int(parent), "-".join(start)) if start else None


def describe(pid):
    """What stands in a lock that the process owns."""
    running = process(pid)
    return "%d %s %s" % (pid, running[1] if running else "-", platform.node())


def descends(pid, ancestor):
    """Whether a process is another one, or was started by it, directly or not."""
    while pid > 1 and pid != ancestor:
        running = process(pid)
        pid = running[0] if running else 0
    return pid == ancestor


def owner_of(text):
    """The process that owns a lock with this text, or None. Of another computer's processes
    nothing is known: such a lock counts."""
    words = text.split()
    if len(words) != 3:
        return None
    pid = int(words[0])
    if words[2] == platform.node() and text.strip() != describe(pid):
        return None
    return pid


class Lock:
    """The file .lock of a folder. In a `with`, no other process looks at it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, ".lock")

    def __enter__(self):
        while True:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            self._file = open(self.path, "a+", encoding="utf-8")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                if os.path.samestat(os.fstat(self._file.fileno()), os.stat(self.path)):
                    return self
            except FileNotFoundError:  # `make clean` has removed it
                pass
            self._file.close()

    def __exit__(self, *_):
        self._file.close()

    def read(self):
        """The text in it."""
        self._file.seek(0)
        return self._file.read()

    def write(self, text):
        """Replace the text."""
        self._file.truncate(0)
        self._file.write(text)
        self._file.flush()


def take(folder, pid):
    """Make a process the owner, as soon as there is no other one."""
    told = False
    while True:
        with Lock(folder) as lock:
            text = lock.read()
            owner = owner_of(text)
            if owner is None:
                lock.write(describe(pid))
            if owner is None or descends(pid, owner):
                return
        if text.split()[2] != platform.node():
            sys.exit("make: process %s on %s builds in %s. If it does not, remove %s"
                     % (*text.split()[::2], folder, lock.path))
        if not told:
            print("make: waiting for another make, process %d, that uses %s" % (owner, folder),
                  file=sys.stderr, flush=True)
            told = True
        time.sleep(POLL_SECONDS)


def release(folder, pid):
    """A process is no longer the owner, if it was."""
    with Lock(folder) as lock:
        if lock.read() == describe(pid):
            lock.write("")


def main():
    parser = argparse.ArgumentParser(description="Who may build in a folder.")
    parser.add_argument("action", choices=["take", "release"])
    parser.add_argument("pid", type=int)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    args = parser.parse_args()
    for folder in args.folders:
        try:
            (take if args.action == "take" else release)(folder, args.pid)
        except OSError as e:
            sys.exit("make: %s: %s" % (folder, e.strerror))
        except KeyboardInterrupt:
            sys.exit(1)


if __name__ == "__main__":
    main()
