"""The programs of user/challenge/, and the kernel with stride scheduling (`make DEFS=-DSTRIDE`)."""

import re
from fractions import Fraction

from tests.support import ICOUNT, TREE, KernelTest

TERMS = 13
MATRIX = [[1, 2, 3], [4, 5, 6], [7, 8, 10]]
STEPS = 10000000
CLOCK = ["-icount", "shift=4,sleep=off"]  # A time slice is 625,000 instructions.


def factorial(n):
    return n * factorial(n - 1) if n else 1


def exp(n):
    return Fraction(1, factorial(n))


def sin(n):
    return n % 2 * (-1) ** (n // 2) * exp(n)


def cos(n):
    return (n + 1) % 2 * (-1) ** (n // 2) * exp(n)


def tan():
    """The coefficients of sin / cos: tan * cos = sin."""
    found = []
    for n in range(TERMS):
        found.append(sin(n) - sum(found[k] * cos(n - k) for k in range(n)))
    return found


def last_value():
    """What user/challenge/checkpoint.c computes: STEPS times value * a + c, from 1 on."""
    a, c = 1664525, 1013904223
    value, step = 1, STEPS
    while step:  # value * a + c is applied once for each 1 in step, and is then applied to itself.
        if step & 1:
            value = (value * a + c) % 2 ** 32
        a, c, step = a * a % 2 ** 32, (a * c + c) % 2 ** 32, step // 2
    return value


def turns(output, tickets=(10, 20, 30, 40)):
    """What user/challenge/tickets.c prints: the turns of each child; those after the sleep."""
    found = re.findall(r"(?m)^tickets: (\d+) tickets: (\d+) turns, \d+ loops$", output)
    if [int(n) for n, _ in found] != list(tickets):
        raise AssertionError(output)
    after = re.search(r"(?m)^tickets: (\d+) turns of the others during 10 of the parent$", output)
    return [int(n) for _, n in found], int(after[1])


class ProgramsTest(KernelTest):
    def run_program(self, name, cpus, clock=ICOUNT):
        """Run a program until it ends. All of its environments must have been freed."""
        output = self.run_kernel(name, cpus=cpus, args=clock if cpus == 1 else [])
        self.assert_lines(output, [r"audit: \d+ pages, 0 environments, balanced"],
                          no=["kernel panic.*", ".*user panic.*"])
        return output

    def check_matmul(self, cpus):
        output = self.run_program("matmul", cpus)
        number = r"(-?\d+)"
        rows = re.findall(r"(?m)^matmul: \(%s\) times the matrix is \(%s\)$"
                          % ((" ".join([number] * 3),) * 2), output)
        self.assertEqual(len(rows), 8)
        for row in rows:
            vector, product = list(map(int, row[:3])), list(map(int, row[3:]))
            self.assertEqual(product, [sum(x * line[i] for x, line in zip(vector, MATRIX))
                                       for i in range(3)])
        self.assertEqual(len(set(rows)), 8)
        self.assert_lines(output, ["matmul: 8 vectors, all products are right"])

    def test_matmul_1(self):
        self.check_matmul(1)

    def test_matmul_4(self):
        self.check_matmul(4)

    def check_power(self, cpus):
        output = self.run_program("power,%d" % TERMS, cpus)
        for name, series in (("exp", map(exp, range(TERMS))), ("sin", map(sin, range(TERMS))),
                             ("cos", map(cos, range(TERMS))), ("tan", tan()),
                             ("sin^2 + cos^2", [1] + [0] * (TERMS - 1))):
            line = "power: %s: %s" % (name, " ".join(map(str, series)))
            self.assertIn("\n%s\n" % line, output)
        self.assert_lines(output, ["power: done"])

    def test_power_1(self):
        self.check_power(1)

    def test_power_4(self):
        self.check_power(4)

    def test_power_refuses_other_numbers_of_terms(self):
        for argument in ("0", "14", "x"):
            output = self.run_program("power," + argument, 1)
            self.assert_lines(output, ["power: the number of coefficients must be 1 to 13"])

    def check_checkpoint(self, cpus):
        output = self.run_program("checkpoint", cpus)
        self.assert_in_order(output, [
            r"checkpoint: 00001001 is saved: eip 0080[0-9a-f]{4}, \d+ pages",
            r"\[00001000\] destroying 00001001", "checkpoint: ok"])
        found = re.findall(r"(?m)^checkpoint: (\w+) has computed (\w+)$", output)
        self.assertEqual([value for _, value in found], ["%08x" % last_value()] * 2)
        self.assertEqual(len({envid for envid, _ in found} - {"00001001"}), 2)

    def test_checkpoint_1(self):
        self.check_checkpoint(1)

    def test_checkpoint_4(self):
        self.check_checkpoint(4)

    def test_round_robin_ignores_tickets(self):
        counts, after = turns(self.run_program("tickets", 1, CLOCK))
        self.assertLessEqual(max(counts) - min(counts), 1)
        self.assertIn(after, range(29, 32))


class StrideTest(KernelTest):
    slow = True

    @classmethod
    def setUpClass(cls):
        cls.tree = TREE.copy(["DEFS=-DSTRIDE"])
        cls.addClassCleanup(cls.tree.remove)
        cls.tree.make("WERROR=1")

    def run_stride(self, cmdline, **options):
        machine = self.start(disk=self.tree.disk_image(cmdline), **options)
        output = machine.run_to_prompt().replace("\r", "")
        machine.stop()
        return output

    def test_turns_are_in_proportion_to_tickets(self):
        counts, _ = turns(self.run_stride("tickets", args=CLOCK))
        for count, share in zip(counts, (20, 40, 60, 80)):
            self.assertIn(count, range(share - 1, share + 3), counts)

    def test_environment_that_wakes_up_gets_no_more_than_its_share(self):
        # 10 turns with 10 tickets, while the three others have 20, 30 and 40.
        _, after = turns(self.run_stride("tickets", args=CLOCK))
        self.assertIn(after, range(86, 94))

    def test_tickets_are_not_inherited_with_the_slot(self):
        machine = self.start(disk=self.tree.disk_image("tickets"), args=CLOCK)
        turns(machine.run_to_prompt().replace("\r", ""))
        counts, _ = turns(machine.command("run tickets,equal"), [10] * 4)
        self.assertLessEqual(max(counts) - min(counts), 2)

    def test_each_environment_gets_turns(self):
        for cpus in (1, 4):
            output = self.run_stride("yield yield yield", cpus=cpus,
                                     args=ICOUNT if cpus == 1 else [])
            self.assertEqual(len(re.findall("(?m)^All done in environment", output)), 3)

    def test_messages_and_ends(self):
        for program in ("pingpongs", "forktree", "power"):
            output = self.run_stride(program, cpus=4)
            self.assert_lines(output, [r"audit: \d+ pages, 0 environments, balanced"])
