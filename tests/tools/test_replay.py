"""make replay-NAME: a run is recorded, and goes backwards in GDB."""

import os
import re
import sys

from tests.support import LIMIT_SECONDS, TREE, KernelTest
from tools.run.child import Child
from tools.run.machine import PROMPT
from tools.run.tool import make_folder, remove_folder

REPLAY = [sys.executable, TREE.path("tools/run/replay.py")]


class ReplayTest(KernelTest):
    def setUp(self):
        super().setUp()
        self.cpus_used.add(1)
        self.folder = make_folder("jos-")
        self.addCleanup(remove_folder, self.folder)
        self.kernel = os.path.join(self.folder, "kern", "kernel")
        os.mkdir(os.path.dirname(self.kernel))
        os.symlink(TREE.obj("kern", "kernel"), self.kernel)
        os.symlink(TREE.obj("user"), os.path.join(self.folder, "user"))

    def run_replay(self, action, program, *options):
        child = Child([*REPLAY, action, program, "--qemu", TREE.qemu()[0], "--objdir", self.folder,
                       *options], limit=2 * LIMIT_SECONDS, cwd=TREE.root, tool=True, merge=True)
        self.addCleanup(child.stop)
        return child

    def record(self, program):
        child = self.run_replay("record", program)
        child.wait_for(PROMPT)
        child.send("shutdown\n")
        self.assertEqual(child.wait_for_end(), 0, child.output)

    def replay(self, program, *commands):
        """Replay a run with these commands of GDB. Returns GDB's output."""
        commands = ("set width 0", *commands, "quit")  # GDB must not fold long lines.
        words = [word for command in commands for word in ("--ex", command)]
        child = self.run_replay("replay", program, *words)
        child.end_input()
        self.assertEqual(child.wait_for_end(), 0, child.output)
        return child.output

    def counts(self, text):
        """The instruction counts that `monitor info replay` has printed."""
        return [int(count) for count in re.findall(r"instruction count = (\d+)", text)]

    def test_backwards(self):
        self.record("hello")
        info = "monitor info replay"
        text = self.replay(
            "hello", "break env_run", "continue", info, "p/x $eip", "reverse-stepi", info, "stepi",
            "p/x $eip", "reverse-step", info, "delete", "break env_destroy", "continue", info,
            "delete", "watch -l envs[0].env_status", "reverse-continue", "bt 2", info,
            "reverse-continue", "bt 2", info, "delete", "break umain", "break i386_init",
            "reverse-continue", "bt 1", info)
        counts = self.counts(text)
        self.assertEqual(len(counts), 7, text)
        self.assertEqual(counts[1], counts[0] - 1)
        self.assertLess(counts[2], counts[1] + 1)
        self.assertTrue(counts[6] < counts[5] < counts[0] < counts[4] < counts[3], counts)
        at = re.findall(r"\$\d = (0x\w+)", text)
        self.assertEqual(at[0], at[1])
        # Who wrote this? First env_run, which made the environment run, before that env_start.
        self.assertRegex(text, r"#0 .*env_set_status \(status=3, .*\n#1 .*env_run \(")
        self.assertRegex(text, r"#0 .*env_set_status \(status=2, .*\n#1 .*env_start \(")
        self.assertRegex(text, r"#0  i386_init \(")

    def test_end_of_the_recording(self):
        self.record("hello")
        info = "monitor info replay"
        text = self.replay("hello", "continue", info, "continue", info, "reverse-stepi", info,
                           "break env_destroy", "reverse-continue", "bt 1", info, "delete",
                           "continue", info)
        counts = self.counts(text)
        self.assertEqual(len(counts), 5, text)
        self.assertEqual((counts[1], counts[2], counts[4]), (counts[0], counts[0] - 1, counts[0]))
        self.assertLess(counts[3], counts[2])
        self.assertIn("This is the end of the recording.", text)
        self.assertRegex(text, r"#0  env_destroy \(")

    def test_typed_input_is_recorded(self):
        child = self.run_replay("record", "hello")
        end = child.wait_for(PROMPT).end()
        child.send("run faultread\n")
        child.wait_for(r"user fault va 00000000(?s:.*)" + PROMPT, end)
        child.send("shutdown\n")
        self.assertEqual(child.wait_for_end(), 0, child.output)
        text = self.replay("hello", "jos break faultread umain", "continue",
                           "break page_fault_handler", "continue", "bt", "reverse-continue", "bt 1")
        self.assertRegex(text, r"umain \(.*\) at user/faultread\.c:\d+\n#\d+ .* libmain ")
        self.assertRegex(text, r"\n#0  umain \(.*\) at user/faultread\.c")

    def test_replay_after_the_kernel_has_changed(self):
        self.record("hello")
        os.remove(self.kernel)
        with open(self.kernel, "w", encoding="utf-8") as f:
            f.write("another kernel")
        text = self.replay("hello", "jos break hello umain", "continue", "bt 1", "continue",
                           "continue")
        self.assertRegex(text, r"#0  umain \(.*\) at user/hello\.c")
        self.assertIn("This is the end of the recording.", text)
        # The command that is printed has the options.
        self.assertRegex(text, r"To replay this run again: \S*replay\.py replay hello "
                               r"(--qemu \S+ )?--objdir %s\n" % re.escape(self.folder))

    def test_program_that_is_not_recorded(self):
        child = self.run_replay("replay", "hello")
        self.assertNotEqual(child.wait_for_end(), 0)
        self.assertIn("hello is not recorded yet: make replay-hello", child.output)
