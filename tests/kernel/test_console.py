"""The console. The screen shows the end of the output, also after much scrolling. The serial line
loses nothing. The kernel runs without a screen and without a serial port."""

from tests.support import KernelTest, run_gdb
from tools.run.machine import CRTC_PORT, CRTC_START, SCREEN_COLUMNS, SCREEN_ROWS

CRTC_CURSOR = 14
SCREEN = SCREEN_COLUMNS * SCREEN_ROWS
LINES = 0x8000 // 2 // SCREEN_COLUMNS  # Lines that fit in the VGA's memory
FIRST_LINE = "6828 decimal is 15254 octal!"


def shown(output):
    """The screen after this output: one line for each row, without trailing blanks."""
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
    """GDB's commands that write 16 bits to two registers of the VGA's 6845."""
    return ["monitor o /b %#x %#x" % (CRTC_PORT + i % 2, byte) for i, byte in enumerate(
        [register, value >> 8, register + 1, value & 0xff])]


class ScreenTest(KernelTest):
    def check_screen(self, machine):
        """The screen must show the end of the output. Returns its start in the VGA's memory."""
        screen, start = machine.screen_and_start()
        self.assertEqual(screen, shown(machine.output))
        return start

    def test_screen_is_right_at_each_scroll_position(self):
        machine = self.boot("")
        machine.run_to_prompt()
        while machine.screen_and_start()[1] < SCREEN:  # Until the BIOS's lines have scrolled off
            machine.command("")
        starts = [self.check_screen(machine)]
        while starts[-1] >= starts[0]:
            machine.command("failalloc %d" % (1000000 + len(starts)))  # Each line is different.
            starts.append(self.check_screen(machine))
        self.assertEqual(max(starts), (LINES - SCREEN_ROWS) * SCREEN_COLUMNS)

    def test_random_text_is_shown(self):
        machine = self.boot("scribble")
        machine.run_to_prompt()
        starts = [self.check_screen(machine)]
        for seed in range(2, 12):
            machine.command("run scribble,%d" % seed)
            starts.append(self.check_screen(machine))
        self.assertGreater(len(set(starts)), 8)

    def check_takeover(self, start, cursor, new_start, row):
        """Set the start of the screen in the VGA's memory and the cursor, as a boot loader may. The
        kernel must move the start to `new_start` and print its first line in row `row`."""
        machine = self.boot("", gdb=True)
        run_gdb(machine, "hbreak cga_init", "continue", *set_crtc(CRTC_START, start),
                *set_crtc(CRTC_CURSOR, cursor), "detach")
        machine.run_to_prompt()
        screen, now = machine.screen_and_start()
        self.assertEqual(now, new_start)
        self.assertEqual(screen.split("\n").index(FIRST_LINE), row)
        if start != new_start:
            self.assertEqual(screen, shown(machine.output))

    def test_kernel_continues_at_the_boot_loaders_cursor(self):
        self.check_takeover(0, 5 * SCREEN_COLUMNS, 0, 5)
        start = 100 * SCREEN_COLUMNS
        self.check_takeover(start, start + 3 * SCREEN_COLUMNS, start, 3)

    def test_cursor_below_the_screen_starts_at_the_top(self):
        self.check_takeover(0, SCREEN, 0, 0)

    def test_kernel_switches_to_video_page_0(self):
        self.check_takeover(2048, 2048, 0, 0)  # The BIOS's page 1

    def test_start_beyond_the_video_memory_is_reset(self):
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

    def run_until_blocked(self, machine, program):
        """Run a program that writes more than a pipe holds, and do not read its output until the
        screen no longer changes."""
        screens = []

        def is_still():
            screens.append(machine.screen())
            return len(screens) > 20 and len(set(screens[-20:])) == 1

        with machine.not_reading():
            machine.send("run %s\n" % program)
            machine.wait_until(is_still, "the screen to stop changing")

    def test_slow_reader_of_the_serial_line_loses_nothing(self):
        # Each pause begins at another place in a line and in the port's FIFO.
        machine = self.boot("")
        for _ in range(4):
            machine.run_to_prompt()
            start = len(machine.output)
            self.run_until_blocked(machine, "longtext")
            machine.wait_for(r"longtext: ok(?s:.*)K> \Z", start)
            self.check_longtext(machine.output[start:])

    def test_port_without_a_fifo_loses_nothing(self):
        machine = self.boot("longtext", gdb=True)
        run_gdb(machine, "hbreak multiboot_init", "continue", "set var serial_fifo = 1", "detach")
        self.check_longtext(machine.run_to_prompt())


class MissingDevicesTest(KernelTest):
    def test_works_without_a_serial_port(self):
        machine = self.boot("yield", args=["-global", "isa-serial.iobase=0x2e8"])
        machine.wait_for_screen(r"All done in environment 00001000\.(?s:.*)K>\Z")
        machine.type_keys("h", "e", "l", "p", "ret")
        machine.wait_for_screen(r"K> help\nhelp - (?s:.*)K>\Z")
        self.assertEqual(machine.output, "")

    def test_works_without_a_screen(self):
        output = self.run_kernel("yield", args=["-vga", "none"])
        self.assert_lines(output, [FIRST_LINE, r"All done in environment 00001000\."])
