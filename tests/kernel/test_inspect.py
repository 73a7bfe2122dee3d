"""The monitor's commands that show memory, mappings and environments, or change them; its table of
commands, and completion."""

import re

from tests.support import TREE, KernelTest
from tools.build.elffile import read_elf

UTEXT, STACK_PAGE, NO_PAGE = 0x800000, 0xeebfd000, 0x20000000

# Wrong arguments of each command.
WRONG = {
    "backtrace": ["1 2"],
    "showmappings": ["", "0", "x y", "2000 1000", "0 1 2 3", "100000000 100000001", "0 -1"],
    "setperm": ["", "0", "0 x", "0 +", "zz u", "0 u 1000 2", "0 uu?"],
    "dump": ["", "0", "0 0", "g 1", "0 x", "-p", "-p 0", "-p 0 1 1000", "fffffff0 17", "0 -1",
             "0 1 1000 1", "0 0x", "0 4294967296", "0x 1"],
    "kill": ["1 2"],
    "run": [""],
    "failalloc": ["", "x", "1 2"],
    "memmap": ["1 2 3", "page x", "10 x", "2000 1000", "0x 1"],
    "lockstat": ["maybe", "on off"],
    "trace": ["maybe", "0", "1 2"],
}


class TableTest(KernelTest):
    def setUp(self):
        super().setUp()
        self.machine = self.boot("")
        self.machine.run_to_prompt()

    def test_handbook_has_the_table_of_commands(self):
        with open(TREE.path("docs/monitor.md"), encoding="utf-8") as f:
            rows = re.findall(r"(?m)^\| `(\w+)` \|(?: `(.*)`)? \| (.*) \|$", f.read())
        self.assertGreater(len(rows), 10)
        lines = [" ".join(word for word in (name, arguments.replace("\\|", "|"), "-", what) if word)
                 for name, arguments, what in rows]
        self.assertEqual(self.machine.command("help").split("\n")[1:-1], lines)

    def test_wrong_arguments_get_the_usage(self):
        usages = {line.split()[0]: line.split(" - ")[0]
                  for line in self.machine.command("help").split("\n")[1:-1]}
        for name, wrong in WRONG.items():
            for arguments in wrong:
                answer = self.machine.command((name + " " + arguments).strip())
                self.assertEqual(answer.split("\n")[1:-1], ["Usage: " + usages[name]], arguments)
        self.assertEqual(set(WRONG), {name for name, usage in usages.items() if " " in usage})

    def test_unknown_environments_are_named(self):
        for line in ("kill 1000", "kill 0", "kill xyz", "backtrace fffff", "dump 0 1 1234",
                     "showmappings 0 1 0x1000", "setperm 0 u 80000000"):
            answer = self.machine.command(line)
            self.assertEqual(answer.split("\n")[1:-1],
                             ["There is no environment '%s'. Type 'envs' for a list."
                              % line.split()[-1]])

    def run_line(self, text):
        answer = self.machine.command(text)
        return re.search(r"(?m)^There is no command '(.*)'\.$", answer).group(1)

    def test_tab_completes_commands(self):
        self.assertIn("The kernel's sections", self.machine.command("ker\t"))
        self.assertIn("nothing to continue", self.machine.command("  con\t"))
        self.assertEqual(self.run_line("xyz\t1"), "xyz")
        self.machine.send("s\t")
        self.machine.wait_for(r"K> s\r\nshowmappings +setperm +step +shutdown *\r\nK> s\Z")
        self.machine.send("h\t")
        self.machine.wait_for(r"K> sh\r\nshowmappings +shutdown *\r\nK> sh\Z")
        self.assertIn("Usage: showmappings", self.machine_rest("o\t\n"))

    def machine_rest(self, text):
        start = len(self.machine.output)
        self.machine.send(text)
        self.machine.wait_for(r"\nK> \Z", start)
        return self.machine.output[start:].replace("\r", "")

    def test_tab_completes_programs_after_run(self):
        self.assertIn("hello, world", self.machine.command("run hell\t"))
        self.machine.send("run ping\t\t")
        self.machine.wait_for(r"run pingpong\r\npingpong +pingpongs *\r\nK> run pingpong\Z")
        self.machine.send("\003")
        self.machine.wait_for(r"\^C\r\nK> \Z")
        self.assertEqual(self.machine.command("kerninfo hell\t").split("\n")[1],
                         "'kerninfo' takes no arguments.")


