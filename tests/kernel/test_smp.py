"""Several CPUs: the kernel finds, starts and uses them, halts idle ones, and reports a CPU that
does not start."""

import re

from tests.support import ICOUNT, KernelTest, run_gdb

NCPU = 32  # kern/cpu.h


class SmpTest(KernelTest):
    def assert_cpus_come_up(self, output, count):
        """The kernel finds `count` CPUs, and each prints once that it starts."""
        self.assert_lines(output, [r"SMP: CPU 0 found %d CPU\(s\)" % count,
                                   "No runnable environments in the system!"],
                          no=[".*panic.*", ".*does not answer.*"])
        starting = re.findall(r"(?m)^SMP: CPU (\d+) starting$", output)
        self.assertEqual(sorted(map(int, starting)), list(range(1, count)))

    def assert_yields_end(self, output, count=3):
        for i in range(count):
            name = "0000%04x" % (0x1000 + i)
            self.assert_in_order(output, [
                r"\[00000000\] new env " + name,
                r"Hello, I am environment %s\." % name,
                *(r"Back in environment %s, iteration %d\." % (name, j) for j in range(5)),
                r"All done in environment %s\." % name,
                r"\[%s\] exiting gracefully" % name,
                r"\[%s\] free env %s" % (name, name)])

    def check_count(self, count, **options):
        """Boot. All CPUs must start, programs must run, and idle CPUs must halt at the prompt."""
        machine = self.boot("yield yield yield", cpus=count, **options)
        output = machine.run_to_prompt().replace("\r", "")
        self.assert_cpus_come_up(output, min(count, NCPU))
        self.assert_yields_end(output)
        # All CPUs halt, except perhaps the CPU in the monitor.
        machine.wait_until(
            lambda: re.findall(r"HLT=(\d)", machine.monitor("info registers -a")).count("1")
            >= count - 1, "all CPUs but one to be halted")
        return output

    def test_1_cpu(self):
        self.check_count(1)

    def test_2_cpus(self):
        self.check_count(2)

    def test_4_cpus(self):
        self.check_count(4)

    def test_8_cpus(self):
        self.check_count(8)

    def test_32_cpus(self):
        self.check_count(32)

    def test_timer_is_started_again_after_idling(self):
        # An idle CPU stops its timer.
        for args in ([], ["-cpu", "qemu32,-apic"]):
            machine = self.boot("sliced", args=[*ICOUNT, *args])
            machine.run_to_prompt()
            for _ in range(2):
                self.assert_lines(machine.command("run sliced"), ["sliced: ok"])
            self.assertEqual(machine.output.count("sliced: ok"), 3)

    def test_2_sockets(self):
        self.check_count(2, smp="2,sockets=2")

    def test_4_sockets(self):
        self.check_count(4, smp="4,sockets=4")

    def test_8_sockets(self):
        self.check_count(8, smp="8,sockets=8")

    def test_32_sockets(self):
        self.check_count(32, smp="32,sockets=32")

    def test_apic_ids_may_have_gaps(self):
        self.check_count(6, smp="6,sockets=2,cores=3,threads=1")

    def test_33rd_cpu_stays_parked(self):
        output = self.check_count(33)
        self.assert_lines(output, [r"SMP: 1 more than the 32 that this kernel can use stay parked"])

    def test_8_of_40_cpus_stay_parked(self):
        output = self.check_count(40)
        self.assert_lines(output, [r"SMP: 8 more than the 32 that this kernel can use stay parked"])

    def test_q35_with_4_cpus(self):
        self.cpus_used.add(4)
        output = self.start(args=["-machine", "q35", "-kernel", self.kernel(), "-append",
                                  "yield yield yield"], cpus=4).run_to_prompt()
        self.assert_cpus_come_up(output.replace("\r", ""), 4)

    def test_cpus_are_found_without_acpi(self):
        # Only the BIOS's MP table is left. It lists one CPU per socket.
        self.check_count(4, smp="4,sockets=4", args=["-machine", "pc,acpi=off"])

    def test_one_cpu_runs_without_an_apic(self):
        output = self.run_kernel("yield yield yield", args=["-cpu", "qemu32,-apic"])
        self.assert_cpus_come_up(output, 1)
        self.assert_yields_end(output)

    def test_warm_reset_vector_is_restored(self):
        for cpus in (1, 4):
            machine = self.boot("yield", cpus=cpus, gdb=True)
            text = run_gdb(machine, "hbreak boot_aps", "continue", "delete",
                           "set var *(int *)0xf0000467 = 0x12345678",
                           "hbreak timer_calibrate", "continue",
                           "x/1xw 0xf0000467", "delete", "detach")
            self.assertRegex(text, r"0xf0000467:\s+0x07000000")
            machine.run_to_prompt()
            self.assertEqual(machine.physical_memory(0x467, 4), b"\x78\x56\x34\x12")
            machine.monitor("o /b 0x70 0x0f")
            self.assertEqual(int(machine.monitor("i /b 0x71").split("=")[1], 16), 0)

    def test_machine_checks_are_enabled(self):
        # Without CR4.MCE a machine check stops the machine.
        machine = self.boot("", cpus=4)
        machine.run_to_prompt()
        cr4 = [int(word, 16)
               for word in re.findall(r"CR4=(\w+)", machine.monitor("info registers -a"))]
        self.assertEqual([value & 0x40 for value in cr4], [0x40] * 4)

    def test_caches_are_on(self):
        # A reset, and on some CPUs INIT, leaves CR0.CD and CR0.NW set.
        for cpus in (1, 4):
            machine = self.boot("yield", cpus=cpus)
            machine.run_to_prompt()
            cr0 = [int(word, 16) for word in
                   re.findall(r"CR0=(\w+)", machine.monitor("info registers -a"))]
            self.assertEqual([value & 0x60000000 for value in cr0], [0] * cpus)

    def test_programs_use_all_cpus(self):
        # testbss computes for a while, then faults; the trap frame names its CPU.
        for cpus in (2, 4):
            output = self.run_kernel(" ".join(["testbss"] * 16), cpus=cpus)
            used = set(re.findall(r"(?m)^TRAP frame at 0xf\w+ from CPU (\d+)$", output))
            self.assertEqual(used, set(map(str, range(cpus))))
            self.assertEqual(len(re.findall(r"free env", output)), 16)

    def test_lines_of_several_cpus_are_not_mixed(self):
        output = self.run_kernel(" ".join(["yield"] * 20), cpus=4)
        body = output[output.index("SMP: CPU 0 found"):output.index("audit: ")]
        pattern = (r"SMP: CPU \d found 4 CPU\(s\)|SMP: CPU \d starting|"
                   r"enabled interrupts: 1 2( 4)?|"
                   r"\[0000....\] (new env|exiting gracefully|free env)( 0000....)?|"
                   r"Hello, I am environment 0000....\.|All done in environment 0000....\.|"
                   r"Back in environment 0000...., iteration \d\.|")
        for line in body.split("\n"):
            self.assertRegex(line, "^(%s)$" % pattern)
        self.assert_yields_end(output, 20)

    def test_cpu_that_does_not_start_is_reported(self):
        self.cpu_may_be_silent = True
        machine = self.boot("yield yield yield", cpus=4, gdb=True)
        run_gdb(machine, "hbreak lapic_startap_init", "continue",
                "set var cpus[2].cpu_apicid = 200", "detach")
        output = machine.run_to_prompt().replace("\r", "")
        self.assert_lines(output, [
            r"SMP: CPU 0 found 4 CPU\(s\)", r"SMP: CPU 2 \(APIC id 200\) does not answer",
            "SMP: CPU 1 starting", "SMP: CPU 3 starting"], no=["SMP: CPU 2 starting"])
        self.assert_yields_end(output)
