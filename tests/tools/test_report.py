"""The files that the grade writes for other programs: --json, --junit, --gradescope."""

import json
import os
import xml.etree.ElementTree as ElementTree

from tests.tools.fakes import FakesTest

# The first and the third test of GRADE (fakes.py) pass with this output, the second one fails.
OUTPUT = r"printf '\001\033<&zero\none more\ntwo\nthree\naudit: 5 pages, 0 environments, balanced\n"


class ReportTest(FakesTest):
    def grade(self, script=None, makefile="", options=("json", "junit", "gradescope"), args=()):
        """Grade with a fake QEMU; return the exit status, the output, and the files' contents."""
        self.fake_tree(script or OUTPUT + "K> '; exec cat >/dev/null", makefile=makefile)
        words = [word for name in options for word in ("--" + name, name + ".out")]
        status, text = self.run_tool("grade", *words, *args)
        files = {}
        for name in options:
            path = os.path.join(self.dir, name + ".out")
            with open(path, encoding="utf-8") as f:
                files[name] = f.read()
        return status, text, files

    def test_json_has_all_tests(self):
        status, text, files = self.grade()
        result = json.loads(files["json"])
        self.assertIn("Score: 1/16", text)
        self.assertEqual((status, result["score"], result["max_score"]), (1, 1, 16))
        self.assertIsNone(result["error"])
        self.assertEqual([(t["name"], t["part"], t["passed"], t["points"], t["max_points"])
                          for t in result["tests"]],
                         [("first", "A", False, 0, 5), ("second", "B", False, 0, 10),
                          ("third", "B", True, 1, 1)])
        first, third = result["tests"][0], result["tests"][2]
        self.assertIn("missing: one\n", first["message"])
        self.assertEqual(first["repeat"], "make run-first-nox CPUS=2")
        self.assertEqual((third["message"], third["cost"]), ("", 0))
        self.assertGreater(first["seconds"], 0)

    def test_gradescope_has_score_and_messages(self):
        result = json.loads(self.grade()[2]["gradescope"])
        self.assertEqual(result["score"], 1)
        self.assertEqual([(t["name"], t["score"], t["max_score"], t["status"])
                          for t in result["tests"]],
                         [("first", 0, 5, "failed"), ("second", 0, 10, "failed"),
                          ("third", 1, 1, "passed")])
        self.assertTrue(result["tests"][0]["output"].startswith("Failed.\nmissing: one\n"))
        allowed = {"score", "execution_time", "output", "output_format", "test_output_format",
                   "visibility", "stdout_visibility", "tests"}
        self.assertEqual(set(result), allowed)

    def test_junit_counts_failures(self):
        root = ElementTree.fromstring(self.grade()[2]["junit"])
        self.assertEqual((root.tag, root.get("tests"), root.get("failures"), root.get("errors")),
                         ("testsuites", "3", "2", "0"))
        self.assertEqual([suite.get("name") for suite in root], ["Part A", "Part B"])
        cases = list(root.iter("testcase"))
        self.assertEqual([case.get("name") for case in cases], ["first", "second", "third"])
        failure = cases[0].find("failure")
        self.assertEqual(failure.get("message"), "missing: one")
        # XML has no way to write some of the characters that a kernel can print.
        self.assertIn("\ufffd\ufffd<&zero", failure.text)
        self.assertIsNone(cases[2].find("failure"))

    def test_build_error_is_in_all_files(self):
        status, text, files = self.grade(makefile="echo 'init.c:1: error: <no>'; false")
        self.assertEqual(status, 1)
        self.assertIn("init.c:1: error: <no>", text)
        result = json.loads(files["json"])
        self.assertEqual((result["score"], result["max_score"], result["tests"]), (0, 16, []))
        self.assertIn("init.c:1: error: <no>", result["error"])
        result = json.loads(files["gradescope"])
        self.assertEqual((result["score"], len(result["tests"])), (0, 1))
        self.assertIn("init.c:1: error: <no>", result["output"])
        root = ElementTree.fromstring(files["junit"])
        self.assertEqual(root.get("errors"), "1")
        self.assertIn("init.c:1: error: <no>", root.find(".//error").text)

    def test_long_message_is_cut(self):
        lines = "for i in $$(seq 9000); do echo init.c:1: error $$i; done; false"
        result = json.loads(self.grade(makefile=lines, options=["json"])[2]["json"])
        self.assertLess(len(result["error"]), 21000)
        for text in ("error 1\n", " characters are left out ", "error 9000\n"):
            self.assertTrue(text in result["error"], text)

    def test_named_tests_alone_are_in_the_files(self):
        result = json.loads(self.grade(options=["json"], args=["third"])[2]["json"])
        self.assertEqual([t["name"] for t in result["tests"]], ["third"])
        self.assertEqual((result["score"], result["max_score"]), (1, 1))

    def test_file_that_cannot_be_written_is_an_error_at_once(self):
        self.fake_tree("touch started; exit 1", makefile="touch started")
        status, text = self.run_tool("grade", "--json", "none/there")
        self.assertEqual((status, text), (1, "cannot write none/there: "
                                             "No such file or directory\n"))
        self.assertFalse(os.path.exists(os.path.join(self.dir, "started")))

    def test_file_may_be_a_device(self):
        self.fake_tree(OUTPUT + "K> '; exec cat >/dev/null")
        status, text = self.run_tool("grade", "--json", "/dev/stderr", "third")
        self.assertIn('"max_score": 1', text)
        self.assertEqual(status, 0)
