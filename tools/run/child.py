"""A child process: send it input, collect its output, wait for a pattern in the output.

A Child is a context manager. When its `with` block ends, also by an exception, ctrl-C or SIGTERM,
all its processes have been stopped. Every wait has a time limit, in case the child hangs: see
Patience. A ChildError says what the wait was for and shows the last lines of output, or the error
message of a command that cannot run.
"""

import atexit
import codecs
import contextlib
import os
import re
import signal
import subprocess
import threading
import time

from tools.run.patience import Patience
from tools.run.tool import ToolError

# How long to collect output before reading it. An emulated serial line sends single characters. If
# we woke up for each character, we would take CPU time from the emulator.
COLLECTING_SECONDS = 0.001

# After SIGTERM, how long a tool may take to stop its own children.
ENDING_SECONDS = 10

SCREENFUL = 25  # Lines of output that a message about a failure shows

_live = set()
_live_lock = threading.Lock()
_ending = False


class ChildError(ToolError):
    """A child cannot run, ended too early, or exceeded a time limit."""


def last_lines(text, count=SCREENFUL):
    """The last lines of a text, indented."""
    lines = text.replace("\r", "").rstrip("\n").split("\n")
    return "\n".join("    " + line for line in lines[-count:])


class Child:
    """A running command in its own process group.

    command    the command as a list of words
    name       the name of the child in messages
    limit      time limit of each wait in seconds, as Patience counts them
    pass_fds   file descriptors that stay open in the child
    cwd, env   working folder and environment
    merge      add standard error to the output
    via_file   path of a new file for the standard output. A child that writes to a pipe has to wait
               when the pipe is full, because we are slow; a child that writes to a file does not
    tool       the command has children and stops them when it gets SIGTERM
    waits_for  another Child that this child waits for
    most_output  size limit of the standard output, in characters. A wait then ends with an error,
               and the rest is not kept

    Attributes: `output` has the standard output so far, unless a subclass sets STDOUT; `errors` has
    the standard error so far.
    """

    STDOUT = "output"  # The attribute that collects the standard output

    def __init__(self, command, name=None, limit=60, pass_fds=(), cwd=None, env=None, merge=False,
                 tool=False, waits_for=None, via_file=None, most_output=None):
        self.name = name or os.path.basename(command[0])
        self.limit = limit
        self.output = ""
        self.errors = ""
        setattr(self, self.STDOUT, "")
        self._tool = tool
        self._waits_for = waits_for
        self._most_output, self._flooded = most_output, False
        self._changed = threading.Condition()
        self._open_pipes = 0
        self._process = None
        try:
            with _live_lock:
                if _ending:
                    raise ChildError("%s is not started: this tool is ending" % self.name)
                with contextlib.ExitStack() as stack:
                    self._process = subprocess.Popen(
                        command, stdin=subprocess.PIPE,
                        stdout=stack.enter_context(open(via_file, "wb")) if via_file
                        else subprocess.PIPE,
                        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
                        pass_fds=pass_fds, cwd=cwd, env=env, start_new_session=True)
                self.pid = self._process.pid
                # First initialize all attributes: after _live.add(), end_all() may stop this child.
                self._input = self._process.stdin
                self._collect(open(via_file, "rb") if via_file else self._process.stdout,
                              self.STDOUT, grows=bool(via_file))
                if not merge:
                    self._collect(self._process.stderr, "errors")
                _live.add(self)
        except OSError as e:
            raise ChildError("%s cannot be started: %s: %s"
                             % (self.name, command[0], os.strerror(e.errno))) from None

    def _collect(self, pipe, attribute, grows=False):
        """Start a thread that appends all data from a pipe or socket to an attribute. With `grows`,
        `pipe` is a file that is complete when the process has ended."""
        with self._changed:
            self._open_pipes += 1
        threading.Thread(target=self._collect_all, args=(pipe, attribute, grows),
                         daemon=True).start()

    def _collect_all(self, pipe, attribute, grows):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            more_later = grows and self._process.poll() is None  # Before the read
            try:
                data = os.read(pipe.fileno(), 65536)
            except ConnectionResetError:  # The process at the other end of a socket was killed.
                data = b""
            with self._changed:
                if data:
                    self._keep(attribute, decoder.decode(data))
                elif not more_later:
                    self._open_pipes -= 1
                self._changed.notify_all()
            if not data and not more_later:
                if grows:
                    pipe.close()
                return
            time.sleep(COLLECTING_SECONDS)

    def _keep(self, attribute, text):
        text = getattr(self, attribute) + text
        if self._most_output and len(text) > self._most_output:
            text, self._flooded = text[:self._most_output], True
        setattr(self, attribute, text)

    def send(self, text):
        """Write text or bytes to the standard input (in Bochs, to the serial line)."""
        try:
            self._input.write(text if isinstance(text, bytes) else text.encode())
            self._input.flush()
        except (BrokenPipeError, ConnectionResetError):
            raise ChildError(self._describe_end()) from None

    def has_ended(self):
        """Whether the child has closed its output."""
        return not self._open_pipes

    def end_input(self):
        """Close the standard input."""
        with contextlib.suppress(OSError):
            self._input.close()

    def not_reading(self):
        """A context in which we do not read the child's output, so that its pipe fills up."""
        return self._changed

    # ---- Waiting ----

    def patience(self):
        """A new Patience for this child."""
        children = [self, self._waits_for] if self._waits_for else [self]
        return Patience(self.limit, [child.pid for child in children])

    def wait_for(self, pattern, start=0):
        """Wait until the pattern matches in output[start:]. Return the match."""
        regex = re.compile(pattern)
        patience = None
        with self._changed:
            while True:
                found = regex.search(self.output, start)
                if found:
                    return found
                self._check_size()
                if not self._open_pipes:
                    raise ChildError(self._describe_end())
                patience = patience or self.patience()
                self._wait_for_change(patience, pattern)

    def wait_for_end(self):
        """Wait until the child ends. Return its exit status."""
        patience = self.patience()
        with self._changed:
            while self._open_pipes:
                self._check_size()
                self._wait_for_change(patience, "the end")
            self._check_size()
        return self._process.wait()

    def _check_size(self):
        if self._flooded:
            raise ChildError("cut off after %d characters of output\n%s"
                             % (self._most_output, self.describe_output()))

    def _wait_for_change(self, patience, name):
        left = patience.left()
        if left <= 0:
            raise self._timeout_error(name)
        self._changed.wait(left)

    def _timeout_error(self, name):
        return ChildError("cut off after %g s, waiting for: %s\n%s"
                          % (self.limit, name, self.describe_output()))

    def _describe_end(self):
        status = self._process.wait()
        if status and self.errors.strip():
            return "%s cannot run: %s" % (self.name, self.errors.strip())
        return "%s ended by itself, with status %d\n%s" % (self.name, status,
                                                           self.describe_output())

    def describe_output(self):
        """The last lines of output, and of standard error if it is not empty."""
        text = "  last lines of output:\n" + last_lines(self.output) if self.output.strip() \
            else "  there was no output"
        if self.errors.strip():
            text += "\n  %s says:\n" % self.name + last_lines(self.errors)
        return text

    # ---- The end ----

    def stop(self):
        """Stop the child and its descendants. May be called again."""
        with _live_lock:
            _live.discard(self)
        if not self._process:
            return
        if self._tool and self._process.poll() is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDING_SECONDS)
        self._signal(signal.SIGKILL)
        self._process.wait()
        with self._changed:
            ended = self._changed.wait_for(lambda: not self._open_pipes, timeout=5)
        if ended:
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe:
                    pipe.close()
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _signal(self, number):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()


def end_all():
    """Stop all children, and do not allow new ones."""
    global _ending
    with _live_lock:
        _ending = True
        children = list(_live)
    for child in children:
        child.stop()


atexit.register(end_all)