class MemoryTest(KernelTest):
    def setUp(self):
        super().setUp()
        self.machine = self.boot("breakpoint")
        self.machine.run_to_prompt()
        self.addCleanup(self.end_environments, self.machine)

    def lines(self, command):
        return self.machine.command(command).split("\n")[1:-1]

    def bytes_shown(self, command):
        """The bytes that a dump shows; None: not mapped."""
        result = []
        for line in self.lines(command):
            result += [None if byte == "--" else int(byte, 16)
                       for byte in line[9:].split("|")[0].split()]
        return result

    def test_dump_shows_the_programs_text(self):
        elf = read_elf(TREE.obj("user", "breakpoint"))
        at = elf.offset_of(UTEXT)
        for first, count in ((0, 16), (3, 7), (5, 100), (15, 2), (0, 1)):
            expected = list(elf.data[at + first:at + first + count])
            for line in ("dump 0x%x %d", "dump %x 0x%x", "dump %x %d 1000"):
                self.assertEqual(self.bytes_shown(line % (UTEXT + first, count)), expected)
        # Only the bytes of the range are shown, each in its column.
        data = elf.data[at:at + 17]
        text = "".join(chr(b) if 32 <= b <= 126 else "." for b in data)
        self.assertEqual(self.lines("dump %x 3" % (UTEXT + 14)), [
            "%08x  %s %02x %02x  |%s|" % (UTEXT, "   " * 14, data[14], data[15],
                                          " " * 14 + text[14:16]),
            "%08x  %02x%s  |%s|" % (UTEXT + 16, data[16], "   " * 15 + " ",
                                    text[16] + " " * 15)])

    def test_dump_shows_what_is_not_mapped(self):
        self.assertEqual(self.bytes_shown("dump %x 5" % NO_PAGE), [None] * 5)
        # Across both ends of the stack's page, and past the end of memory.
        self.assertEqual([b is None for b in self.bytes_shown("dump eebfcffd 6")],
                         [True] * 3 + [False] * 3)
        self.assertEqual([b is None for b in self.bytes_shown("dump eebfdffd 6")],
                         [False] * 3 + [True] * 3)
        pages = re.search(r"Physical pages: (\d+)", self.machine.command("kerninfo")).group(1)
        shown = self.bytes_shown("dump -p %x 4" % (int(pages) * 4096 - 2))
        self.assertEqual([b is None for b in shown], [False] * 2 + [True] * 2)
        self.assertEqual(self.bytes_shown("dump ffffffff 1"), [None])
        self.assertEqual(self.bytes_shown("dump -p fffffff0 16"), [None] * 16)

    def test_dump_of_physical_memory(self):
        expected = list(self.machine.physical_memory(0x7dfe, 2))
        self.assertEqual(expected, [0x55, 0xaa])  # The end of the boot sector
        self.assertEqual(self.bytes_shown("dump -p 7dfe 2"), expected)
        self.assertEqual(self.bytes_shown("dump f0007dfe 2"), expected)

    def test_equal_rows_are_left_out(self):
        self.assertEqual(len(self.lines("dump %x 0x100000" % NO_PAGE)), 3)
        self.assertEqual(self.lines("dump %x 0x100000" % NO_PAGE)[1], "*")

    def test_mappings_of_a_program(self):
        (line,) = self.lines("showmappings eebfd000 eebfd001")
        self.assertRegex(line, r"^eebfd000 - eebfdfff  -> \w{8} - \w{8}  P W U A D$")
        (line,) = self.lines("showmappings 0x800000 0x800000 1000")
        self.assertRegex(line, r"^00800000 - 00800fff  -> \w{8} - \w{8}  P U A$")
        lines = self.lines("showmappings eebfc000 eebfffff")
        self.assertEqual([line[:39] for line in lines], [
            "eebfc000 - eebfcfff  not mapped", lines[1][:39],
            "eebfe000 - eebfffff  not mapped"])

    def test_mappings_of_the_whole_address_space(self):
        lines = self.lines("showmappings 0 ffffffff")
        ranges = [(int(line[:8], 16), int(line[11:19], 16)) for line in lines]
        self.assertEqual((ranges[0][0], ranges[-1][1]), (0, 0xffffffff))
        for (_, last), (first, _) in zip(ranges, ranges[1:]):
            self.assertEqual(last + 1, first)
        self.assertRegex("\n".join(lines),
                         r"(?m)^f0\w{6} - \w{8}  -> 00\w{6} - \w{8}  P W( A)?( D)? 4MB G$")

    def test_setperm_takes_a_right_away(self):
        (line,) = self.lines("setperm eebfd123 -w")
        self.assertRegex(line, r"^eebfd000 - eebfdfff  -> \w{8} - \w{8}  P U A D$")
        self.machine.send("continue\n")
        self.machine.wait_for(r"No runnable(?s:.*)K> \Z")
        self.assert_lines(self.machine.output, [
            r"\[00001000\] user fault va eebfd\w{3} ip 008\w{5}",
            r"  err  0x00000007 \[user, write, protection\]"])

    def test_setperm_sets_adds_and_removes(self):
        for perms, flags in (("u", "P U"), ("uw", "P W U"), ("+cs", "P W U SHARE COW"),
                             ("-wc", "P U SHARE"), ("-", "P"), ("uw", "P W U")):
            (line,) = self.lines("setperm eebfd000 %s 1000" % perms)
            self.assertEqual(line.split("  ")[-1].replace(" A D", ""), flags)
        self.assertIn("balanced", self.machine.command("audit"))

    def test_setperm_refuses_the_kernel_and_unmapped_pages(self):
        self.assertIn("below eec00000", self.machine.command("setperm f0100000 uw"))
        self.assertIn("No page is mapped at 20000000", self.machine.command("setperm 20000000 u"))


