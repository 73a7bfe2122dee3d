"""Write the result of a grade to files that other programs read.

    --json F         everything, for scripts: see describe() below
    --junit F        JUnit's XML, which most CI systems show
    --gradescope F   the results.json of Gradescope

A file is written also if the kernel does not build. It then has the score 0 and the text of the
compiler. The options only add files: what the grade prints stays the same.
"""

import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

from tools.run.tool import ToolError

# A longer message loses its middle. (A compiler may print a hundred thousand errors.)
MESSAGE_SIZE = 20000

# XML 1.0 has no way to write these characters. A kernel may print any.
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def shorten(text, size=MESSAGE_SIZE):
    """The text, with a note in place of its middle if it is longer than `size`."""
    if len(text) <= size:
        return text
    half = size // 2
    return "%s\n... %d characters are left out ...\n%s" % (
        text[:half], len(text) - 2 * half, text[-half:])


def add_options(parser):
    """Add the options above to an argparse parser."""
    group = parser.add_argument_group("files with the result")
    for name, text in (("json", "as JSON"), ("junit", "as JUnit's XML"),
                       ("gradescope", "as Gradescope's results.json")):
        group.add_argument("--" + name, metavar="FILE", help="also write the result " + text)


def check_options(args):
    """Stop now, not after the grade, if a file cannot be written."""
    for path in (args.json, args.junit, args.gradescope):
        if path:
            try:
                with open(path, "a", encoding="utf-8"):
                    pass
            except OSError as e:
                raise ToolError("cannot write %s: %s" % (path, e.strerror)) from None


def repeat(test):
    """The command that runs a test's program again."""
    return test.repeat()


def describe_test(part, test, outcome):
    """A test and its outcome as a dictionary. A test that can cost points has no points itself."""
    passed = outcome.complaint is None
    points = getattr(test, "points", None) or 0
    return {
        "name": test.name,
        "part": part.letter,
        "exercise": getattr(test, "exercise", None),
        "passed": passed,
        "points": points if passed else 0,
        "max_points": points,
        "cost": getattr(test, "cost", None) or 0,
        "message": shorten(outcome.complaint or ""),
        "seconds": round(outcome.seconds, 3),
        "repeat": repeat(test),
    }


def describe(parts, outcomes, score, max_score, seconds, error=None, notes=()):
    """The whole result as a dictionary, which --json writes:

    lab         the name of the grade script without "grade-"
    score, max_score    the total; the sum of the tests' points, minus the costs of failed tests
    seconds     the time of the whole grade, with the build
    error       why nothing could be graded (for example the compiler's errors), or null
    notes       remarks for the reader, for example which files were taken
    tests       a list: name, part, exercise (or null), passed, points, max_points, cost (taken off
                if it fails), message, seconds, repeat (a command)
    """
    return {
        "lab": re.sub("^grade-", "", os.path.basename(sys.argv[0])),
        "score": score,
        "max_score": max_score,
        "seconds": round(seconds, 3),
        "error": None if error is None else shorten(error),
        "notes": list(notes),
        "tests": [describe_test(part, test, outcomes[test])
                  for part in parts for test in part.all() if test in outcomes],
    }


# ---- Gradescope ----

def headline(test):
    """A line that says what a test was worth."""
    if test["passed"]:
        return "Passed."
    if test["cost"]:
        return "Failed: %d points are taken off." % test["cost"]
    return "Failed."


def gradescope(result):
    """The result in the format of Gradescope's autograder specification."""
    tests = []
    for test in result["tests"]:
        entry = {
            "name": test["name"],
            "number": test["part"],
            "status": "passed" if test["passed"] else "failed",
            "output": "\n".join(filter(None, (headline(test), test["message"]))),
            "visibility": "visible",
        }
        if test["max_points"]:
            entry.update(score=test["points"], max_score=test["max_points"])
        tests.append(entry)
    output = list(result["notes"])
    if result["error"] is not None:
        output.insert(0, "Nothing could be graded.\n" + result["error"])
        tests.append({"name": "build", "status": "failed", "score": 0,
                      "max_score": result["max_score"], "output": result["error"],
                      "visibility": "visible"})
    return {
        "score": result["score"],
        "execution_time": round(result["seconds"]),
        "output": "\n".join(output),
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


# ---- JUnit ----

def xml_text(text):
    """The text without the characters that XML cannot contain."""
    return NOT_XML.sub("\ufffd", text)


def junit(result):
    """The result as the text of an XML file: one suite for each part of the lab."""
    tests, error = result["tests"], result["error"]
    root = ElementTree.Element("testsuites", {
        "name": result["lab"],
        "tests": str(len(tests) + (error is not None)),
        "failures": str(sum(not test["passed"] for test in tests)),
        "errors": str(int(error is not None)),
        "time": "%.3f" % result["seconds"],
    })
    for part in sorted({test["part"] for test in tests}):
        members = [test for test in tests if test["part"] == part]
        suite = ElementTree.SubElement(root, "testsuite", {
            "name": "Part " + part,
            "tests": str(len(members)),
            "failures": str(sum(not test["passed"] for test in members)),
            "errors": "0",
            "time": "%.3f" % sum(test["seconds"] for test in members),
        })
        for test in members:
            junit_case(suite, result["lab"], test)
    if error is not None:
        suite = ElementTree.SubElement(root, "testsuite", {
            "name": "build", "tests": "1", "failures": "0", "errors": "1"})
        case = ElementTree.SubElement(suite, "testcase", {
            "name": "build", "classname": result["lab"] + ".build"})
        node = ElementTree.SubElement(case, "error", {"message": "nothing could be graded"})
        node.text = xml_text(error)
    return ElementTree.tostring(root, encoding="unicode")


def junit_case(suite, lab, test):
    """Add a test to its suite."""
    case = ElementTree.SubElement(suite, "testcase", {
        "name": test["name"], "classname": "%s.Part%s" % (lab, test["part"]),
        "time": "%.3f" % test["seconds"]})
    properties = ElementTree.SubElement(case, "properties")
    for name in ("points", "max_points", "cost", "exercise", "repeat"):
        if test[name] is not None:
            ElementTree.SubElement(properties, "property",
                                   {"name": name, "value": xml_text(str(test[name]))})
    if not test["passed"]:
        first = test["message"].split("\n")[0]
        node = ElementTree.SubElement(case, "failure", {"message": xml_text(first)})
        node.text = xml_text(test["message"])


# ---- Files ----

def write_text(path, text):
    """Write a file so that no reader sees half of it, if its folder allows a second file there.
    /dev/stdout or a pipe, for example, is written to directly."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return
    temporary = "%s.%d" % (path, os.getpid())
    try:
        with open(temporary, "w", encoding="utf-8", errors="backslashreplace") as f:
            f.write(text)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def write_json(path, value):
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_reports(args, result):
    """Write the files that the options name. `result` is a dictionary from describe()."""
    if args.json:
        write_json(args.json, result)
    if args.gradescope:
        write_json(args.gradescope, gradescope(result))
    if args.junit:
        write_text(args.junit, '<?xml version="1.0" encoding="UTF-8"?>\n' + junit(result) + "\n")
