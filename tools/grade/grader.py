"""Runs the tests of a grade, each on a machine of its own, and checks what they print."""

import re
import threading
import time

from tools.grade.cases import Check, Outcome, repeat_command
from tools.grade.likely import guess
from tools.grade.scratch import AnswerTree
from tools.grade.watch import Kernel, Watch
from tools.run.child import ChildError, last_lines
from tools.run.machine import PROMPT, Machine

# How long a program may print nothing, in seconds. After some programs that hung, the others get
# less time.
QUIET_SECONDS = 15
HANGS, QUIET_AFTER_HANGS = 2, 6

MAX_CHECKS = 6  # Failed checks of a program that a message shows

# inc/error.h
ERRORS = {"-%d" % (i + 1): "-E_" + name for i, name in enumerate(
    "UNSPECIFIED BAD_ENV INVAL NO_MEM NO_FREE_ENV FAULT IPC_NOT_RECV EOF".split())}


def match(output, lines, no=()):
    """Compare an output with `lines` and `no`. Return the errors as a list of lines."""
    printed = output.replace("\r", "").split("\n")
    complaints = ["missing: " + regex for regex in lines
                  if not any(re.fullmatch(regex, line) for line in printed)]
    complaints += ["must not appear: " + line for line in printed
                   if any(re.fullmatch(regex, line) for regex in no)]
    return complaints


def check_end(output):
    """Check how a run ended; return the errors as a list of lines. The kernel must not have
    panicked. If it printed its prompt, the last audit must be balanced, and later than the last
    new or freed environment."""
    text = output.replace("\r", "")
    complaints = re.findall(r"(?m)^(?:kernel panic|audit: (?!.* balanced$)).*", text)
    events = re.findall(r"(?m)^audit: .* balanced$|\] (?:new|free) env ", text)
    if re.search(PROMPT, text) and not (events and events[-1].startswith("audit")):
        complaints.append("missing at the end: audit: ... balanced")
    return complaints


def failed_checks(output):
    """The checks that failed, as the programs with user/conform/conform.h print them. An error's
    number is replaced by its name."""
    found = re.findall(r"(?m)^\w+: \d+: expected (-?\d+) \((\w+)\), got (-?\d+) \((\w+)\): (.*)$",
                       output.replace("\r", ""))
    lines = []
    for expected, expected_hex, got, got_hex, what in found[:MAX_CHECKS]:
        if expected in ERRORS or "sys_" in what and got in ERRORS:
            expected, got = ERRORS.get(expected, expected), ERRORS.get(got, got)
        elif len(expected) > 4 or len(got) > 4:
            expected, got = "0x" + expected_hex, "0x" + got_hex
        lines.append("expected %s, got %s: %s" % (expected, got, what))
    if len(found) > MAX_CHECKS:
        lines.append("and %d more" % (len(found) - MAX_CHECKS))
    return lines


def run_until_seen(watch, machine, lines):
    """Wait until all of `lines` have been printed, or the prompt. Return the output up to this
    point."""
    end = 0
    for regex in lines:
        found = watch.wait_for(r"(?m:^(?:%s)\r?\n)|%s" % (regex, PROMPT))
        end = max(end, found.end())
        if re.match(PROMPT, found.group()):
            break
    return machine.output[:end]


class Grader:
    """Runs tests on the kernel of a tree. Thread-safe."""

    def __init__(self, tree):
        self.tree = tree
        self.kernel = Kernel(tree.obj("kern", "kernel"))
        self._hangs = 0
        self._boots = True
        self._machine_started = False
        self._lock = threading.Lock()

    def boot(self):
        """Boot without a program. If the kernel does not boot, return a complaint, and run no test
        from now on. (If no machine can be started, the tests say why.)"""
        complaint, output = self._run_once(Check("boot", 0, "", ""), "", 1, [])
        ended_well = re.search(PROMPT, output) and "kernel panic" not in output
        self._boots = bool(ended_well or not self._machine_started)
        return None if self._boots else complaint

    def run(self, test):
        """Run a test; return its Outcome."""
        if not self._boots:
            return Outcome("not run, because the kernel does not boot", "", 0)
        started = time.monotonic()
        complaint, output = None, ""
        for cmdline, cpus, options in test.runs():
            complaint, output = self._run_once(test, cmdline, cpus, options)
            if complaint:
                complaint = test.explain(complaint)
                if cmdline:
                    complaint += "\nrun it again: " + repeat_command(cmdline, cpus)
                break
        return Outcome(complaint, output, time.monotonic() - started)

    def _start(self, cmdline, **options):
        """Start a machine with this command line."""
        if isinstance(self.tree, AnswerTree):
            return self.tree.machine(cmdline, **options)
        return Machine(self.tree.qemu(), disk=self.tree.disk_image(cmdline), **options)

    def _run_once(self, test, cmdline, cpus, options):
        """Run a test on one machine; return (complaint or None, output)."""
        quiet = QUIET_AFTER_HANGS if self._hangs >= HANGS else QUIET_SECONDS
        output, watch, sealed = "", None, isinstance(self.tree, AnswerTree)
        try:
            with self._start(cmdline, cpus=cpus, args=options, memory=test.memory,
                             limit=test.limit) as machine:
                self._machine_started = True
                watch = Watch(machine, self.kernel, quiet, test.limit)
                try:
                    for line, text in test.types:
                        watch.wait_for(line)
                        machine.send(text)
                    if test.enough:
                        output = run_until_seen(watch, machine, test.lines(cpus))
                    else:
                        output = watch.run_to_prompt()
                except ChildError:
                    output = machine.output
                    raise
                seen = test.look(machine, self.kernel, cpus) if test.look else []
                proof = self.tree.verify(machine, test) if sealed else []
            complaints = failed_checks(output) + seen
            show_output = not complaints
            if not complaints:
                complaints = match(output, test.lines(cpus), test.no)
            if not test.panics:
                complaints += check_end(output)
            complaints += proof
            if complaints and show_output:
                complaints += ["last lines of output:", last_lines(output)]
        except ChildError as e:
            complaints = [str(e)]
        if not complaints:
            return None, output
        with self._lock:
            self._hangs += bool(watch and watch.state)
        hint = None if test.panics else guess(output, watch and watch.state, cpus)
        return with_hint("\n".join(complaints), hint), output


def with_hint(complaint, hint):
    """Add a hint to a complaint, before the output that the complaint shows."""
    if not hint:
        return complaint
    found = re.search(r"(?m)^ *last lines of output:$", complaint)
    at = found.start() if found else len(complaint) + 1
    return "\n".join(filter(None, [complaint[:at].rstrip("\n"), "likely: " + hint, complaint[at:]]))
