"""Grade a folder of submissions, several at the same time: tools/grade-class.

Each submission is graded by a `grade-lab4 --answers` of its own, with a tree and a process group of
its own, so nothing that it does reaches the next one. In the output folder:

    results/NAME.json  the result, and digests of what was graded with what
    NAME.html          a page for the student
    NAME/TEST.html     with --timelines: what each CPU did in a failed test
    grades.csv         a row for each student; index.html: the same with links
    base/              the teacher's tree, built once

A submission with an up-to-date result is not graded again. So after an interruption, the same
command goes on where it was stopped.
"""

import argparse
import csv
import io
import json
import os
import re
import shutil
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from tools.grade import studentpage
from tools.grade.answers import ARCHIVES, Submission, SubmissionError
from tools.grade.report import shorten, write_json, write_text
from tools.grade.scratch import Base
from tools.run.buildtree import ROOT
from tools.run.child import Child, ChildError, end_all
from tools.run.tool import SIGNAL_SECONDS, ToolError

LIMIT_SECONDS = 1800  # Of the whole grade of a submission
GRADED, REFUSED, STOPPED = "graded", "not graded", "stopped"


class Student:
    """A submission in the folder: `name` for the files and the table, `path` of the submission."""

    def __init__(self, name, path):
        self.name, self.path = name, path


