"""Run a command that is talked to: what it prints is collected, what is waited for is a pattern.

A Child is a context manager, and whatever happens inside the `with`, an exception, ctrl-C or a
signal to end included, its processes are gone afterwards. Every wait has a limit, which is there
for a child that hangs: see Patience. What goes wrong is a ChildError that says what was waited for
and shows the last lines of output, or the command's own words if it could not run.
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

# How long output may gather before it is looked at. An emulated serial line gives one character
# at a time: who wakes up for each takes the CPU that the machine would have used.
COLLECTING_SECONDS = 0.001

# How long a command has to end by itself the processes that it has started.
ENDING_SECONDS = 10

_live = set()
_live_lock = threading.Lock()
_ending = False


class ChildError(ToolError):
    """A child did not do what was expected of it."""


def last_lines(text, count=20):
    """The end of a text, indented, to be shown below a message."""
    lines = text.replace("\r", "").rstrip("\n").split("\n")
    return "\n".join("    " + line for line in lines[-count:])


class Child:
    """A running command, the leader of a process group of its own.

    command    a list of words
    name       what to call it in messages
    limit      seconds after which each wait gives up, as Patience counts them
    pass_fds   files that stay open in it
    cwd, env   where it runs
    merge      whether what it prints as errors goes into its output, too
    tool       whether it starts processes of its own, which it ends when it is told to end
    waits_for  another child, which has to run for this one to go on

    What it prints becomes its `output`, unless a subclass says otherwise in STDOUT.
    """

    STDOUT = "output"  # The attribute that its standard output is collected in

    def __init__(self, command, name=None, limit=60, pass_fds=(), cwd=None, env=None, merge=False,
                 tool=False, waits_for=None):
        self.name = name or os.path.basename(command[0])
        self.limit = limit
        self.output = ""
        self.errors = ""
        setattr(self, self.STDOUT, "")
        self._tool = tool
        self._waits_for = waits_for
        self._changed = threading.Condition()
        self._open_pipes = 0
        self._process = None
        try:
            with _live_lock:
                if _ending:
                    raise ChildError("%s is not started: we are ending" % self.name)
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT if merge else subprocess.PIPE,
                    pass_fds=pass_fds, cwd=cwd, env=env, start_new_session=True)
                self.pid = self._process.pid
                # Complete, before end_all() can know of it in another thread and stop it.
                self._input = self._process.stdin
                self._collect(self._process.stdout, self.STDOUT)
                if not merge:
                    self._collect(self._process.stderr, "errors")
                _live.add(self)
        except OSError as e:
            raise ChildError("%s cannot be started: %s: %s"
                             % (self.name, command[0], os.strerror(e.errno))) from None

    def _collect(self, pipe, attribute):
        """Add to an attribute what comes out of a pipe or socket, from now on."""
        with self._changed:
            self._open_pipes += 1
        threading.Thread(target=self._collect_all, args=(pipe, attribute), daemon=True).start()

    def _collect_all(self, pipe, attribute):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            try:
                data = os.read(pipe.fileno(), 65536)
            except ConnectionResetError:  # A socket whose other end was killed
                data = b""
            with self._changed:
                if data:
                    setattr(self, attribute, getattr(self, attribute) + decoder.decode(data))
                else:
                    self._open_pipes -= 1
                self._changed.notify_all()
            if not data:
                return
            time.sleep(COLLECTING_SECONDS)

    def send(self, text):
        """Write text, or bytes, to its standard input, or what a subclass has put in its place."""
        try:
            self._input.write(text if isinstance(text, bytes) else text.encode())
            self._input.flush()
        except (BrokenPipeError, ConnectionResetError):
            raise ChildError(self._describe_end()) from None

    def end_input(self):
        """End its standard input."""
        with contextlib.suppress(OSError):
            self._input.close()

    def not_reading(self):
        """A context in which nothing is read of what it prints, so that its pipe fills up."""
        return self._changed

    # ---- Waiting ----

    def patience(self):
        """A new Patience with this child."""
        children = [self, self._waits_for] if self._waits_for else [self]
        return Patience(self.limit, [child.pid for child in children])

    def wait_for(self, pattern, start=0):
        """Wait until the output from position `start` on has a match. Return the match."""
        regex = re.compile(pattern)
        patience = None
        with self._changed:
            while True:
                found = regex.search(self.output, start)
                if found:
                    return found
                if not self._open_pipes:
                    raise ChildError(self._describe_end())
                patience = patience or self.patience()
                self._wait_for_change(patience, pattern)

    def wait_for_end(self):
        """Wait until it ends by itself. Return its exit status."""
        patience = self.patience()
        with self._changed:
            while self._open_pipes:
                self._wait_for_change(patience, "the end")
        return self._process.wait()

    def _wait_for_change(self, patience, name):
        left = patience.left()
        if left <= 0:
            raise self._cut_off(name)
        self._changed.wait(left)

    def _cut_off(self, name):
        return ChildError("cut off after %g s, waiting for: %s\n%s"
                          % (self.limit, name, self.describe_output()))

    def _describe_end(self):
        status = self._process.wait()
        if status and self.errors.strip():
            return "%s cannot run: %s" % (self.name, self.errors.strip())
        return "%s ended by itself, with status %d\n%s" % (self.name, status,
                                                           self.describe_output())

    def describe_output(self):
        """The last lines of output, and of complaints if there are any."""
        text = "  last lines of output:\n" + last_lines(self.output) if self.output.strip() \
            else "  there was no output"
        if self.errors.strip():
            text += "\n  %s says:\n" % self.name + last_lines(self.errors)
        return text

    # ---- The end ----

    def stop(self):
        """Stop it and all that it has started. May be called again."""
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
    """Stop every child, and let none start any more."""
    global _ending
    with _live_lock:
        _ending = True
        children = list(_live)
    for child in children:
        child.stop()


atexit.register(end_all)
