"""The console: what the screen shows, scrolled as far as may be, of what went over the serial line,
that nothing is lost there, and what becomes of it where one of them is missing."""

from tests.support import KernelTest, run_gdb
from tools.run.machine import CRTC_PORT, CRTC_START, SCREEN_COLUMNS, SCREEN_ROWS

CRTC_CURSOR = 14
SCREEN = SCREEN_COLUMNS * SCREEN_ROWS
LINES = 0x8000 // 2 // SCREEN_COLUMNS  # In the VGA's memory
FIRST_LINE = "6828 decimal is 15254 octal!"


def shown(output):
    """What a screen shows after this text, one line a row, without blanks at the ends."""
    cells, pos = [" "] * SCREEN, 0
    for c in output:
        column = pos % SCREEN_COLUMNS
        if c == "\b":
            pos = max(pos - 1, 0)
        elif c == "\r":
            pos -= column
        elif c == "\n":
            pos += SCREEN_COLUMNS - column
        elif c == "\t":
            width = 8 - column % 8
            cells[pos:pos + width] = [" "] * width
            pos += width
        elif c != "\a":
            cells[pos] = c
            pos += 1
        if pos == SCREEN:
            cells = cells[SCREEN_COLUMNS:] + [" "] * SCREEN_COLUMNS
            pos -= SCREEN_COLUMNS
    rows = ("".join(cells[i:i + SCREEN_COLUMNS]).rstrip(" ")
            for i in range(0, SCREEN, SCREEN_COLUMNS))
    return "\n".join(rows).rstrip("\n")


def set_crtc(register, value):
    """GDB's commands that change a register of the VGA's 6845, and the one after it."""
    return ["monitor o /b %#x %#x" % (CRTC_PORT + i % 2, byte) for i, byte in enumerate(
        [register, value >> 8, register + 1, value & 0xff])]


class ScreenTest(KernelTest):
    def check_screen(self, machine):
        """The screen shows the end of what was printed. Return where in its memory that is."""
        screen, start = machine.screen_and_start()
        self.assertEqual(screen, shown(machine.output))
        return start

    def test_each_line_on_the_way_through_the_memory(self):
        machine = self.boot("")
        machine.run_to_prompt()
        while machine.screen_and_start()[1] < SCREEN:  # Until the BIOS's lines are gone
            machine.command("")
        starts = [self.check_screen(machine)]
        while starts[-1] >= starts[0]:
            machine.command("failalloc %d" % (1000000 + len(starts)))  # Each is another line
            starts.append(self.check_screen(machine))
        self.assertEqual(max(starts), (LINES - SCREEN_ROWS) * SCREEN_COLUMNS)

    def test_any_text(self):
        machine = self.boot("scribble")
        machine.run_to_prompt()
        starts = [self.check_screen(machine)]
        for seed in range(2, 12):
            machine.command("run scribble,%d" % seed)
            starts.append(self.check_screen(machine))
        self.assertGreater(len(set(starts)), 8)

    def check_takeover(self, start, cursor, new_start, row):
        """A boot loader leaves the screen showing its memory from `start` on, and the cursor; the
        kernel's first line must be in that row of the screen."""
        machine = self.boot("", gdb=True)
        run_gdb(machine, "hbreak cga_init", "continue", *set_crtc(CRTC_START, start),
                *set_crtc(CRTC_CURSOR, cursor), "detach")
        machine.run_to_prompt()
        screen, now = machine.screen_and_start()
        self.assertEqual(now, new_start)
        self.assertEqual(screen.split("\n").index(FIRST_LINE), row)
        if start != new_start:
            self.assertEqual(screen, shown(machine.output))

    def test_goes_on_where_the_boot_loader_stopped(self):
        self.check_takeover(0, 5 * SCREEN_COLUMNS, 0, 5)
        start = 100 * SCREEN_COLUMNS
        self.check_takeover(start, start + 3 * SCREEN_COLUMNS, start, 3)

    def test_cursor_out_of_sight(self):
        self.check_takeover(0, SCREEN, 0, 0)

    def test_lines_that_are_elsewhere(self):
        self.check_takeover(2048, 2048, 0, 0)  # The BIOS's page 1

    def test_screen_beyond_the_end(self):
        start = (LINES - SCREEN_ROWS + 1) * SCREEN_COLUMNS
        self.check_takeover(start, start, 0, 0)


class SerialPortTest(KernelTest):
    def test_lines_end_with_carriage_return_and_line_feed(self):
        machine = self.boot("yield")
        machine.run_to_prompt()
        self.assertNotRegex(machine.output, r"(?<!\r)\n")
        self.assertGreater(machine.output.count("\r\n"), 20)

    def check_longtext(self, output):
        lines = output.replace("\r", "").split("\n")
        self.assertEqual(lines.count("x" * 63), 2048)
        self.assertIn("longtext: ok", lines)

    def stand_still_in(self, machine, program):
        """Run a program that writes more than a pipe holds, and do not read until it is full."""
        screens = []

        def stands_still():
            screens.append(machine.screen())
            return len(screens) > 20 and len(set(screens[-20:])) == 1

        with machine.not_reading():
            machine.send("run %s\n" % program)
            machine.wait_until(stands_still, "the screen to stand still")

    def test_reader_who_takes_breaks(self):
        # Each break begins elsewhere in a line, and in the port's buffer.
        machine = self.boot("")
        for _ in range(4):
            machine.run_to_prompt()
            start = len(machine.output)
            self.stand_still_in(machine, "longtext")
            machine.wait_for(r"longtext: ok(?s:.*)K> \Z", start)
            self.check_longtext(machine.output[start:])

    def test_port_without_a_buffer(self):
        machine = self.boot("longtext", gdb=True)
        run_gdb(machine, "hbreak multiboot_init", "continue", "set var serial_fifo = 1", "detach")
        self.check_longtext(machine.run_to_prompt())


class MissingDevicesTest(KernelTest):
    def test_no_serial_port(self):
        machine = self.boot("yield", args=["-global", "isa-serial.iobase=0x2e8"])
        machine.wait_for_screen(r"All done in environment 00001000\.(?s:.*)K>\Z")
        machine.type_keys("h", "e", "l", "p", "ret")
        machine.wait_for_screen(r"K> help\nhelp - (?s:.*)K>\Z")
        self.assertEqual(machine.output, "")

    def test_no_screen(self):
        output = self.run_kernel("yield", args=["-vga", "none"])
        self.assert_lines(output, [FIRST_LINE, r"All done in environment 00001000\."])
