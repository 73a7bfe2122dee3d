"""The programs of lab 4 and others, each on 1, 2, 4 and 8 CPUs: their output, and that all
environments are freed."""

import re

from tests.support import ICOUNT, KernelTest, run_gdb
from tools.build.elffile import read_elf

CPU_COUNTS = (1, 2, 4, 8)
HEX = "[0-9a-f]"
BEGUN = r"\[00000000\] new env 00001000"
END = "No runnable environments in the system!"
KERNBASE = 0xF0000000


def exits(env):
    return [r"\[%s\] exiting gracefully" % env, r"\[%s\] free env %s" % (env, env)]


def killed(va):
    return [r"\[00001000\] user_mem_check assertion failure for va " + va,
            r"\[00001000\] free env 00001000"]


def page_fault(err):
    """The lines of a fault at address 0 without a handler."""
    return [r"\[00001000\] user fault va 00000000 ip 008%s{5}" % HEX,
            r"TRAP frame at 0xf%s{7} from CPU \d" % HEX, "  trap 0x0000000e Page Fault",
            r"  err  0x%08x \[user, (read|write), not-present\]" % err,
            r"\[00001000\] free env 00001000"]


def recovers(what, count, trap):
    """Three environments recover from exceptions; a fourth has no handler and is destroyed before
    the last one recovers."""
    line = r"\[%%s\] recovered from %d %s" % (count, what)
    return [line % "00001000", line % "00001001", *exits("00001001"),
            r"TRAP frame at 0xf%s{7} from CPU \d" % HEX, "  trap 0x%08x .*" % trap,
            r"\[%s{8}\] free env 00002001" % HEX, line % "00001000", *exits("00001000")]


def pingpong_lines(line):
    """The lines of both environments. `line` has the receiver, the count and the sender."""
    return ["send 0 from 1000 to 1001",
            *(line % (0x1000 + (n + 1) % 2, n, 0x1000 + n % 2) for n in range(11))]


# Lines that must be printed in this order. Lines of environments that run at the same time are in
# UNORDERED_LINES.
LINES = {
    "forkstack": [r"forkstack: [1-9]\d\d forks",
                  "forkstack: parent and child have copies of the pages near fork's frame"],
    "restarts": ["restarts: 500 stops, and no instruction was lost", *exits("00001000")],
    "gone": ["gone: 500 rounds"],
    "yield": [r"Hello, I am environment 00001000\.",
              *(r"Back in environment 00001000, iteration %d\." % i for i in range(5)),
              r"All done in environment 00001000\.", *exits("00001000")],
    "dumbfork": [r"\[00001000\] new env 00001001", *("%d: I am the parent!" % i for i in range(10)),
                 *exits("00001000")],
    "faultread": page_fault(4),
    "faultwrite": page_fault(6),
    "faultdie": ["i faulted at va deadbeef, err 6", *exits("00001000")],
    "faultregs": ["Registers in UTrapframe OK", "Registers after page-fault OK",
                  *exits("00001000")],
    "faultalloc": ["fault deadbeef", "this string was faulted in at deadbeef",
                   "fault cafebffe", "fault cafec000",
                   "this string was faulted in at cafebffe", *exits("00001000")],
    "faultallocbad": killed("deadbeef"),
    "faultnostack": killed("eebfff.."),
    "faultrostack": killed("eebfff.."),
    "faultbadhandler": killed("deadbeef"),
    "faultevilhandler": killed("f0100020"),
    "faultoverflow": killed("eebfe..."),
    "spin": [r"I am the parent\.  Forking the child\.\.\.",
             r"\[00001000\] new env 00001001", r"I am the child\.  Spinning\.\.\.",
             r"I am the parent\.  Killing the child\.\.\.",
             r"\[00001000\] destroying 00001001", *exits("00001000")],
    "sendpage": [r"\[00001000\] new env 00001001",
                 r"1000 got message: hello child environment! how are you\?",
                 "child received correct message",
                 r"1001 got message: hello parent environment! I'm good\.",
                 "parent received correct message"],
    "pingpong": pingpong_lines("%x got %d from %x"),
    "pingpongs": pingpong_lines(r"%x got %d from %x \(thisenv is 0xeec[0-9a-f]{5} 100.\)"),
    "forkpages": ["forkpages: fork: ok"],
    "sforks": ["sforks: ok", *exits("00001000")],
    "faultanywhere": ["faultanywhere: ok", *exits("00001000")],
    "primeslast": ["primeslast: 1024 environments, up to prime 8147, then: out of environments",
                   "primeslast: all are gone", *exits("00001000")],
    "preempt": ["preempt: all environments ran beside 10 endless loops",
                "preempt: no register has changed", *exits("00001000")],
    "fairness": ["fairness: 4 environments sent, each in its turn", *exits("00001000")],
    "ipcorder": ["ipcorder: received from 8 senders in order",
                 "ipcorder: 5 destroyed senders left the queue in order",
                 "ipcorder: senders that were made runnable left the queue in order",
                 "ipcorder: senders whose page was unmapped got an error",
                 "ipcorder: the senders to a receiver that was destroyed running got an error",
                 "ipcorder: the senders to a receiver that was destroyed asleep got an error",
                 "ipcorder: ok", *exits("00001000")],
    "ipccall": ["ipccall: 1000 questions were answered", "ipccall: 6 callers got their answers",
                "ipccall: 6 callers in a row got their answers", "ipccall: ok",
                *exits("00001000")],
    "sysenter": ["sysenter: ok", *exits("00001000")],
    "forkfail": [r"forkfail: fork failed with 0 to \d+ pages, and then succeeded",
                 r"forkfail: fork_batched failed with 0 to \d+ pages, and then succeeded",
                 r"forkfail: sfork failed with 0 to \d+ pages, and then succeeded",
                 "forkfail: fork and sfork failed with 1024 environments",
                 "forkfail: ok", *exits("00001000")],
    "floats": [r"\[00001000\] floats: began with clean registers",
               "floats: fork copied the registers",
               "floats: 8 environments computed what each had computed alone",
               "floats: exceptions were handled", *exits("00001000")],
    "segments": ["segments: ok", *exits("00001000")],
    "fppending": ["fppending: ok", *exits("00001000")],
    "divrecover": recovers("divide errors", 1001, 0),
    "illrecover": recovers("invalid opcodes", 1000, 6),
    "gprecover": recovers("general protection faults", 1400, 13),
    "stress": [r"stress: seed [1-9]\d*, [1-9]\d* forks, [1-9]\d* messages, [1-9]\d* destroyed: ok",
               *exits("00001000")],
    "shootdown": ["shootdown: 1000 rounds, with the writer on (another|the same) CPU: ok",
                  *exits("00001000")],
    "stopped": ["stopped: a receiver stayed stopped, and got its message",
                "stopped: a sender stayed stopped, and its message was taken",
                *["stopped: stopped children ended with their parent"] * 2,
                "stopped: ok", *exits("00001000")],
    "useall": [r"useall: \d{3} names", *exits("00001000")],
}

