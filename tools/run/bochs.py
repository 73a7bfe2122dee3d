"""One run of Bochs, with the same interface as QEMU's Machine.

Bochs is deterministic: without input, the same disk gives the same run, on several CPUs too. Its
clocks, also the time stamp counter, depend only on the instructions that ran: after `ips`
instructions they have advanced by one second.

The serial line is a TCP connection from Bochs to us. We ignore the standard output of Bochs, which
shows the screen.
"""

import contextlib
import os
import socket

from tools.run.machine import Emulator

IPS = 25000000
POLL_SECONDS = 0.1

# $BXSHARE is the folder of the BIOS images. All other options, like PCI, keep their defaults.
CONFIGURATION = """
config_interface: textconfig
display_library: term
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, iodebug=1
romimage: file=$BXSHARE/BIOS-bochs-latest, options=fastboot
vgaromimage: file=$BXSHARE/VGABIOS-lgpl-latest
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest={memory}, host={memory}
clock: sync=none, time0=local
boot: disk
ata0-master: type=disk, mode=flat, path=disk.img, cylinders=0
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
panic: action=fatal
info: action=ignore
"""


class Bochs(Emulator):
    """A running Bochs.

    disk    the bytes of the first IDE disk; the machine gets a copy
    cpus    number of CPUs
    model   the CPUs' model; bochs --help cpu lists all
    memory  size in MiB
    ips     instructions per second of the machine's clocks
    limit   time limit of each wait in seconds, as Patience counts them
    command the command that runs Bochs, as a list of words
    """

    STDOUT = "drawn"

    def __init__(self, disk, cpus=1, model="core2_penryn_t9600", memory=128, ips=IPS, limit=60,
                 command=("bochs",)):
        super().__init__(cpus)
        self._serial = None
        try:
            with socket.create_server(("127.0.0.1", 0)) as server:
                self._write("disk.img", disk)
                self._write("bochsrc", CONFIGURATION.format(
                    model=model, cpus=cpus, ips=ips, memory=memory,
                    port=server.getsockname()[1]).encode())
                # Debian's Bochs includes a debugger, which waits for this command before it starts.
                self._write("commands", b"continue\n")
                self._start([*command, "-q", "-f", "bochsrc", "-rc", "commands"], name="Bochs",
                            limit=limit, env=dict(os.environ, TERM="xterm"))
                self._connect(server)
        except BaseException:
            self.stop()
            raise

    def _connect(self, server):
        """Wait until Bochs connects. If it does not, the next wait for output raises the error."""
        server.settimeout(POLL_SECONDS)
        patience = self.patience()
        while self._open_pipes and not self._serial and patience.left() > 0:
            with contextlib.suppress(socket.timeout):
                self._serial = server.accept()[0]
        if self._serial:
            self._serial.settimeout(None)
            self._input = self._serial.makefile("wb")
            self._collect(self._serial, "output")

    def _clean_up(self):
        if self._serial:
            self._serial.close()
        super()._clean_up()
