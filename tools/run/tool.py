"""What all tools have in common: how a tool is ended, and by what; and temporary folders.

    if __name__ == "__main__":
        run_tool(main)

The children that a tool has started (child.py) are gone when it ends.
"""

import os
import shutil
import signal
import sys
import tempfile
import time

# How long the main thread may wait for something at a time. Python looks for signals before it
# waits: one that comes just then is not noticed until the wait is over.
SIGNAL_SECONDS = 0.2

# How long to try to remove a folder that other processes may still be writing to.
REMOVING_SECONDS = 10


class ToolError(Exception):
    """Something that a tool's user is told in these words alone."""


# ---- Temporary folders ----

def make_folder(prefix):
    """A new temporary folder, for remove_folder() to remove."""
    try:
        return tempfile.mkdtemp(prefix=prefix)
    except OSError as e:
        raise ToolError("cannot make a temporary folder: %s" % e.strerror) from None


def remove_folder(path):
    """Remove a folder, even if a process that is about to end still writes to it."""
    give_up = time.monotonic() + REMOVING_SECONDS
    while os.path.lexists(path):
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            pass
        except OSError as e:
            if time.monotonic() > give_up:
                print("cannot remove %s: %s" % (path, e.strerror), file=sys.stderr)
                return
            time.sleep(SIGNAL_SECONDS)


# ---- How a tool ends ----

def handle_signals():
    """Let a signal to end be what ctrl-C is: an exception in the main thread."""
    def interrupt(*unused):
        raise KeyboardInterrupt
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


class _Output:
    """Standard output or standard error of a tool. If it cannot be written to, because a reader
    like `head` has seen enough or a disk is full, the rest is thrown away, and the main thread is
    interrupted, whichever thread it was that printed."""

    def __init__(self, stream):
        self._stream = stream
        self.error = None

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        return self._try(self._stream.write, text)

    def flush(self):
        self._try(self._stream.flush)

    def _try(self, function, *args):
        try:
            return function(*args)
        except OSError as e:
            self.error = e
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)
            os.kill(os.getpid(), signal.SIGTERM)
            return None


def _open_standard_files():
    """Standard input, output and error may be closed, and are then as /dev/null."""
    while os.open(os.devnull, os.O_RDWR) <= 2:
        pass
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name) or os.fdopen(number, "w")
        stream.reconfigure(errors="backslashreplace")  # What is printed may be a kernel's.
        setattr(sys, name, _Output(stream))


def run_tool(main):
    """Run main(), and end the program with the status that it returns. If something goes wrong, one
    line says what."""
    _open_standard_files()
    handle_signals()
    name, complaint, status = os.path.basename(sys.argv[0]), None, 1
    try:
        try:
            status = main()
        finally:
            sys.stdout.flush()  # Here, where it is noticed that it cannot be written
    except KeyboardInterrupt:
        error = sys.stdout.error or sys.stderr.error
        complaint = "interrupted" if not error else None if isinstance(error, BrokenPipeError) \
            else "%s: cannot print: %s" % (name, error.strerror)
    except ToolError as e:
        complaint = str(e)
    except OSError as e:
        complaint = "%s: %s%s" % (name, e.filename + ": " if e.filename else "", e.strerror or e)
    if complaint:
        print(complaint, file=sys.stderr)
    sys.exit(status)