class KillTest(KernelTest):
    def test_kill_ends_one_environment(self):
        for cpus in (1, 4):
            machine = self.boot("keys,1 breakpoint keys,1", cpus=cpus)
            machine.wait_for(r"K> \Z")
            machine.command("kill 1000")
            # If it is still on another CPU, that CPU takes it off when the monitor ends.
            self.assertNotRegex(machine.command("envs"), r"(?m)^00001000 (?!.* dying )")
            machine.send("kill 0x1001\n")  # The one that led to the monitor
            machine.wait_for(r"\[0000....\] free env 00001001")
            machine.send("a")
            machine.wait_for(r"No runnable(?s:.*)K> \Z")
            self.assertEqual(len(re.findall("exiting gracefully", machine.output)), 1)

    def test_kill_of_an_environment_on_another_cpu(self):
        machine = self.boot("endless endless", cpus=2)
        machine.wait_for("new env 00001001")
        machine.send("\003")
        machine.wait_for(r"K> \Z")
        here = re.search(r"runs the monitor; environment (\w{8})", machine.command("cpus")).group(1)
        other = "00001001" if here == "00001000" else "00001000"
        machine.command("kill " + other)
        machine.send("continue\n")
        machine.wait_for("free env " + other)  # By the other CPU, unless it did not run `other` yet
        start = len(machine.output)
        machine.send("\003")
        machine.wait_for(r"K> \Z", start)
        self.assertEqual(re.findall(r"(?m)^0000100\d", machine.command("envs")), [here])
        self.end_environments(machine)
