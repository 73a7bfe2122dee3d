#!/usr/bin/env python3
"""Try the README's two lines in fresh Debian systems. For maintainers; root, debootstrap, unshare.

    distro.py [--folder DIR] [--tests "NAME..."] SUITE...        (SUITE: bookworm, trixie, sid, ...)

For each suite, debootstrap makes a minimal system in DIR/SUITE, or in a temporary folder that is
removed again. A clone of this checkout's HEAD is put there for root, and a copy without its history
for a user who has no sudo. Then the lines of README.md that begin with conf/setup are run in the
new system: the user's first line must say that it lacks packages; root's lines install them; then
the user's lines must work, too. The system has /proc and /dev/pts, in a mount namespace of its own,
so that nothing is left mounted, however this ends. Packages come from where this computer's apt
gets its own.

A row of a table is printed for each suite, and what was printed is in DIR/SUITE.log. The status is 0
only if all lines worked everywhere.
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

# Variables of ours that a program which fetches packages may need.
NETWORK = ("http_proxy", "https_proxy", "no_proxy")

# To run "$@" in the system at $0, with file systems that vanish with its processes.
ENTER = """
mount -t proc proc "$0/proc" &&
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$0/dev/pts" &&
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
    """Run a command of this computer; return what it prints."""
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
    """Where this computer's apt gets Debian's packages."""
    for line in run("apt-get", "indextargets", "--format", "$(LABEL)\t$(SITE)").split("\n"):
        label, _, site = line.partition("\t")
        if label == "Debian":
            return site
    raise ToolError("apt has no source of Debian's packages")


def readme_lines():
    """The two lines of README.md: to set up and run, and to set up and test."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        lines = re.findall(r"(?m)^    (conf/setup .*)$", f.read())
    if len(lines) != 2 or "qemu-nox" not in lines[0] or "make check" not in lines[1]:
        raise ToolError("README.md has not the two lines that begin with conf/setup")
    return lines


class System:
    """A fresh Debian in a folder."""

    def __init__(self, suite, folder):
        self.suite = suite
        self.root = os.path.join(folder, suite)
        self.log = open(os.path.join(folder, suite + ".log"), "w", encoding="utf-8")

    def say(self, text):
        print("+ %s: %s" % (self.suite, text), file=sys.stderr, flush=True)
        self.log.write("+ %s\n" % text)
        self.log.flush()

    def make(self):
        """Make it, with this computer's settings for fetching packages, and a user."""
        if not os.path.exists(os.path.join(self.root, "etc", "debian_version")):
            self.say("debootstrap")
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
        """Give root a clone, and the user a copy without history."""
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
        """The words that run a line of shell in it, in the user's home."""
        env = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "TERM=xterm", *("%s=%s" % (v, os.environ[v]) for v in NETWORK if v in os.environ)]
        shell = ["su", "-w", ",".join(NETWORK), "-", user, "-c", line]
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER,
                self.root, *env, *shell]

    def start(self, line, user, limit=SETUP_SECONDS):
        """Run a line of shell there; return the Child."""
        return Child(self.command(line, user), name=line, limit=limit, merge=True)

    def text(self, line, user="root"):
        """What a line of shell prints, which must succeed."""
        with self.start(line, user) as child:
            child.end_input()
            status = child.wait_for_end()
        self.log.write("+ %s\n%s" % (line, child.output))
        if status:
            raise ToolError("%s: %s:\n%s" % (self.suite, line, last_lines(child.output)))
        return child.output.strip()

    # ---- The README's lines ----

    def refuses(self, line, user):
        """A user without sudo is told what is missing, by a line that names root's command."""
        with self.start("cd jos && " + line, user) as child:
            child.end_input()
            status = child.wait_for_end()
        self.log.write(child.output)
        return status != 0 and re.search(r"As root, run: .*apt-get .*install", child.output)

    def runs(self, line, user):
        """Whether the first line brings the kernel to its prompt, and Ctrl-a x ends it; and what it
        printed."""
        self.say("%s: %s" % (user, line))
        with self.start("cd jos && " + line, user) as child:
            try:
                child.wait_for(PROMPT)
                child.send(LEAVE_QEMU)
                good = child.wait_for_end() == 0
            except ChildError as e:
                self.say(str(e))
                good = False
            self.log.write(child.output)
            return good, child.output

    def checks(self, line, user, tests):
        """The closing line of the second line's tests, whether they passed, and what was printed."""
        if tests:
            line += " TESTS=" + shlex.quote(tests)
        self.say("%s: %s" % (user, line))
        with self.start("cd jos && " + line, user, CHECK_SECONDS) as child:
            child.end_input()
            status = child.wait_for_end()
        self.log.write(child.output)
        found = re.findall(r"(?m)^\d+ passed, .*$", child.output)
        for name in re.findall(r"(?m)^FAIL (\S+)", child.output):
            self.say("FAIL " + name)
        return (found or ["nothing was tested"])[-1], status == 0, child.output


def installed(text):
    """What apt says that it has installed, of a line's output."""
    sums = [sum(int(n) for n in re.findall(pattern, text)) for pattern in (
        r"(\d+) newly installed", r"Need to get (\d+) MB", r"operation, (\d+) MB")]
    return "%d packages, %d MB to fetch, %d MB on disk" % tuple(sums) if sums[0] else "nothing"


def try_suite(system, tests):
    """Run the lines; return the row's cells, and whether all went well."""
    run_line, check_line = readme_lines()
    system.make()
    good = True
    if not os.path.exists(os.path.join(system.root, "usr", "bin", "make")):
        good = bool(system.refuses(run_line, USER))
    cells = []
    for user in ("root", USER):
        started = time.monotonic()
        up, text = system.runs(run_line, user)
        results, passed, more = system.checks(check_line, user, tests)
        good = good and up and passed
        if user == "root":
            cells += [installed(text), installed(more)]
        cells.append("%s (%.0f min)" % (results, (time.monotonic() - started) / 60))
    versions = {name: system.text(line) for name, line in VERSIONS.items()}
    title = "%s %s" % (system.suite, versions.pop("version"))
    return [title, ", ".join("%s %s" % v for v in versions.items()), *cells], good


def parse_arguments():
    parser = argparse.ArgumentParser(description="Try the README's lines in fresh systems.")
    parser.add_argument("suites", nargs="+", metavar="SUITE", help="bookworm, trixie, sid, ...")
    parser.add_argument("--folder", help="keep the systems there, and use those that are there")
    parser.add_argument("--tests", default="", help="only these, as make check TESTS=...")
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
