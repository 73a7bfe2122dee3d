"""The GDB command `jos` and the base class of its subcommands."""

import gdb

from tools.gdb import kernel

MAX_COUNT = 1000000  # Of the lines that a command shows


class Jos(gdb.Command):
    """Commands that show the state of the JOS kernel. docs/gdb.md describes them."""

    def __init__(self):
        super().__init__("jos", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, from_tty):
        gdb.execute("help jos")


class Command(gdb.Command):
    """A subcommand, `jos NAME`. A subclass has a NAME, a docstring, which is GDB's help text, and
    run(words), which returns the lines to print. NEEDS_KERNEL: the kernel's memory is read, so
    paging must be on. MOST: the highest number of words."""

    NAME = None
    NEEDS_KERNEL = True
    MOST = 0

    def __init__(self):
        super().__init__("jos " + self.NAME, gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        words = gdb.string_to_argv(argument)
        if len(words) > self.MOST:
            raise gdb.GdbError("Too many words. Type: help jos " + self.NAME)
        if self.NEEDS_KERNEL:
            kernel.cpu_number()  # Raises an error if there is no machine.
            if not kernel.kernel_runs():
                raise gdb.GdbError("The kernel does not run yet on this CPU: paging is off.")
        try:
            for line in self.run(words):
                gdb.write(line + "\n")
        except gdb.error as e:
            raise gdb.GdbError(str(e)) from None

    def run(self, words):
        raise NotImplementedError


def number(text, what):
    """The value of an expression, as a number without a sign. A function's value is its address."""
    try:
        value = gdb.parse_and_eval(text)
        return kernel.unsigned(value.address if value.type.code == gdb.TYPE_CODE_FUNC else value)
    except gdb.error as e:
        raise gdb.GdbError("%s '%s': %s" % (what, text, e)) from None


def count(text):
    """The value of an expression, as a number of lines to show."""
    value = number(text, "The count")
    if not 1 <= value <= MAX_COUNT:
        raise gdb.GdbError("The count must be from 1 to %d." % MAX_COUNT)
    return value


def table(rows):
    """Lines of a table. The last column is not padded."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        yield "  ".join([*cells, row[-1]]).rstrip()
