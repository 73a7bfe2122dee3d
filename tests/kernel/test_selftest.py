"""The kernel finds its own mistakes: the option selftest=NAME makes one of them on purpose."""

from tests.support import KernelTest

# The message for each mistake, on one CPU and on two.
LOCKS = {
    "take_big_lock_twice": r"CPU 0 takes the big kernel lock twice",
    "take_lock_twice": r"CPU 0 takes the console lock twice",
    "release_free_lock": r"CPU 0 drops the console lock, which it does not hold",
    "release_lock_of_another": r"CPU 0 drops the big kernel lock, which it does not hold",
    "allocate_page_without_lock": r"assertion failed: kernel_locked\(\)",
    "map_page_without_lock": r"assertion failed: kernel_locked\(\)",
    "change_status_without_lock": r"assertion failed: kernel_locked\(\)",
    "wake_without_lock": r"assertion failed: kernel_locked\(\)",
}


class LockTest(KernelTest):
    may_panic = True

    def test_mistakes_panic_with_their_message(self):
        self.may_panic = True
        for cpus in (1, 2):
            for name, said in LOCKS.items():
                with self.subTest(name=name, cpus=cpus):
                    output = self.run_kernel("selftest=" + name, cpus=cpus)
                    self.assert_lines(output, [
                        r"kernel panic on CPU 0 at (\./)?kern/\w+\.[ch]:\d+: " + said],
                        no=[".*no panic.*"])

    def test_registers_fill_their_region_but_no_more(self):
        self.assert_lines(self.run_kernel("selftest=fill_mmio"),
                          ["selftest: registers fill the region up to MMIOLIM"], [".*panic on.*"])
        for name in ("overfill_mmio", "map_almost_everything"):
            self.assert_lines(self.run_kernel("selftest=" + name),
                              [r"kernel panic on CPU 0 at .*: mmio_map_region: no room .*"])

    def test_fault_in_the_kernel_panics(self):
        self.assert_lines(self.run_kernel("selftest=fault_in_kernel"), [
            r"kernel panic on CPU 0 at .*: page fault in the kernel at va 00000000, .*"])

    def test_panic_in_an_environment_without_a_program(self):
        output = self.run_kernel("selftest=panic_in_a_free_environment")
        self.assert_lines(output, [r"kernel panic on CPU 0 at .*: the environment is free",
                                   r"  environment: 00000000 \(\(no program\)\)",
                                   r"  at \w{8}, in no program"], no=["another panic.*"])

    def test_spurious_interrupts_are_counted(self):
        machine = self.boot(" ".join(["selftest=get_spurious_interrupt"] * 3))
        machine.run_to_prompt()
        self.assertIn("spurious interrupts: 3\n", machine.command("kerninfo"))

    def test_unknown_selftest_is_named(self):
        output = self.run_kernel("selftest=nothing selftest= hello")
        self.assert_lines(output, ["command line: 'selftest=nothing' has no such value",
                                   "command line: 'selftest=' has no such value",
                                   "hello, world"])
