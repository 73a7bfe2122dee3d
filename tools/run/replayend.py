"""Where a recorded run ends.

A replay must stop before the end of its recording: QEMU cannot go back once it has shut down. The
kernel's function acpi_power_off is the end of most recordings, and GDB stops there. The count of
instructions tells other ends, for example Ctrl-c, less exactly: after the shutdown, QEMU runs on
until its main loop stops it (up to a million instructions on a busy host).
"""

import json
import socket
import subprocess

from tools.run.tool import ToolError

MARGIN = 2000000  # Instructions


class Replay:
    """A context with a QEMU that replays a recording, and first waits at its start. QMP, QEMU's
    machine protocol, controls it. command: QEMU's command."""

    def __init__(self, command):
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._qemu = subprocess.Popen(
                [*command, "-S", "-chardev", "socket,id=qmp,fd=%d" % theirs.fileno(),
                 "-qmp", "chardev:qmp"],
                stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=[theirs.fileno()])
        self._lines = self._socket.makefile("rw")
        self.shutdown = None  # The data of QMP's event SHUTDOWN

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._qemu.kill()
        self._qemu.wait()
        self._lines.close()
        self._socket.close()

    def _read(self):
        """Read an answer or an event, and note the shutdown."""
        line = self._lines.readline()
        if not line:
            raise ToolError("QEMU cannot replay the recording: record the run again")
        message = json.loads(line)
        if message.get("event") == "SHUTDOWN":
            self.shutdown = message["data"]
        return message

    def command(self, name, **arguments):
        """Run a command of QMP. Returns its result."""
        try:
            print(json.dumps({"execute": name, "arguments": arguments}), file=self._lines,
                  flush=True)
        except BrokenPipeError:
            pass  # QEMU has ended: _read says so.
        while True:
            message = self._read()
            if "error" in message:
                raise ToolError("QEMU's answer to %s: %s" % (name, message["error"]["desc"]))
            if "return" in message:
                return message["return"]

    def wait_until_ready(self):
        """Wait until QEMU has started, and its socket for GDB exists."""
        self.command("qmp_capabilities")

    def run_to_end(self):
        """Run until the machine shuts down. Returns the instruction count, and the reason."""
        self.command("cont")
        while not self.shutdown:
            self._read()
        return self.command("query-replay")["icount"], self.shutdown["reason"]


def before_end(command):
    """Return the instruction count before the end of a recording at which a replay must stop.
    command: the command that replays it."""
    with Replay(command) as replay:
        replay.wait_until_ready()
        count, reason = replay.run_to_end()
        return count if reason == "guest-shutdown" else max(count - MARGIN, 0)
