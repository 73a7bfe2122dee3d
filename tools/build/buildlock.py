#!/usr/bin/env python3
"""The lock of a build folder: only one make builds there at a time. Other makes wait.

    buildlock.py take PID FOLDER...      PID is the process of make
    buildlock.py release PID FOLDER...

The file .lock of the folder names the owner of the lock: process id, start time and computer. The
lock is free again after `release`, or when the owner's process no longer exists. A make that the
owner started, directly or indirectly, may also build there, because the owner waits for that make.
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
    """(parent's process id, start time as a word) of a running process, or None."""
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


def lock_text(pid):
    """The contents of .lock when this process is the owner."""
    running = process(pid)
    return "%d %s %s" % (pid, running[1] if running else "-", platform.node())


def is_descendant(pid, ancestor):
    """True if the processes are the same, or `ancestor` started `pid`, directly or indirectly."""
    while pid > 1 and pid != ancestor:
        running = process(pid)
        pid = running[0] if running else 0
    return pid == ancestor


def owner_of(text):
    """The owner of a lock with this text, or None if the lock is free. We cannot see the processes
    of another computer: a lock from there always has an owner."""
    words = text.split()
    if len(words) != 3:
        return None
    pid = int(words[0])
    if words[2] == platform.node() and text.strip() != lock_text(pid):
        return None
    return pid


class Lock:
    """The file .lock of a folder. Inside a `with`, no other process reads or writes the file."""

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
            except FileNotFoundError:  # `make clean` removed the file.
                pass
            self._file.close()

    def __exit__(self, *_):
        self._file.close()

    def read(self):
        """Return the text of the file."""
        self._file.seek(0)
        return self._file.read()

    def write(self, text):
        """Replace the text of the file."""
        self._file.truncate(0)
        self._file.write(text)
        self._file.flush()


def take(folder, pid):
    """Wait until the lock is free, then make the process its owner."""
    told_to_wait = False
    while True:
        with Lock(folder) as lock:
            text = lock.read()
            owner = owner_of(text)
            if owner is None:
                lock.write(lock_text(pid))
            if owner is None or is_descendant(pid, owner):
                return
        if text.split()[2] != platform.node():
            sys.exit("make: process %s on %s is building in %s. If that is not so, remove %s"
                     % (*text.split()[::2], folder, lock.path))
        if not told_to_wait:
            print("make: waiting for another make, process %d, that uses %s" % (owner, folder),
                  file=sys.stderr, flush=True)
            told_to_wait = True
        time.sleep(POLL_SECONDS)


def release(folder, pid):
    """Free the lock if the process is its owner."""
    with Lock(folder) as lock:
        if lock.read() == lock_text(pid):
            lock.write("")


def main():
    parser = argparse.ArgumentParser(description="Take or release the lock of build folders.")
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
