"""Other machines than the grade's: the grade's programs print the same, a time slice is 10 ms, and
the kernel can switch the machine off.

grade-lab4 has the lines that each program must print.
"""

import os
import re
import runpy
import signal
import time

from tests.support import ICOUNT, Q35_WITH_IDE, TREE, KernelTest
from tools.build.elffile import read_elf
from tools.run.bochs import IPS

# Takes too long on machines that interpret each instruction.
LEFT_OUT = {"primes"}
GRADE = [test for part in runpy.run_path(TREE.path("grade-lab4"))["PARTS"] for test in part.tests
         if test.name not in LEFT_OUT]

QEMU_MACHINES = {
    "pc": {"args": ["-machine", "pc"]},
    "q35": Q35_WITH_IDE,
    "qemu32": {"args": ["-cpu", "qemu32"]},
    "max": {"args": ["-cpu", "max"]},
    "16_mib": {"memory": 16},
    "without_fxsr": {"args": ["-cpu", "pentium2,-fxsr"]},
}
BOCHS_MACHINES = {
    "bochs_1": {"cpus": 1},
    "bochs_2": {"cpus": 2},
    "bochs_4": {"cpus": 4},
    "bochs_without_fxsr": {"cpus": 1, "model": "p2_klamath"},
}

KERNBASE = 0xF0000000
SLICES_PER_SECOND = 100
QEMU_LAPIC_HZ = 1000000000
SLICES = (r"slices: 20 on CPU (\d), of (\d+) ticks on average, "
          r"(\d+) at least, (\d+) at most")


class MachinesTest(KernelTest):
    """Each test runs the programs of the grade, one after the other, on one kind of machine."""

    slow = True

    def check_all(self, start):
        """start(test) starts a machine with that test's program. The first program that hangs ends
        this test: others would hang as well, each until its time limit."""
        for test in GRADE:
            machine = start(test)
            output = machine.run_to_prompt()
            machine.stop()
            with self.subTest(program=test.name):
                self.assert_lines(output, [
                    r"SMP: CPU 0 found %d CPU\(s\)" % machine.cpus,
                    "No runnable environments in the system!", *test.lines(machine.cpus)], test.no)

    def test_sysenter_works_with_smap(self):
        output = self.run_kernel("sysenter,no-steps ipccall", args=["-cpu", "max"])
        self.assert_lines(output, ["sysenter: ok", "ipccall: ok"])

    def test_pending_exception_without_fxsr_is_cleared(self):
        # A pending exception is raised by Bochs's frstor, but not by QEMU's.
        for cpus in (1, 2):
            machine = self.start_bochs(disk=TREE.disk_image("fppending"), cpus=cpus,
                                       model="p2_klamath")
            self.assert_lines(machine.run_to_prompt(), ["fppending: ok"])
            machine.stop()

    def test_q35_without_a_disk(self):
        self.check_all(lambda test: self.start(
            args=["-machine", "q35", "-kernel", self.kernel(), "-append", test.name],
            cpus=test.cpus))


def add_tests():
    for name, options in QEMU_MACHINES.items():
        def test(self, options=options):
            self.check_all(lambda test: self.boot(test.name, cpus=test.cpus, **options))
        setattr(MachinesTest, "test_" + name, test)
    for name, options in BOCHS_MACHINES.items():
        def test(self, options=options):
            self.check_all(lambda test: self.start_bochs(
                disk=TREE.disk_image(test.name), **options))
        setattr(MachinesTest, "test_" + name, test)


add_tests()


class SlicesTest(KernelTest):
    """A time slice is 10 ms of the machine's own time. These machines have a time stamp counter of
    a known rate, and all runs are the same."""

    def check_slices(self, machine, ticks_per_second):
        output = machine.run_to_prompt()
        machine.stop()
        found = re.findall(r"(?m)^%s\r?$" % SLICES, output)
        self.assertEqual(sorted(int(cpu) for cpu, *_ in found), list(range(machine.cpus)), output)
        for _, *figures in found:
            for ticks in map(int, figures):
                self.assertAlmostEqual(ticks * SLICES_PER_SECOND / ticks_per_second, 1, delta=0.002,
                                       msg="%d ticks, at %d per second" % (ticks, ticks_per_second))

    def check_qemu(self, *args):
        self.check_slices(self.boot("slices", args=[*ICOUNT, *args]), 1000000000)

    def check_bochs(self, cpus, ips):
        self.check_slices(self.start_bochs(
            disk=TREE.disk_image(" ".join(["slices"] * cpus)), cpus=cpus, ips=ips), ips)

    def test_slices_by_the_local_apic(self):
        self.check_qemu("-cpu", "qemu32")

    def test_slices_by_the_8254(self):
        self.check_qemu("-cpu", "qemu32,-apic")

    def test_slices_by_bochss_local_apic(self):
        self.check_bochs(1, IPS)

    def test_slices_by_a_faster_local_apic(self):
        self.check_bochs(1, 4 * IPS)

    def test_slices_on_several_cpus(self):
        self.check_bochs(4, IPS)

    def test_pauses_do_not_change_the_measured_slice(self):
        # A busy host stops QEMU like this. One unlucky moment is enough, so try several times.
        address = read_elf(self.kernel()).symbol("timer_period").value - KERNBASE
        for _ in range(5):
            machine = self.boot("")
            machine.wait_for("enabled interrupts")
            while "K> " not in machine.output:
                os.kill(machine.pid, signal.SIGSTOP)
                time.sleep(0.02)
                os.kill(machine.pid, signal.SIGCONT)
                time.sleep(0.001)
            machine.run_to_prompt()
            ticks = int.from_bytes(machine.physical_memory(address, 4), "little")
            machine.stop()
            self.assertAlmostEqual(ticks * SLICES_PER_SECOND / QEMU_LAPIC_HZ, 1, delta=0.01)


class BochsTest(KernelTest):
    def test_bochs_reads_commands_and_shuts_down(self):
        machine = self.start_bochs(disk=TREE.disk_image("hello"), cpus=2)
        machine.run_to_prompt()
        answer = machine.command("run faultdie")
        self.assert_lines(answer, ["i faulted at va deadbeef, err 6",
                                   r"\[00002000\] exiting gracefully"])
        machine.send("shutdown\n")
        machine.wait_for_end()
        self.assertIn("ACPI control: soft power off", machine.errors)
        self.assertNotIn("cannot be switched off", machine.output)