PATHS = ["", "0", "1", "00", "01", "10", "11",
         "000", "001", "010", "011", "100", "101", "110", "111"]

# Lines that must be printed, in any order.
UNORDERED_LINES = {
    "dumbfork": [*("%d: I am the child!" % i for i in range(20)), *exits("00001001")],
    "forktree": ["%s{4}: I am '%s'" % (HEX, path) for path in PATHS],
    "stresssched": [*(r"\[%08x\] stresssched on CPU \d" % (0x1001 + i) for i in range(20)),
                    *exits("00001000")],
    "primes": ["primes: no environment for the prime after 8147: out of environments",
               *exits("00001000"), *exits("000013ff")],
    "spin": [r"I am the parent\.  Running the child\.\.\."],
    "sendpage": [*exits("00001000"), *exits("00001001")],
    "pingpong": [*exits("00001000"), *exits("00001001")],
    "forkpages": [*exits("00001000")],
    "pingpongs": [r"i am 00001000; thisenv is 0xeec00000", *exits("00001000"),
                  *exits("00001001")],
}

NEVER = [".*panic.*", ".*MISMATCH.*"]


def first_primes(count):
    primes = []
    n = 2
    while len(primes) < count:
        if all(n % p for p in primes if p * p <= n):
            primes.append(n)
        n += 1
    return primes


