"""What .gdbinit sources: the commands, the unwinder, and what happens at each stop."""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tools.gdb import command, frames, memory, realmode, replay, state, symbols, trace  # noqa: E402

command.Jos()
for module in (memory, realmode, replay, state, symbols, trace):
    module.register()
entry_stops = frames.register()


def jos_stop():
    """Called by hook-stop, before GDB prints the place at which the machine has stopped."""
    realmode.follow_cpu()
    entry_stops.stopped()
    if symbols.are_needed():
        symbols.follow_cpu()


def jos_needs_frames():
    """Called before a command that shows more frames than the newest one."""
    symbols.follow_cpu()
    entry_stops.needs_frames()


def jos_selected():
    """Called after another thread was selected."""
    realmode.follow_cpu()
    symbols.follow_cpu()


gdb.events.stop.connect(symbols.stopped)
gdb.set_convenience_variable("jos_commands", 1)
