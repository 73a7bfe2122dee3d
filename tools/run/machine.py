"""One run of QEMU: start it, read its serial line, type, look at its screen, stop it. And what
other emulators (bochs.py) have in common with it.

Nothing is shared between two machines: the serial line is QEMU's standard input and output, the
monitor a socket without a name, GDB's a socket in the machine's own folder, where its disk is too.
QEMU runs in that folder, so that it needs no path to it, which may have any length and characters.
When the machine is stopped, and however that comes about, all of it is gone: see child.py.
"""

import contextlib
import json
import os
import re
import socket
import time

from tools.run.child import Child, ChildError, last_lines
from tools.run.tool import make_folder, remove_folder

PROMPT = r"K> \Z"

SCREEN_ADDRESS, SCREEN_COLUMNS, SCREEN_ROWS = 0xb8000, 80, 25
CRTC_PORT, CRTC_START = 0x3d4, 12  # Index and data registers; where the screen starts in memory
POLL_SECONDS = 0.05


class Emulator(Child):
    """What a running machine is, whoever plays it: so many CPUs, a folder of its own, and the
    kernel's monitor on the serial line. A subclass calls _start when the folder is ready."""

    def __init__(self, cpus):
        self.cpus = cpus
        self._process = None
        self.dir = make_folder("jos-")

    def _start(self, command, **options):
        super().__init__(command, cwd=self.dir, **options)

    def _write(self, name, data):
        """Put a file into the machine's folder."""
        path = os.path.join(self.dir, name)
        try:
            with open(path, "wb") as f:
                f.write(data)
        except OSError as e:
            raise ChildError("cannot write %s: %s" % (path, e.strerror)) from None

    def _remove_traces(self):
        remove_folder(self.dir)

    def stop(self):
        """Stop it and remove all that belongs to it. May be called again."""
        super().stop()
        self._remove_traces()

    def run_to_prompt(self):
        """Wait for the monitor's prompt; return all output so far."""
        self.wait_for(PROMPT)
        return self.output

    def command(self, line):
        """Type a line at the monitor's prompt; return what was printed up to the next prompt."""
        start = self.wait_for(PROMPT).end()
        self.send(line + "\n")
        self.wait_for(r"\n" + PROMPT, start)
        return self.output[start:].replace("\r", "")


