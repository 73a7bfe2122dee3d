#!/usr/bin/env python3
"""Run the README's two set-up lines in new Debian systems. A tool for maintainers.

    distro.py [--folder DIR] [--tests "NAME..."] SUITE...        (SUITE: bookworm, trixie, sid, ...)

Needs root, debootstrap and unshare. For each suite, debootstrap makes a minimal system in DIR/SUITE
(default: in a temporary folder). Root gets a clone of this checkout's HEAD, and a user without sudo
a copy without history. The lines of README.md that begin with conf/setup then run in this system:

1. As the user: the first line must fail and say which packages are missing.
2. As root: both lines must install the packages and succeed.
3. As the user again: both lines must succeed.

The system has /proc, /dev/pts and /dev/shm, mounted in a separate mount namespace, so that no mount
remains after the tool ends. Packages come from the mirror that this computer's apt uses.

The tool prints a table with a row for each suite; DIR/SUITE.log has all output. The exit status is
0 if all lines succeeded in all suites.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import ROOT
from tools.run.child import Child, ChildError, last_lines
from tools.run.machine import PROMPT
from tools.run.tool import ToolError, make_folder, remove_folder, run_tool

LEAVE_QEMU = "\001x"  # Ctrl-a x
SETUP_SECONDS = 3600
CHECK_SECONDS = 6 * 3600
USER = "student"

# Environment variables that the download of packages may need.
NETWORK = ("http_proxy", "https_proxy", "no_proxy")

# Run "$@" in the system at $0. The mounts disappear when its processes have ended.
ENTER = """
mount -t proc proc "$0/proc" &&
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$0/dev/pts" &&
mount -t tmpfs tmpfs "$0/dev/shm" &&
exec chroot "$0" "$@"
"""

VERSIONS = {
    "version": "cat /etc/debian_version",
    "gcc": "gcc -dumpfullversion",
    "clang": "clang -dumpversion",
    "QEMU": "qemu-system-i386 --version | sed -n '1s/.*version \\([0-9.]*\\).*/\\1/p'",
    "Bochs": "dpkg-query -Wf '${Version}' bochs | sed 's/[+-].*//'",
    "make": "make --version | sed -n '1s/.* //p'",
    "Python": "python3 --version | sed 's/.* //'",
}


def run(*command):
    """Run a command on this computer; return its output."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise ToolError("%s is not installed" % command[0]) from None
    if done.returncode:
        raise ToolError("%s failed:\n%s" % (" ".join(command), last_lines(
            done.stdout + done.stderr)))
    return done.stdout


def mirror():
    """The address from which this computer's apt gets Debian's packages."""
    for line in run("apt-get", "indextargets", "--format", "$(LABEL)\t$(SITE)").split("\n"):
        label, _, site = line.partition("\t")
        if label == "Debian":
            return site
    raise ToolError("apt has no source for Debian's packages")