def find_students(folder):
    """All submissions: each subfolder and each archive, by name. Hidden files are left out."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
    except OSError as e:
        raise ToolError("cannot read %s: %s" % (folder, e.strerror)) from None
    for entry in entries:
        name = entry.name
        if name.startswith(".") or name == "__MACOSX":
            continue
        if not entry.is_dir():
            endings = [end for end in ARCHIVES if name.lower().endswith(end)]
            if not endings:
                print("%s is left out: not a folder, and not an archive" % name)
                continue
            name = name[:-len(endings[0])]
        # A name becomes the name of a file, and of a link.
        name = re.sub(r"[^\w.@+-]", "_", name) or "_"
        if name.lower() in (other.lower() for other in found) or name == "index":
            raise ToolError("two submissions have the same name: %s" % name)
        found[name] = Student(name, entry.path)
    return list(found.values())


class Grader:
    """Grades students with the options of the command line."""

    def __init__(self, args, script, base, possible):
        self.args, self.base, self.possible = args, base, possible
        self._script = script
        self.out = args.output

    def file(self, *names):
        return os.path.join(self.out, *names)

    def key(self, digest):
        """What a result depends on."""
        return [digest, self.base.digest(), sorted(self.args.tests), self.args.timelines,
                self.args.mit]

    def known(self, student, key):
        """The earlier result of a student, if it is up to date."""
        try:
            with open(self.file("results", student.name + ".json"), encoding="utf-8") as f:
                entry = json.load(f)
            return entry if entry["key"] == key and entry["status"] != STOPPED else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def grade(self, student):
        """Grade a student, unless there is a result. Returns (entry, whether it is new)."""
        started = time.monotonic()
        try:
            key = self.key(Submission(student.path).digest())
        except (SubmissionError, OSError) as e:
            key, entry = self.key(str(e)), self._without_result(REFUSED, str(e))
        else:
            entry = None if self.args.again else self.known(student, key)
            if entry:
                return entry, False
            entry = self._run(student)
        entry.update(student=student.name, key=key,
                     seconds=round(time.monotonic() - started, 1))
        write_json(self.file("results", student.name + ".json"), entry)
        timelines = self.file(student.name)
        links = sorted(os.listdir(timelines)) if os.path.isdir(timelines) else []
        write_text(self.file(student.name + ".html"),
                   studentpage.student_page(entry, links))
        return entry, True

    def _without_result(self, status, error):
        result = {"lab": "lab4", "score": 0, "max_score": self.possible, "seconds": 0,
                  "error": shorten(error), "notes": [], "tests": []}
        return {"status": status, "result": result}

    def _run(self, student):
        part = self.file("results", student.name + ".part")
        shutil.rmtree(self.file(student.name), ignore_errors=True)
        command = [sys.executable, self._script, "--answers", student.path, "--base",
                   self.base.root, "--as-is", "--json", part, "-j1", *self.args.tests]
        command += [option for option, given in (("--whole", self.args.whole),
                                                 ("--mit", self.args.mit)) if given]
        if self.args.timelines:
            command += ["--timelines", self.file(student.name)]
        try:
            with Child(command, name=student.name, limit=self.args.limit, merge=True,
                       tool=True) as child:
                child.end_input()
                child.wait_for_end()
            with open(part, encoding="utf-8") as f:
                result = json.load(f)
            return {"status": REFUSED if result["error"] else GRADED, "result": result}
        except (ChildError, OSError, ValueError) as e:
            return self._without_result(STOPPED, "the grade was stopped: %s" % e)
        finally:
            if os.path.exists(part):
                os.unlink(part)


# ---- The table ----

def cell(value):
    """A value for a CSV file. A spreadsheet would compute a text that begins with = or similar."""
    text = "" if value is None else str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t") else text


def table(entries):
    """The text of grades.csv."""
    names = list(dict.fromkeys(test["name"] for entry in entries
                               for test in entry["result"]["tests"]))
    output = io.StringIO()
    rows = csv.writer(output, lineterminator="\n")
    rows.writerow(["student", "score", "max_score", "status", "seconds", "error", *names])
    for entry in entries:
        result = entry["result"]
        points = {test["name"]: test["points"] if test["max_points"] else
                  (0 if test["passed"] else -test["cost"]) for test in result["tests"]}
        error = (result["error"] or "").strip().split("\n")[0]
        rows.writerow([cell(entry["student"]), result["score"], result["max_score"],
                       entry["status"], entry["seconds"], cell(error[:200]),
                       *(points.get(name, "") for name in names)])
    return output.getvalue()


def write_tables(grader, entries):
    entries = sorted(entries, key=lambda entry: entry["student"].lower())
    write_text(grader.file("grades.csv"), table(entries))
    write_text(grader.file("index.html"), studentpage.index_page(entries))


# ---- The tool ----

def minutes(seconds):
    return "%d s" % seconds if seconds < 90 else "%d min" % round(seconds / 60)


def show(done, total, entry, new, started, new_count, jobs):
    """Print a line for a student. The time left is estimated from the students graded so far."""
    result = entry["result"]
    left = ""
    if new_count and done < total:
        each = (time.monotonic() - started) / new_count
        left = ", about %s left" % minutes(each * (total - done))
    state = entry["status"] if entry["status"] != GRADED else \
        "%s" % minutes(entry["seconds"]) if new else "graded before"
    print("[%*d/%d] %-20s %3d/%d  %s%s" % (len(str(total)), done, total, entry["student"],
                                           result["score"], result["max_score"], state, left))
    sys.stdout.flush()


def grade_all(grader, students):
    """Grade all students; return their entries."""
    started, entries, new_count, total = time.monotonic(), [], 0, len(students)
    with ThreadPoolExecutor(grader.args.jobs) as pool:
        try:
            waiting = {pool.submit(grader.grade, student) for student in students}
            while waiting:
                done, waiting = wait(waiting, SIGNAL_SECONDS, FIRST_COMPLETED)
                for future in done:
                    entry, new = future.result()
                    entries.append(entry)
                    new_count += new
                    show(len(entries), total, entry, new, started, new_count, grader.args.jobs)
                if done:
                    write_tables(grader, entries)
        except BaseException:
            for future in waiting:
                future.cancel()
            end_all()
            write_tables(grader, entries)
            print("%d of %d submissions are graded. The same command goes on with the others."
                  % (len(entries), total))
            raise
    return entries


def parse_arguments():
    parser = argparse.ArgumentParser(prog="grade-class",
                                     description="Grade a folder of submissions.")
    parser.add_argument("folder", metavar="DIR",
                        help="a folder with a subfolder or an archive for each student")
    parser.add_argument("-o", "--output", metavar="DIR",
                        help="where the results go (default: DIR-graded)")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="grade N submissions at the same time (default: number of cores)")
    parser.add_argument("--again", action="store_true", help="grade all again")
    parser.add_argument("--timelines", action="store_true",
                        help="also make a timeline of each failed test (about 1 MB each)")
    parser.add_argument("--limit", type=int, default=LIMIT_SECONDS, metavar="SECONDS",
                        help="stop the grade of a submission after this time (%(default)s)")
    parser.add_argument("--whole", action="store_true", help="the answers belong to the whole "
                        "project, not to the tree of make starter")
    parser.add_argument("--mit", action="store_true",
                        help="run only the tests that give points")
    parser.add_argument("--test", dest="tests", action="append", default=[], metavar="NAME",
                        help="run only this test; may be given more than once")
    args = parser.parse_args()
    if args.jobs < 1 or args.limit < 1:
        parser.error("-j and --limit need a number greater than 0")
    if not os.path.isdir(args.folder):
        parser.error("%s is not a folder" % args.folder)
    args.output = os.path.abspath(args.output or os.path.abspath(args.folder) + "-graded")
    if args.output == os.path.abspath(args.folder):
        parser.error("the results need another folder than the submissions")
    return args


def full_score(script, tests):
    """The points of the grade script, and a check of the names of tests."""
    import runpy
    known = {test.name: test.points
             for part in runpy.run_path(script)["PARTS"] for test in part.all()}
    for name in tests:
        if name not in known:
            raise ToolError("no such test: %s" % name)
    return sum(known[name] for name in tests or known)


def main():
    args = parse_arguments()
    students = find_students(args.folder)
    if not students:
        raise ToolError("%s has no submissions" % args.folder)
    script = os.path.join(ROOT, "grade-lab4")
    possible = full_score(script, args.tests)
    os.makedirs(os.path.join(args.output, "results"), exist_ok=True)
    base, started = Base(os.path.join(args.output, "base"), args.whole), time.monotonic()
    print("%d submissions; the results go to %s" % (len(students), args.output))
    sys.stdout.flush()
    if base.prepare():
        print("built our own tree in %s" % minutes(time.monotonic() - started))
    grader = Grader(args, script, base, possible)
    started = time.monotonic()
    entries = grade_all(grader, students)
    write_tables(grader, entries)
    print("%d submissions in %s. Open %s" % (
        len(entries), minutes(time.monotonic() - started), grader.file("index.html")))
    return 0
