"""HTML pages with a student's result, and with all results. Each is one file that needs no network
and no script; it is light or dark as the reader's system is."""

import html

STYLE = """
:root {
    --page: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --panel: #f6f8fa;
    --accent: #0550ae; --good: #116329; --bad: #a40e26; --bar: #dbe7f5; color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
    :root {
        --page: #0f1318; --ink: #e8edf3; --soft: #9aa6b2; --line: #323b46; --panel: #161c23;
        --accent: #79b8ff; --good: #6fdd8b; --bad: #ff9492; --bar: #223650;
    }
}
body {
    margin: 0 auto; padding: 16px; max-width: 1000px; background: var(--page); color: var(--ink);
    font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
h1 { font-size: 22px; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 24px 0 6px; }
a { color: var(--accent); }
p { margin: 6px 0; }
.soft { color: var(--soft); }
.score { font-size: 30px; font-variant-numeric: tabular-nums; margin: 8px 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); }
th { font-weight: 500; color: var(--soft); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { background: linear-gradient(to right, var(--bar) var(--share), transparent 0); }
.good { color: var(--good); }
.bad { color: var(--bad); font-weight: 600; }
pre {
    background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px;
    overflow-x: auto; font: 13px/1.4 ui-monospace, monospace;
}
details { margin: 6px 0; }
summary { cursor: pointer; }
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>%s</title>
<style>%s</style>
</head>
<body>
%s
</body>
</html>
"""


def text(value):
    """A text for HTML. A kernel can print any character: those that have no form are replaced."""
    shown = "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in str(value))
    return html.escape(shown)


def page(title, body):
    return PAGE % (text(title), STYLE, "\n".join(body))


def verdict(test):
    """The cell that says how a test ended."""
    if test["passed"]:
        return '<span class="good">OK</span>'
    return '<span class="bad">FAIL</span>'


def points(test):
    if test["max_points"]:
        return "%d/%d" % (test["points"], test["max_points"])
    return "" if test["passed"] else "-%d" % test["cost"]


def test_row(test):
    name = text(test["name"])
    if not test["passed"]:
        name = '<a href="#%s">%s</a>' % (name, name)
    return ('<tr><td>%s</td><td>%s</td><td>%s</td><td class="number">%s</td>'
            '<td class="number">%.1f s</td></tr>' % (
                text(test["part"]), name, verdict(test), points(test), test["seconds"]))


def failed_test(test, student, timelines):
    """The section about a failed test."""
    exercise = "" if test["exercise"] is None else " (exercise %s)" % text(test["exercise"])
    lines = ['<h2 id="%s">%s%s</h2>' % (text(test["name"]), text(test["name"]), exercise),
             "<pre>%s</pre>" % text(test["message"]),
             "<p>To repeat it: <code>%s</code></p>" % text(test["repeat"])]
    if test["name"] + ".html" in timelines:
        lines.append('<p><a href="%s/%s.html">The timeline of this test: what each CPU did</a></p>'
                     % (text(student), text(test["name"])))
    return lines


def student_page(entry, timelines=()):
    """The page of a student. `timelines` has the names of files in the student's folder."""
    result, student = entry["result"], entry["student"]
    tests = result["tests"]
    body = ["<h1>%s</h1>" % text(student), '<p class="soft">%s</p>' % text(result["lab"]),
            '<p class="score">%d of %d points</p>' % (result["score"], result["max_score"])]
    if result["error"]:
        body += ['<p class="bad">The submission could not be graded.</p>',
                 "<pre>%s</pre>" % text(result["error"])]
    if tests:
        passed = sum(test["passed"] for test in tests)
        body += ["<p>%d of %d tests passed.</p>" % (passed, len(tests)),
                 '<div class="wide"><table>',
                 '<tr><th>Part</th><th>Test</th><th></th><th class="number">Points</th>'
                 '<th class="number">Time</th></tr>',
                 *map(test_row, tests), "</table></div>"]
    for test in tests:
        if not test["passed"]:
            body += failed_test(test, student, timelines)
    if result["notes"]:
        body += ["<details><summary>What was graded</summary>",
                 *("<p>%s</p>" % text(note) for note in result["notes"]), "</details>"]
    return page("%s: %d/%d" % (student, result["score"], result["max_score"]), body)


def index_page(entries):
    """The page with all students."""
    graded = [entry["result"]["score"] for entry in entries]
    mean = sum(graded) / len(graded) if graded else 0
    body = ["<h1>All results</h1>",
            '<p class="soft">%d submissions, %.1f points on average</p>' % (len(entries), mean),
            '<div class="wide"><table>',
            '<tr><th>Student</th><th class="number">Points</th><th>Failed</th>'
            '<th class="number">Time</th></tr>']
    for entry in entries:
        result = entry["result"]
        share = 100 * result["score"] / (result["max_score"] or 1)
        failed = [test["name"] for test in result["tests"] if not test["passed"]]
        what = text(", ".join(failed)) if not result["error"] else \
            '<span class="bad">%s</span>' % text(result["error"].split("\n")[0][:120])
        body.append('<tr><td><a href="%s.html">%s</a></td>'
                    '<td class="number bar" style="--share: %.0f%%">%d/%d</td><td>%s</td>'
                    '<td class="number">%.0f s</td></tr>' % (
                        text(entry["student"]), text(entry["student"]), share, result["score"],
                        result["max_score"], what, entry["seconds"]))
    return page("All results", [*body, "</table></div>",
                                '<p><a href="grades.csv">The same as a table (CSV)</a></p>'])