def readme_lines():
    """The two lines of README.md: set up and run, set up and test."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        lines = re.findall(r"(?m)^    (conf/setup .*)$", f.read())
    if len(lines) != 2 or "qemu-nox" not in lines[0] or "make check" not in lines[1]:
        raise ToolError("README.md does not have two lines that begin with conf/setup")
    return lines


class System:
    """A new Debian system in a folder."""

    def __init__(self, suite, folder):
        self.suite = suite
        self.root = os.path.join(folder, suite)
        self.log = open(os.path.join(folder, suite + ".log"), "w", encoding="utf-8")

    def progress(self, text):
        """Print a line, also to the log."""
        print("+ %s: %s" % (self.suite, text), file=sys.stderr, flush=True)
        self.log.write("+ %s\n" % text)
        self.log.flush()

    def make(self):
        """Make the system, with this computer's settings for apt, the user, and the checkouts."""
        if not os.path.exists(os.path.join(self.root, "etc", "debian_version")):
            self.progress("debootstrap")
            self.log.write(run("debootstrap", "--variant=minbase", self.suite, self.root, mirror()))
        settings = [line for line in run("apt-config", "dump").split("\n")
                    if re.match(r"Acquire::(?!IndexTargets|Languages)", line)]
        self.write("etc/apt/apt.conf.d/00host", "\n".join(settings) + "\n")
        with open("/etc/resolv.conf", encoding="utf-8") as f:
            self.write("etc/resolv.conf", f.read())
        if self.text("id -u %s 2>/dev/null || true" % USER) == "":
            self.text("useradd -m -s /bin/sh " + USER)
        self.put_tree()

    def put_tree(self):
        """Put a clone into root's home, and a copy without history into the user's."""
        for home in ("root", "home/" + USER):
            remove_folder(os.path.join(self.root, home, "jos"))
        tree = os.path.join(self.root, "root", "jos")
        run("git", "clone", "-q", "--depth", "1", "file://" + ROOT, tree)
        self.text("cp -r /root/jos /home/{0}/ && rm -rf /home/{0}/jos/.git && "
                  "chown -R {0}: /home/{0}/jos".format(USER))

    def write(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as f:
            f.write(text)

    def command(self, line, user):
        """The command, as a list of words, that runs a shell line in the user's home."""
        env = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "TERM=xterm", *("%s=%s" % (v, os.environ[v]) for v in NETWORK if v in os.environ)]
        shell = ["su", "-w", ",".join(NETWORK), "-", user, "-c", line]
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER,
                self.root, *env, *shell]

    def start(self, line, user, limit=SETUP_SECONDS):
        """Start a shell line in the system; return the Child."""
        return Child(self.command(line, user), name=line, limit=limit, merge=True)

    def text(self, line, user="root"):
        """Run a shell line that must succeed; return its output."""
        with self.start(line, user) as child:
            child.end_input()
            status = child.wait_for_end()
        self.log.write("+ %s\n%s" % (line, child.output))
        if status:
            raise ToolError("%s: %s:\n%s" % (self.suite, line, last_lines(child.output)))
        return child.output.strip()

    # ---- The README's lines ----

    def fails_with_hint(self, line, user):
        """True if the line fails and prints the command that root must run."""
        with self.start("cd jos && " + line, user) as child:
            child.end_input()
            status = child.wait_for_end()
        self.log.write(child.output)
        return status != 0 and re.search(r"As root, run: .*apt-get .*install", child.output)

    def run_first_line(self, line, user):
        """Run the first line. Return (True if the kernel printed its prompt and Ctrl-a x ended
        QEMU, output)."""
        self.progress("%s: %s" % (user, line))
        with self.start("cd jos && " + line, user) as child:
            try:
                child.wait_for(PROMPT)
                child.send(LEAVE_QEMU)
                good = child.wait_for_end() == 0
            except ChildError as e:
                self.progress(str(e))
                good = False
            self.log.write(child.output)
            return good, child.output

    def run_second_line(self, line, user, tests):
        """Run the second line. Return (last line of the tests, True if they passed, output)."""
        if tests:
            line += " TESTS=" + shlex.quote(tests)
        self.progress("%s: %s" % (user, line))
        with self.start("cd jos && " + line, user, CHECK_SECONDS) as child:
            child.end_input()
            status = child.wait_for_end()
        self.log.write(child.output)
        found = re.findall(r"(?m)^\d+ passed, .*$", child.output)
        for name in re.findall(r"(?m)^FAIL (\S+)", child.output):
            self.progress("FAIL " + name)
        return (found or ["no test ran"])[-1], status == 0, child.output


def installed(text):
    """What apt installed, from the output of a set-up line."""
    sums = [sum(int(n) for n in re.findall(pattern, text)) for pattern in (
        r"(\d+) newly installed", r"Need to get (\d+) MB", r"operation, (\d+) MB")]
    return "%d packages, %d MB to fetch, %d MB on disk" % tuple(sums) if sums[0] else "nothing"


def try_suite(system, tests):
    """Run the lines; return the cells of the table's row, and True if all lines succeeded."""
    run_line, check_line = readme_lines()
    system.make()
    good = True
    if not os.path.exists(os.path.join(system.root, "usr", "bin", "make")):
        good = bool(system.fails_with_hint(run_line, USER))
    cells = []
    for user in ("root", USER):
        started = time.monotonic()
        up, text = system.run_first_line(run_line, user)
        results, passed, more = system.run_second_line(check_line, user, tests)
        good = good and up and passed
        if user == "root":
            cells += [installed(text), installed(more)]
        cells.append("%s (%.0f min)" % (results, (time.monotonic() - started) / 60))
    versions = {name: system.text(line) for name, line in VERSIONS.items()}
    title = "%s %s" % (system.suite, versions.pop("version"))
    return [title, ", ".join("%s %s" % v for v in versions.items()), *cells], good


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Run the README's set-up lines in new Debian systems.")
    parser.add_argument("suites", nargs="+", metavar="SUITE", help="bookworm, trixie, sid, ...")
    parser.add_argument("--folder", metavar="DIR",
                        help="make the systems here, keep them, and use those of an earlier run")
    parser.add_argument("--tests", default="",
                        help="run only these tests, as in make check TESTS=...")
    args = parser.parse_args()
    if os.getuid() != 0:
        parser.error("only root can make a system")
    return args


def main():
    args = parse_arguments()
    folder = os.path.abspath(args.folder) if args.folder else make_folder("jos-distro-")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    rows, status = [], 0
    try:
        for suite in args.suites:
            row, good = try_suite(System(suite, folder), args.tests)
            rows.append(row)
            status |= not good
    finally:
        if not args.folder:
            remove_folder(folder)
    print("| Debian | tools | line 1 installs | line 2 installs | as root | as a user |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print("| %s |" % " | ".join(row))
    return status


if __name__ == "__main__":
    run_tool(main)
