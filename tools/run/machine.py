"""One run of QEMU: start it, read its serial line, type, read its screen, stop it. The base class
Emulator is also used for Bochs (bochs.py).

Two machines share nothing. The serial line is QEMU's standard input and output; QEMU's monitor is a
socket without a name; the disk and GDB's socket are files in a temporary folder of the machine. The
path of this folder may be long or contain special characters: QEMU runs in the folder and uses file
names without a path. Stopping the machine, in any way, also removes the folder: see child.py.
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
CRTC_PORT, CRTC_START = 0x3d4, 12  # I/O port of the index register; register "start address"
POLL_SECONDS = 0.05


class Emulator(Child):
    """A running machine: `cpus` CPUs, a temporary folder `dir`, and the kernel's monitor on the
    serial line. A subclass writes its files to the folder, then calls _start."""

    def __init__(self, cpus):
        self.cpus = cpus
        self._process = None
        self.dir = make_folder("jos-")

    def _start(self, command, **options):
        super().__init__(command, cwd=self.dir, **options)

    def _write(self, name, data):
        """Write a file in the machine's folder."""
        path = os.path.join(self.dir, name)
        try:
            with open(path, "wb") as f:
                f.write(data)
        except OSError as e:
            raise ChildError("cannot write %s: %s" % (path, e.strerror)) from None

    def _clean_up(self):
        remove_folder(self.dir)

    def stop(self):
        """Stop the machine and remove its folder. May be called again."""
        super().stop()
        self._clean_up()

    def run_to_prompt(self):
        """Wait for the prompt of the kernel's monitor; return all output so far."""
        self.wait_for(PROMPT)
        return self.output

    def command(self, line):
        """Type a line at the prompt; return the output up to the next prompt."""
        start = self.wait_for(PROMPT).end()
        self.send(line + "\n")
        self.wait_for(r"\n" + PROMPT, start)
        return self.output[start:].replace("\r", "")


class Machine(Emulator):
    """A running QEMU.

    qemu    the command that runs QEMU, as a list of words
    args    options for QEMU, for example what to boot
    disk    the bytes of the first IDE disk, or None; the machine gets a copy
    bus     the disk's bus, if not on the default controller: "l.0"
    cpus    number of CPUs
    smp     QEMU's -smp argument, if not just `cpus`: "4,sockets=4"
    memory  size in MiB, or with a suffix: "2112K"
    limit   time limit of each wait in seconds, as Patience counts them
    gdb     wait for GDB before the first instruction; the socket GDB_SOCKET, in the machine's
            folder, exists after the first qmp() call has returned
    via_file  collect the output in a file, so that the serial line never waits for us
    most_output  size limit of the output, as for Child
    """

    GDB_SOCKET = "gdb"

    def __init__(self, qemu, args=(), disk=None, bus=None, cpus=1, smp=None, memory=128, limit=60,
                 gdb=False, via_file=False, most_output=None):
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
                    name="QEMU", limit=limit, pass_fds=[theirs.fileno()], most_output=most_output,
                    via_file=os.path.join(self.dir, "serial") if via_file else None)
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

    def _clean_up(self):
        self._qmp_socket.close()
        super()._clean_up()

    # ---- QEMU's monitor ----

    def qmp(self, command, **arguments):
        """Run a command of QEMU's machine protocol (QMP); return the answer."""
        if not self._qmp_ready:
            self._qmp_ready = True
            self._qmp_line("its greeting")
            self.qmp("qmp_capabilities")
        request = json.dumps({"execute": command, "arguments": arguments}) + "\n"
        with contextlib.suppress(BrokenPipeError):  # QEMU has ended, and the read below gets "".
            self._qmp_socket.sendall(request.encode())
        while True:
            answer = json.loads(self._qmp_line(command) or '{"error": {"desc": "QEMU has ended"}}')
            if "error" in answer:
                raise ChildError("QEMU's answer to %s: %s\n%s" % (
                    command, answer["error"]["desc"], self.describe_output()))
            if "return" in answer:
                return answer["return"]

    def _qmp_line(self, name):
        """Wait for the next line from QEMU's monitor. Return it, or "" if QEMU has ended."""
        patience = self.patience()
        while b"\n" not in self._qmp_received:
            left = patience.left()
            if left <= 0:
                raise self._timeout_error("QEMU's monitor to answer " + name)
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
        """Run a command of QEMU's human monitor; return what it prints."""
        return self.qmp("human-monitor-command", **{"command-line": line}).replace("\r", "")

    def type_keys(self, *keys):
        """Press keys of the PS/2 keyboard, given by QEMU's names."""
        for key in keys:
            self.monitor("sendkey " + key)

    def physical_memory(self, address, size):
        """Read the machine's physical memory; return bytes."""
        self.qmp("pmemsave", val=address, size=size, filename="memory")
        with open(os.path.join(self.dir, "memory"), "rb") as f:
            return f.read()

    # ---- The screen ----

    def screen(self):
        """The text on the VGA screen, one line per row, without blanks at the ends."""
        return self.screen_and_start()[0]

    def screen_and_start(self):
        """The text as in screen(), and the index of the screen's first cell in the VGA's memory."""
        with self._paused():
            start = self._crtc_register(CRTC_START) << 8 | self._crtc_register(CRTC_START + 1)
            data = self.physical_memory(SCREEN_ADDRESS + start * 2,
                                        SCREEN_COLUMNS * SCREEN_ROWS * 2)
        text = data[::2].decode("cp437")
        rows = [text[i:i + SCREEN_COLUMNS].rstrip(" \0")
                for i in range(0, len(text), SCREEN_COLUMNS)]
        return "\n".join(rows).rstrip("\n"), start

    @contextlib.contextmanager
    def _paused(self):
        """A context in which the CPUs do not run."""
        running = self.qmp("query-status")["running"]
        if running:
            self.qmp("stop")
        try:
            yield
        finally:
            if running:
                self.qmp("cont")

    def port(self, port):
        """Read a byte from an I/O port."""
        return int(self.monitor("i /b %#x" % port).split("=")[1], 16)

    def _crtc_register(self, register):
        """Read a register of the VGA's 6845. Restore the index: a CPU may be about to use it."""
        index = self.port(CRTC_PORT)
        self.monitor("o /b %#x %#x" % (CRTC_PORT, register))
        value = self.port(CRTC_PORT + 1)
        self.monitor("o /b %#x %#x" % (CRTC_PORT, index))
        return value

    def wait_until(self, condition, name):
        """Poll until condition() is true, for conditions that QEMU does not report by itself."""
        patience = self.patience()
        while not condition():
            if patience.left() <= 0:
                raise self._timeout_error(name)
            time.sleep(POLL_SECONDS)

    def wait_for_screen(self, pattern):
        """Wait until the pattern matches on the screen; return all text on the screen."""
        try:
            self.wait_until(lambda: re.search(pattern, self.screen()), pattern)
        except ChildError as e:
            raise ChildError("%s\n  the screen:\n%s"
                             % (e, last_lines(self.screen(), SCREEN_ROWS))) from None
        return self.screen()
