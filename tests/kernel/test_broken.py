"""Kernels broken on purpose: a test program must find each mistake."""

from tests.support import BrokenKernelTest, add_tests

# name: file, text, its replacement, the program to run, a line that it must print
LANDED = r"\[00001000\] user panic in shootdown at .*: round \d+: the page was written after .*"
BROKEN = {
    "without_shootdown": (
        "kern/tlb.c", "xchg(&cpus[i].cpu_pending_flush, 1);",
        "continue;", "shootdown", LANDED),
    "shootdown_without_interrupt": (
        "kern/tlb.c", "if (cpus[i].cpu_in_user)", "if (0)", "shootdown", LANDED),
    "destroy_without_interrupt": (
        "kern/env.c", "ENV_DYING);\n\t\tforce_into_kernel(e->env_cpunum);", "ENV_DYING);", "gone",
        r"\[00001000\] user panic in gone at .*: round \d+: destroyed, the child counted .*"),
    "stop_without_interrupt": (
        "kern/env.c", "curenv)\n\t\tforce_into_kernel(e->env_cpunum);", "curenv)\n\t\t{ }", "gone",
        r"\[00001000\] user panic in gone at .*: round \d+: stopped, the child counted .*"),
    "stop_forgotten_at_a_message": (
        "kern/wait.c", "if (!e->env_stopped)", "if (1)", "stopped",
        r"\[00001000\] user panic in stopped at .*: "
        "00001001 runs, although it was stopped while it received"),
}


class BrokenTest(BrokenKernelTest):
    def check(self, name):
        file, text, instead, program, line = BROKEN[name]
        with self.broken(file, text, instead):
            image = self.tree.disk_image(program)
        machine = self.start(disk=image, cpus=2)
        self.assert_lines(machine.run_to_prompt(), [line])


add_tests(BrokenTest, BROKEN)
