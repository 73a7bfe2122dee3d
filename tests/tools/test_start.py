"""docs/start.md: all its commands are run in a copy of the tree, in their order, and print what the
page shows."""

import os
import re

from tests.tools.maketest import MakeTest
from tools.run.buildtree import clean_environment
from tools.run.child import Child
from tools.run.machine import PROMPT

BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
PROMPTS = {"K> ": PROMPT, "(gdb) ": r"\(gdb\) \Z"}
WAITS_FOR_GDB = "-gdb"  # The end of a target that runs while the next commands run
LEAVE_QEMU = "\001x"  # Ctrl-a x
LIMIT_SECONDS = 300


def pattern(line):
    """A shown line as a pattern. The compiler may choose other addresses and lines."""
    regex = re.sub(r"0x[0-9a-f]+", "0x[0-9a-f]+", re.escape(line.strip()))
    return re.sub(r"(\\ )+", r"\\s+", re.sub(r":\d+$", r":\\d+", regex))


class StartTest(MakeTest):
    built = False
    needs_build = False

    def setUp(self):
        super().setUp()
        self.running = []  # Pairs: the command, its process

    def end_commands(self, last=False):
        """Wait until the commands have ended. Without `last`, a QEMU that waits for GDB goes on."""
        for command, child in list(self.running):
            waits = command.endswith(WAITS_FOR_GDB)
            if waits and not last:
                continue
            if waits and not child.has_ended():
                child.send(LEAVE_QEMU)
            self.assertEqual(child.wait_for_end(), 0, command + "\n" + child.describe_output())
            self.running.remove((command, child))

    def run_commands(self, block):
        """Start each command of a block when the command before it has ended."""
        for line in block.splitlines():
            self.assertTrue(line.startswith("$ "), line)
            self.end_commands()
            child = Child(line[2:].split(), limit=LIMIT_SECONDS, cwd=self.tree.root,
                          env=clean_environment(), merge=True, tool=True)
            self.addCleanup(child.stop)
            self.running.append((line, child))
            if line.endswith(WAITS_FOR_GDB):
                child.wait_for("Now run 'make gdb'")

    def change(self, block, file):
        """Change a line of a file."""
        old, = re.findall(r"(?m)^-(.*)$", block)
        new, = re.findall(r"(?m)^\+(.*)$", block)
        path = self.tree.path(*file.split("/"))
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.assertEqual(text.count(old), 1, old)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))

    def talk(self, block):
        """Type what is shown after a prompt. The lines before a prompt must have been printed then,
        and the last lines at the end."""
        child = self.running[-1][1]
        start, lines = 0, []
        for line in block.splitlines():
            prompt = next((prompt for prompt in PROMPTS if line.startswith(prompt)), None)
            if not prompt:
                lines.append(line)
                continue
            end = child.wait_for(PROMPTS[prompt], start).end()
            self.check_printed(lines, child.output[start:end])
            start, lines = end, []
            child.send(line[len(prompt):] + "\n")
        if lines:
            child.wait_for_end()
            self.check_printed(lines, child.output[start:])

    def check_printed(self, lines, output):
        """The lines must be in the output, in this order."""
        place = 0
        for line in lines:
            found = re.compile(pattern(line)).search(output, place)
            self.assertTrue(found, "not printed: %s\nbut:\n%s" % (line, output[place:]))
            place = found.end()

    def test_commands_print_what_the_page_shows(self):
        with open(self.tree.path("docs", "start.md"), encoding="utf-8") as f:
            page = f.read()
        for block in BLOCK.finditer(page):
            if block[1] == "sh":
                self.run_commands(block[2])
            elif block[1] == "text":
                self.talk(block[2])
            else:
                self.assertEqual(block[1], "diff")
                files = re.findall(r"`((?:user|kern)/\w+\.c)`", page[:block.start()])
                self.change(block[2], files[-1])
        self.end_commands(last=True)
        self.assertGreater(os.path.getsize(self.tree.path("obj", "trace", "stresssched.html")), 0)