class Machine(Emulator):
    """A running QEMU.

    qemu    the command, as a list of words
    args    what to boot, and other options
    disk    the bytes of the first IDE disk, or None: the machine gets a copy of its own
    bus     where that disk is, if not on the machine's own controller: "l.0"
    cpus    how many; `smp` replaces the -smp argument, as in "4,sockets=4"
    memory  in MiB, or with a suffix: "2112K"
    limit   seconds after which each wait gives up, as Patience counts them
    gdb     wait for GDB before the first instruction: its socket GDB_SOCKET, in the machine's
            folder, is there when qmp() answers
    """

    GDB_SOCKET = "gdb"

    def __init__(self, qemu, args=(), disk=None, bus=None, cpus=1, smp=None, memory=128, limit=60,
                 gdb=False):
        super().__init__(cpus)
        self._qmp_ready = False
        self._qmp_received = b""
        self._qmp_socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._start(
                    [*qemu, "-accel", "tcg", "-m", str(memory), "-smp", str(smp or cpus),
                     "-display", "none", "-no-reboot", "-serial", "stdio",
                     "-chardev", "socket,id=qmp,fd=%d" % theirs.fileno(), "-qmp", "chardev:qmp",
                     *args, *self._disk_options(disk, bus), *self._gdb_options(gdb)],
                    name="QEMU", limit=limit, pass_fds=[theirs.fileno()])
        except BaseException:
            self.stop()
            raise

    def _disk_options(self, disk, bus):
        if disk is None:
            return []
        self._write("disk.img", disk)
        drive = "file=disk.img,format=raw"
        if bus is None:
            return ["-drive", drive + ",index=0,media=disk"]
        return ["-drive", drive + ",if=none,id=disk",
                "-device", "ide-hd,drive=disk,bus=%s,bootindex=0" % bus]

    def _gdb_options(self, gdb):
        return ["-gdb", "unix:%s,server=on,wait=off" % self.GDB_SOCKET, "-S"] if gdb else []

    def _remove_traces(self):
        self._qmp_socket.close()
        super()._remove_traces()

    # ---- QEMU's monitor ----

    def qmp(self, command, **arguments):
        """Give QEMU a command of its machine protocol; return the answer."""
        if not self._qmp_ready:
            self._qmp_ready = True
            self._qmp_line("its greeting")
            self.qmp("qmp_capabilities")
        request = json.dumps({"execute": command, "arguments": arguments}) + "\n"
        with contextlib.suppress(BrokenPipeError):  # There is no answer either.
            self._qmp_socket.sendall(request.encode())
        while True:
            answer = json.loads(self._qmp_line(command) or '{"error": {"desc": "it has ended"}}')
            if "error" in answer:
                raise ChildError("QEMU refuses %s: %s\n%s" % (
                    command, answer["error"]["desc"], self.describe_output()))
            if "return" in answer:
                return answer["return"]

    def _qmp_line(self, name):
        """Wait for the next line from QEMU's monitor. Return it, or "" if QEMU has ended."""
        patience = self.patience()
        while b"\n" not in self._qmp_received:
            left = patience.left()
            if left <= 0:
                raise self._cut_off("QEMU's monitor to answer " + name)
            self._qmp_socket.settimeout(left)
            try:
                data = self._qmp_socket.recv(65536)
            except socket.timeout:
                continue
            except ConnectionResetError:
                data = b""
            if not data:
                return ""
            self._qmp_received += data
        line, _, self._qmp_received = self._qmp_received.partition(b"\n")
        return line.decode("utf-8")

    def monitor(self, line):
        """Give QEMU a command line of its human monitor; return what it prints."""
        return self.qmp("human-monitor-command", **{"command-line": line}).replace("\r", "")

    def type_keys(self, *keys):
        """Press keys of the PS/2 keyboard, by QEMU's names for them."""
        for key in keys:
            self.monitor("sendkey " + key)

    def physical_memory(self, address, size):
        """Bytes of the machine's physical memory."""
        self.qmp("pmemsave", val=address, size=size, filename="memory")
        with open(os.path.join(self.dir, "memory"), "rb") as f:
            return f.read()

    # ---- The screen ----

    def screen(self):
        """The text on the VGA screen, one line a row, without blanks at the ends."""
        return self.screen_and_start()[0]

    def screen_and_start(self):
        """The same, and which cell of the VGA's memory is the first on the screen."""
        with self._standing_still():
            start = self._crtc_register(CRTC_START) << 8 | self._crtc_register(CRTC_START + 1)
            data = self.physical_memory(SCREEN_ADDRESS + start * 2,
                                        SCREEN_COLUMNS * SCREEN_ROWS * 2)
        text = data[::2].decode("cp437")
        rows = [text[i:i + SCREEN_COLUMNS].rstrip(" \0")
                for i in range(0, len(text), SCREEN_COLUMNS)]
        return "\n".join(rows).rstrip("\n"), start

    @contextlib.contextmanager
    def _standing_still(self):
        """Stop the CPUs for a while, if they run."""
        running = self.qmp("query-status")["running"]
        if running:
            self.qmp("stop")
        try:
            yield
        finally:
            if running:
                self.qmp("cont")

    def port(self, port):
        """What can be read from an I/O port."""
        return int(self.monitor("i /b %#x" % port).split("=")[1], 16)

    def _crtc_register(self, register):
        """A register of the VGA's 6845. The index that a CPU may be about to use stays as it is."""
        index = self.port(CRTC_PORT)
        self.monitor("o /b %#x %#x" % (CRTC_PORT, register))
        value = self.port(CRTC_PORT + 1)
        self.monitor("o /b %#x %#x" % (CRTC_PORT, index))
        return value

    def wait_until(self, condition, name):
        """Look again and again until condition() is true. QEMU can be asked, but does not tell."""
        patience = self.patience()
        while not condition():
            if patience.left() <= 0:
                raise self._cut_off(name)
            time.sleep(POLL_SECONDS)

    def wait_for_screen(self, pattern):
        """Wait until the screen has a match; return all of its text."""
        try:
            self.wait_until(lambda: re.search(pattern, self.screen()), pattern)
        except ChildError as e:
            raise ChildError("%s\n  the screen:\n%s"
                             % (e, last_lines(self.screen(), SCREEN_ROWS))) from None
        return self.screen()
