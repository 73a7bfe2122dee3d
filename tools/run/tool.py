"""What all tools need: signals, error messages, temporary folders.

    if __name__ == "__main__":
        run_tool(main)

When a tool ends, its children (child.py) have been stopped.
"""

import os
import shlex
import shutil
import signal
import sys
import tempfile
import time

# The longest single wait of the main thread. Python checks for signals before a wait. A signal that
# arrives between the check and the wait is handled only after the wait.
SIGNAL_SECONDS = 0.2

# How long to try to remove a folder while other processes write to it.
REMOVING_SECONDS = 10


class ToolError(Exception):
    """An error for which a tool prints only the message, without a traceback."""


def split_words(text):
    """Split options as a shell does."""
    try:
        return shlex.split(text)
    except ValueError as e:
        raise ToolError("%s: %s" % (text, e)) from None


# ---- Temporary folders ----

def make_folder(prefix):
    """Make a temporary folder. The caller calls remove_folder()."""
    try:
        return tempfile.mkdtemp(prefix=prefix)
    except OSError as e:
        raise ToolError("cannot make a temporary folder: %s" % e.strerror) from None


def remove_folder(path):
    """Remove a folder. Try again if a process that is about to end still writes to it."""
    deadline = time.monotonic() + REMOVING_SECONDS
    while os.path.lexists(path):
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            pass
        except OSError as e:
            if time.monotonic() > deadline:
                print("cannot remove %s: %s" % (path, e.strerror), file=sys.stderr)
                return
            time.sleep(SIGNAL_SECONDS)


# ---- How a tool ends ----

def handle_signals():
    """Make SIGTERM and SIGHUP raise KeyboardInterrupt in the main thread, as ctrl-C does."""
    def interrupt(*unused):
        raise KeyboardInterrupt
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


class _Output:
    """Standard output or standard error of a tool. After a write error (the reader, like `head`,
    has ended, or the disk is full), all further output goes to /dev/null, and the main thread is
    interrupted, also if another thread was printing."""

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
    """Open /dev/null in place of standard input, output or error if they are closed."""
    while os.open(os.devnull, os.O_RDWR) <= 2:
        pass
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name) or os.fdopen(number, "w")
        stream.reconfigure(errors="backslashreplace")  # A kernel may print any bytes.
        setattr(sys, name, _Output(stream))


def run_tool(main):
    """Run main(), and exit with the status that it returns. After a ToolError or an OSError, print
    only the error message."""
    _open_standard_files()
    handle_signals()
    name, complaint, status = os.path.basename(sys.argv[0]), None, 1
    try:
        try:
            status = main()
        finally:
            sys.stdout.flush()  # Here, a write error is still handled below.
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
