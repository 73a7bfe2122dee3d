"""One run of Bochs, for tests that take QEMU's Machine as well.

Bochs interprets every instruction, in an order and at a pace that depend on nothing else: the same
disk gives the same run, on several CPUs too, as long as nobody types. Its clocks, the time stamp
counter among them, advance by one second in so many instructions as `ips` says.

The serial line is a connection that Bochs makes to us; its standard output is where it draws the
screen for a terminal, for which we have no use.
"""

import contextlib
import os
import socket

from tools.run.machine import Emulator

IPS = 25000000
POLL_SECONDS = 0.1

# $BXSHARE is where Bochs finds its BIOS. What is not named here, like PCI, is as Bochs has it.
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

    disk    the bytes of the first IDE disk: the machine gets a copy of its own
    cpus    how many, of which model: bochs --help cpu
    memory  in MiB
    ips     instructions a second of the machine's own time
    limit   seconds after which each wait gives up, as Patience counts them
    command what to run, as a list of words
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
                # Debian's Bochs has a debugger, which waits until it is told to continue.
                self._write("commands", b"continue\n")
                self._start([*command, "-q", "-f", "bochsrc", "-rc", "commands"], name="Bochs",
                            limit=limit, env=dict(os.environ, TERM="xterm"))
                self._connect(server)
        except BaseException:
            self.stop()
            raise

    def _connect(self, server):
        """Wait for the serial line. If it does not come, the next wait for output says why."""
        server.settimeout(POLL_SECONDS)
        patience = self.patience()
        while self._open_pipes and not self._serial and patience.left() > 0:
            with contextlib.suppress(socket.timeout):
                self._serial = server.accept()[0]
        if self._serial:
            self._serial.settimeout(None)
            self._input = self._serial.makefile("wb")
            self._collect(self._serial, "output")

    def _remove_traces(self):
        if self._serial:
            self._serial.close()
        super()._remove_traces()
