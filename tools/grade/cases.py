"""What a grade consists of: parts, tests that give points, and further checks that cost points."""

import re

LIMIT_SECONDS = 60
ICOUNT = ["-icount", "shift=0,sleep=off"]  # The machine's clock counts instructions.


def repeat_command(cmdline, cpus):
    """The command that repeats a run on the terminal."""
    if re.fullmatch(r"[\w.+-]+", cmdline):
        return "make run-%s-nox CPUS=%d" % (cmdline, cpus)
    return "make qemu-nox CPUS=%d CMDLINE='%s'" % (cpus, cmdline)


class Test:
    """Run user program `name`. The test gives `points` if the program prints all of `lines` and
    none of `no`. Lines that depend on the number of CPUs are given as a function: cpus -> lines."""

    shown = True  # Show the test in the report even if it passes
    panics = False
    memory = 128
    types = ()
    look = None
    exercise = None
    cost = 0

    def __init__(self, name, points, lines, no=(), cpus=1, limit=LIMIT_SECONDS, enough=False):
        self.name = name
        self.points = points
        self._lines = lines
        self.no = no
        self.cpus = cpus
        self.limit = limit
        self.enough = enough

    def lines(self, cpus):
        """The lines that must be printed on a machine with this number of CPUs."""
        return self._lines(cpus) if callable(self._lines) else self._lines

    def runs(self):
        """The machines to start: (command line, number of CPUs, options of QEMU)."""
        return [(self.name, self.cpus, [])]

    def repeat(self):
        """The command that repeats the first run on the terminal."""
        return repeat_command(*self.runs()[0][:2])

    def explain(self, complaint):
        """The complaint as the report shows it."""
        return complaint


class Check(Test):
    """A further check: run programs, each on each of these numbers of CPUs.

    name      of the check; also of the program, if `run` does not give the command line, or several
              command lines in a list
    exercise  the number of the exercise
    says      a sentence: what a right kernel does
    where     where to look for the mistake: "sys_page_alloc in kern/syscall.c"
    lines     lines that must be printed; `no`: lines that must not be printed
    cost      points that a failure costs
    repeats   on one CPU, make all runs equal: the machine's clock counts instructions
    panics    the kernel or the program panics at the end, so there is no audit
    memory    of the machine, in MiB
    options   more options of QEMU
    types     [(line, text)]: when the line has been printed, type the text on the serial line
    look      a function that looks into the machine at the end: look(machine, kernel, cpus) returns
              a list of complaints (inspect.py)
    """

    shown = False

    def __init__(self, name, exercise, says, where, lines=(), no=(), cost=1, run=None, cpus=(1,),
                 repeats=False, panics=False, memory=128, types=(), look=None, options=()):
        super().__init__(name, 0, lines, no)
        self.exercise = exercise
        self.cost = cost
        self.panics = panics
        self.memory = memory
        self.types = types
        self.look = look
        self._says = says
        self._where = where
        self._lines_to_run = [name] if run is None else [run] if isinstance(run, str) else run
        self._cpus = cpus
        self._repeats = repeats
        self._options = list(options)

    def runs(self):
        return [(line, cpus,
                 self._options + (ICOUNT if self._repeats and cpus == 1 else []))
                for line in self._lines_to_run for cpus in self._cpus]

    def explain(self, complaint):
        return "%s\n%s\nExercise %d: look at %s" % (
            self._says, complaint, self.exercise, self._where)


class Part:
    """A part of the lab, named by a letter, with its tests and further checks."""

    def __init__(self, letter, tests, checks=()):
        self.letter = letter
        self.tests = tests
        self.checks = list(checks)

    def all(self):
        return [*self.tests, *self.checks]


class Outcome:
    """The result of a test. `complaint` is None if the test passed."""

    def __init__(self, complaint, output, seconds):
        self.complaint = complaint
        self.output = output
        self.seconds = seconds
