"""The end of a recorded run: tools/run/replay.py. QEMU must not get there in a replay, because it
could not go back from there. So it stops a few instructions before the end."""

import re

import gdb


class Continue(gdb.Function):
    """$jos_before_end(COUNT): prepare the command continue, in a run that has COUNT instructions
    until its end. An error, which GDB prints, means that the run has got there."""

    def __init__(self):
        super().__init__("jos_before_end")

    def invoke(self, last):
        backwards = "everse" in gdb.execute("show exec-direction", to_string=True)
        if not backwards:
            text = gdb.execute("monitor info replay", to_string=True)
            if int(re.search(r"count = (\d+)", text)[1]) >= int(last):
                raise gdb.GdbError("This is the end of the recording. Commands that go back: "
                                   "reverse-stepi, reverse-step, reverse-continue")
            gdb.execute("monitor replay_break %d" % int(last), to_string=True)
        return 0


def register():
    Continue()