class Lab4Test(KernelTest):
    def check(self, name, cpus):
        """Run a program alone. All environments that it creates must be freed."""
        output = self.run_kernel("stresssched,%d" % cpus if name == "stresssched" else name,
                                 cpus=cpus)
        self.assert_in_order(output, [BEGUN, *LINES.get(name, []), END])
        self.assert_lines(output, UNORDERED_LINES.get(name, []), no=NEVER)
        created = re.findall(r"\[%s{8}\] new env (%s{8})" % (HEX, HEX), output)
        freed = re.findall(r"\[%s{8}\] free env (%s{8})" % (HEX, HEX), output)
        self.assertEqual(len(set(created)), len(created), "an id was given twice")
        self.assertEqual(sorted(created), sorted(freed))
        more = getattr(self, "check_" + name, None)
        if more:
            more(output, cpus)

    def check_forktree(self, output, cpus):
        nodes = re.findall(r"(?m)^(%s{4}): I am '([01]*)'$" % HEX, output)
        self.assertEqual(sorted(path for _, path in nodes), sorted(PATHS))
        self.assertEqual(len({env for env, _ in nodes}), len(nodes))
        if cpus == 1:  # With more CPUs, all nodes may exist at the same time.
            self.assertTrue(any(env >= "2000" for env, _ in nodes), "no slot was used again")

    def check_stresssched(self, output, cpus):
        used = re.findall(r"(?m)^\[0000....\] stresssched on CPU (\d)$", output)
        self.assertEqual(len(used), 20)
        self.assertEqual(set(used), set(map(str, range(cpus))))

    def check_primes(self, output, cpus):
        found = re.findall(r"(?m)^CPU (\d): (\d+) \[(%s{8})\] new env (%s{8})$" % (HEX, HEX),
                           output)
        self.assertTrue(all(int(cpu) < cpus for cpu, *_ in found))
        self.assertEqual([(int(n), int(env, 16), int(child, 16)) for _, n, env, child in found],
                         [(n, 0x1001 + i, 0x1002 + i) for i, n in enumerate(first_primes(1022))])
        self.assertIn((1877, 0x1120), [(int(n), int(env, 16)) for _, n, env, _ in found])

    def check_shootdown(self, output, cpus):
        self.assertIn("on the same CPU" if cpus == 1 else "on another CPU", output)

    def check_fairness(self, output, cpus):
        found = re.search(r"(?m)^fairness: 6 environments computed on (\d) CPU\(s\), (.*)$", output)
        self.assertTrue(found, output)
        self.assertLessEqual(int(found.group(1)), cpus)
        self.assertEqual(found.group(2), "each in its turn" if found.group(1) == "1"
                         else "none was left out")

    # ---- Waking several environments at once ----

    def test_wakeall(self):
        for cpus in (2, 4, 8):
            output = self.run_kernel("wakeall,%d" % cpus, cpus=cpus)
            self.assert_lines(output, [
                "wakeall: %d environments were woken at once, 20 times" % (cpus - 1), END], NEVER)

    # ---- fork_batched instead of fork ----

    def test_fork_batched(self):
        for cpus in CPU_COUNTS:
            for name, line in (("forkpages", "forkpages: fork_batched: ok"),
                               ("forkstack", "forkstack: parent and child have copies of the "
                                             "pages near fork_batched's frame")):
                output = self.run_kernel(name + ",batched", cpus=cpus)
                self.assert_lines(output, [line, *exits("00001000"), END], NEVER)

    # ---- Several programs ----

    def test_three_floats_run_together(self):
        for cpus in CPU_COUNTS:
            output = self.run_kernel("floats floats floats", cpus=cpus)
            self.assert_lines(output, [END, *(
                r"\[0000100%d\] floats: began with clean registers" % i for i in range(3))], NEVER)
            for line in LINES["floats"][1:4]:
                self.assertEqual(output.count(line + "\n"), 3)

    def test_two_segments_run_together(self):
        # The second program starts when the first has loaded some of its segment registers.
        for cpus in CPU_COUNTS:
            output = self.run_kernel("segments segments", cpus=cpus)
            self.assert_lines(output, [END], NEVER)
            self.assertEqual(output.count("segments: ok\n"), 2)

    def test_small_programs_run_together(self):
        names = [name for name in LINES if name.startswith(("fault", "spin", "sendpage", "div",
                                                            "gp", "ill", "pingpong", "useall"))]
        for cpus in CPU_COUNTS:
            output = self.run_kernel(" ".join(names), cpus=cpus)
            self.assert_lines(output, [
                "i faulted at va deadbeef, err 6", "Registers in UTrapframe OK",
                "Registers after page-fault OK", "this string was faulted in at cafebffe",
                "child received correct message", "parent received correct message",
                r"useall: \d+ names", END], NEVER)
            self.assertEqual(len(re.findall("recovered from", output)), 9)
            self.assertEqual(len(re.findall("got 10 from", output)), 2)
            self.assertEqual(len(re.findall(r"\] new env", output)),
                             len(re.findall(r"\] free env", output)))

    # ---- Waiting for a key ----

    def wait_until_halted(self, machine):
        """Wait until an environment waits for a key and all CPUs are halted. (Halted CPUs alone are
        not enough: a CPU that waits for the lock may be halted, too.)"""
        readers = read_elf(self.kernel()).symbol("cons_readers").value - KERNBASE
        machine.wait_until(lambda: any(machine.physical_memory(readers, 4)),
                           "an environment to wait for a key")
        machine.wait_until(
            lambda: set(re.findall(r"HLT=(\d)", machine.monitor("info registers -a"))) == {"1"},
            "all CPUs to be halted")

    def check_key(self, press, cpus):
        machine = self.boot("cgetc", cpus=cpus)
        machine.wait_for(r"\[00001000\] waiting for a key")
        self.wait_until_halted(machine)
        press(machine)
        output = machine.run_to_prompt().replace("\r", "")
        found = re.search(r"(?m)^\[00001000\] got 'x', env_runs went from (\d+) to (\d+)$", output)
        self.assertTrue(found, output)
        # Once to get the key, and perhaps again if a time slice ended before it waited.
        self.assertIn(int(found.group(2)) - int(found.group(1)), range(1, 5))
        self.assert_in_order(output, [BEGUN, *exits("00001000"), END])

    def test_cgetc_sleeps_until_a_byte_arrives(self):
        for cpus in CPU_COUNTS:
            self.check_key(lambda machine: machine.send("x"), cpus)

    def test_cgetc_sleeps_until_a_key_is_pressed(self):
        for cpus in CPU_COUNTS:
            self.check_key(lambda machine: machine.type_keys("x"), cpus)

    def test_cgetc_lets_others_run(self):
        for cpus in CPU_COUNTS:
            machine = self.boot("cgetc yield", cpus=cpus)
            machine.wait_for(r"\[00001000\] waiting for a key")
            machine.wait_for(r"\[00001001\] free env 00001001")
            self.wait_until_halted(machine)
            self.assertNotIn(END, machine.output)
            machine.send("x")
            self.assert_lines(machine.run_to_prompt(), [r"\[00001000\] got 'x', .*", END])

    def store_key(self):
        """GDB's commands that put a key into the input buffer, as the key's interrupt would."""
        size = "(sizeof(input.keys) / sizeof(input.keys[0]))"
        return ["set var input.keys[input.wpos % " + size + "] = 'x'",
                "set var input.wpos = input.wpos + 1"]

    def test_key_stored_while_a_cpu_waited_for_the_lock_wakes(self):
        # The interrupt only stores the key. The next sched_yield must wake the reader, without
        # another interrupt. GDB stores the key while hello runs.
        machine = self.boot("cgetc hello", args=ICOUNT, gdb=True)
        said = run_gdb(machine, "break sys_env_destroy", "continue", "delete",
                       "print cons_readers.head == &envs[0]", *self.store_key(),
                       "break timer_stop", "continue", "print cons_readers.head == 0",
                       "delete", "detach")
        self.assertIn("$1 = 1\n", said)
        self.assertIn("$2 = 1\n", said)
        self.assert_lines(machine.run_to_prompt(), [r"\[00001000\] got 'x', .*", END])

    def test_key_stored_as_the_reader_went_to_sleep_wakes(self):
        machine = self.boot("cgetc", args=ICOUNT, gdb=True)
        run_gdb(machine, "break wait_in", "continue", *self.store_key(), "delete", "detach")
        self.assert_lines(machine.run_to_prompt(), [r"\[00001000\] got 'x', .*", END])

    def test_cgetc_reads_many_keys(self):
        for cpus in CPU_COUNTS:
            machine = self.boot("cgetcmany yield yield", cpus=cpus)
            machine.wait_for("reading")
            machine.send("abcdefghij" * 500 + "q")
            self.assert_lines(machine.run_to_prompt(), ["read 5000 characters"])

    def test_cgetc_gives_each_reader_one_key(self):
        for cpus in CPU_COUNTS:
            machine = self.boot("cgetc cgetc cgetc", cpus=cpus)
            for i in range(3):
                machine.wait_for(r"\[0000100%d\] waiting for a key" % i)
            self.wait_until_halted(machine)
            machine.send("abc")
            keys = re.findall(r"\[0000100\d\] got '(.)'", machine.run_to_prompt())
            self.assertEqual(sorted(keys), ["a", "b", "c"])


def add_tests():
    for name in {**LINES, **UNORDERED_LINES}:
        for cpus in CPU_COUNTS:
            def test(self, name=name, cpus=cpus):
                self.check(name, cpus)
            setattr(Lab4Test, "test_%s_%d" % (name, cpus), test)


add_tests()
