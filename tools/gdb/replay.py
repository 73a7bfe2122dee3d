"""The end of a recorded run: tools/run/replayend.py. QEMU must not get there in a replay, because
it could not go back from there. So a replay stops before the kernel switches the machine off, or at
a count of instructions that GDB's command file gives."""

import re

import gdb

POWER_OFF = "acpi_power_off"
THE_END = ("This is the end of the recording. Commands that go back: reverse-stepi, reverse-step, "
           "reverse-continue")


class PowerOff(gdb.Breakpoint):
    """Stops where the kernel switches the machine off. Not listed, and not deleted by `delete`."""

    def __init__(self):
        super().__init__(POWER_OFF, internal=True)
        self.silent = True

    def stop(self):
        return True


class Continue(gdb.Function):
    """$jos_before_end(COUNT): prepare the command continue, in a run that must stop at COUNT
    instructions. An error, which GDB prints, means that the run has got to its end."""

    def __init__(self):
        super().__init__("jos_before_end")
        self._power_off = None

    def invoke(self, last):
        backwards = "everse" in gdb.execute("show exec-direction", to_string=True)
        if not backwards:
            if not self._power_off:
                self._power_off = PowerOff()
            text = gdb.execute("monitor info replay", to_string=True)
            if (int(re.search(r"count = (\d+)", text)[1]) >= int(last)
                    or gdb.selected_frame().name() == POWER_OFF):
                raise gdb.GdbError(THE_END)
            gdb.execute("monitor replay_break %d" % int(last), to_string=True)
        return 0


def register():
    Continue()
