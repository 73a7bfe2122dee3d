"""An autograder for Classroom 50: grade the answer files of the submission in this folder.

Classroom 50 runs it in the student's checkout, and reads result.json there. The folder `jos` beside
this file has the tree to grade with. The assignment needs the runtime {"apt": ["qemu-system-x86"]}.
"""

import datetime
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_SECONDS = 1500


def grade(submission):
    """Run the grade; return what its option --json writes."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        subprocess.run([sys.executable, os.path.join(HERE, "jos", "grade-lab4"), "--answers",
                        submission, "--json", report], check=False, timeout=LIMIT_SECONDS)
        with open(report, encoding="utf-8") as f:
            return json.load(f)


def part_entry(part, tests):
    """An entry for a part of the lab. Its points are those of its tests, minus the costs of the
    further checks that failed."""
    points = sum(t["points"] for t in tests)
    cost = sum(t["cost"] for t in tests if not t["passed"])
    return {"test-name": "Part " + part, "passed": all(t["passed"] for t in tests),
            "score": points - min(cost, points), "max-score": sum(t["max_points"] for t in tests)}


def convert(report, env):
    """The report in Classroom 50's format, classroom50/result/v1. There, the score must be the sum
    of the entries' scores, so each part has an entry. Failed tests have entries without points."""
    tests = []
    if report["error"] is not None:
        tests = [{"test-name": "build", "passed": False, "score": 0,
                  "max-score": report["max_score"], "message": report["error"]}]
    for part in sorted({t["part"] for t in report["tests"]}):
        members = [t for t in report["tests"] if t["part"] == part]
        tests.append(part_entry(part, members))
        tests += [{"test-name": t["name"], "passed": False, "score": 0, "max-score": 0,
                   "message": t["message"]} for t in members if not t["passed"]]
    return {
        "schema": "classroom50/result/v1",
        "classroom": env["CLASSROOM"],
        "assignment": env["ASSIGNMENT"],
        "submission": env["SUBMISSION_TAG"],
        "commit": env["COMMIT_URL"],
        "release": env["RELEASE_URL"],
        "review": env.get("REVIEW_URL") or env["COMMIT_URL"],
        "datetime": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": report["score"],
        "max-score": report["max_score"],
        "tests": tests,
    }


def main():
    result = convert(grade(os.getcwd()), os.environ)
    with open("result.json", "w", encoding="utf-8") as f:
        json.dump(result, f, indent=2)
    print("score: %d of %d" % (result["score"], result["max-score"]))


if __name__ == "__main__":
    main()
