#!/usr/bin/env python3
"""Record a run of one program, and replay it in GDB, forwards and backwards: make replay-NAME.

    replay.py record NAME [OPTION ...] [-- QEMU'S OPTIONS]   run NAME on the terminal and record it
    replay.py replay NAME [OPTION ...] [-- QEMU'S OPTIONS]   replay the recorded run in GDB

QEMU's record/replay (docs/system/replay.rst in QEMU's source) works with one CPU. The recording is
the log of all input and interrupts (NAME.log), and an image with a snapshot of the machine at its
start (NAME.qcow2), from which QEMU starts again in order to go backwards. QEMU loads the kernel by
-kernel: it cannot record reads from our disk image. The kernel is kept as NAME.kernel, so that the
run can still be replayed when make has built another kernel.
"""

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import struct
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)

from tools.run.replayend import Replay, before_end  # noqa: E402
from tools.run.tool import ToolError, make_folder, remove_folder, run_tool  # noqa: E402

# To go back, QEMU resets all devices. The reset of this one, which is of no use without KVM, waits
# for the CPU's thread with the lock that this thread may be waiting for (seen with QEMU 7.2).
NO_DEADLOCK = ["-global", "apic-common.vapic=off"]

# The options, apart from --ex. `memory` is in MB.
DEFAULTS = {"qemu": "qemu-system-i386", "gdb": "gdb", "objdir": "obj", "memory": "128"}

CLUSTER = 1 << 16
DISK_SIZE = 1 << 20  # The image holds snapshots only, so the size of its disk does not matter.

# QEMU forgets the instruction at which it must stop when it goes back.
GDB_COMMANDS = """
set confirm off
set pagination off
file {kernel}
source tools/gdb/init.gdb
target remote {socket}
define hook-continue
    if $jos_commands
        set $jos_ignored = $jos_before_end({last})
    else
        monitor replay_break {last}
    end
end
"""


def empty_qcow2():
    """The bytes of an empty disk image in QEMU's format (docs/interop/qcow2.txt): the header, the
    table of reference counts, one block of reference counts, and the table of the disk's parts."""
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, DISK_SIZE, 0, 1,
                         3 * CLUSTER, CLUSTER, 1, 0, 0)
    counts = struct.pack(">4H", 1, 1, 1, 1)
    parts = [header, struct.pack(">Q", 2 * CLUSTER), counts, struct.pack(">Q", 0)]
    return b"".join(part.ljust(CLUSTER, b"\0") for part in parts)


class Recording:
    """The recording of a program. args: the command line's."""

    def __init__(self, args):
        self._args = args
        self._folder = os.path.join(args.objdir, "replay")

    def path(self, suffix):
        return os.path.join(self._folder, self._args.program + suffix)

    def qemu(self, mode, *options):
        """The command that runs QEMU. The machine must be the same in both modes."""
        log, image = (self.path(s).replace(",", ",,") for s in (".log", ".qcow2"))
        icount = "shift=auto,rr=%s,rrfile=%s,rrsnapshot=init" % (mode, log)
        return [self._args.qemu, "-accel", "tcg", "-m", self._args.memory, "-smp", "1",
                "-icount", icount, *NO_DEADLOCK,
                "-drive", "file=%s,if=none,id=rr,snapshot=off" % image,
                "-kernel", self.kernel(), "-append", self._args.program,
                "-nic", "none", "-display", "none", "-monitor", "none", "-no-reboot",
                *options, *self._args.more]

    def kernel(self):
        """The kernel of the recording: make may have built another one meanwhile."""
        return self.path(".kernel")

    def record(self):
        os.makedirs(self._folder, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path(".log"))
        with open(self.path(".qcow2"), "wb") as f:
            f.write(empty_qcow2())
        shutil.copyfile(os.path.join(self._args.objdir, "kern", "kernel"), self.kernel())
        print("*** Recording, with one CPU. To end: type shutdown at the prompt, or Ctrl-c",
              file=sys.stderr)
        return self.run(self.qemu("record", "-serial", "stdio"))

    def replay(self):
        if not all(os.path.exists(self.path(suffix)) for suffix in (".log", ".kernel")):
            raise ToolError("%s is not recorded yet: make replay-%s" % (
                self._args.program, self._args.program))
        print("*** Replaying the run, to find its end. Ctrl-c ends it.", file=sys.stderr)
        command = self.qemu("replay", "-serial", "file:" + self.path(".out"), "-no-shutdown")
        last = before_end(command)
        print("*** Replaying. The program's output is in %s\n"
              "*** To replay this run again: %s" % (self.path(".out"), self.command()),
              file=sys.stderr)
        folder = make_folder("jos-")
        try:
            # The path of a socket may have only 107 bytes.
            gdb_socket, commands = os.path.join(folder, "gdb"), os.path.join(folder, "commands")
            with open(commands, "w", encoding="utf-8") as f:
                f.write(GDB_COMMANDS.format(kernel=self.kernel(), socket=gdb_socket, last=last))
            with Replay([*command, "-gdb", "unix:%s,server=on,wait=off" % gdb_socket]) as replay:
                replay.wait_until_ready()
                words = [word for command in self._args.ex for word in ("-ex", command)]
                return self.run([self._args.gdb, "-q", "-n", "-x", commands, *words])
        finally:
            remove_folder(folder)

    def command(self):
        """The command that replays this run, with the options that are not the default ones."""
        words = [os.path.relpath(__file__), "replay", self._args.program]
        for name, default in DEFAULTS.items():
            value = getattr(self._args, name)
            words += ["--" + name, value] if value != default else []
        words += ["--", *self._args.more] if self._args.more else []
        return " ".join(map(shlex.quote, words))

    @staticmethod
    def run(command):
        """Run a command on the terminal. Ctrl-c is for this command only."""
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            return subprocess.call(command)
        except OSError as e:
            raise ToolError("%s: %s" % (command[0], e.strerror)) from None
        finally:
            signal.signal(signal.SIGINT, before)


def main():
    parser = argparse.ArgumentParser(description="Record a run of a program, and replay it in GDB.")
    parser.add_argument("action", choices=["record", "replay"])
    parser.add_argument("program")
    for name, default in DEFAULTS.items():
        parser.add_argument("--" + name, default=default)
    parser.add_argument("--ex", action="append", default=[], help="a command for GDB")
    words, more = sys.argv[1:], []
    if "--" in words:
        words, more = words[:words.index("--")], words[words.index("--") + 1:]
    args = parser.parse_args(words, argparse.Namespace(more=more))
    recording = Recording(args)
    return recording.record() if args.action == "record" else recording.replay()


if __name__ == "__main__":
    run_tool(main)
