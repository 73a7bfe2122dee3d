"""tools/check/check.py, run on small files of tests."""

import textwrap

from tests.tools.fakes import FakesTest


class CheckTest(FakesTest):
    def check(self, test_file, *args):
        self.fake_tree("true")
        self.write("tests/test_it.py", "import unittest\n" + textwrap.dedent(test_file))
        return self.run_tool("tools/check/check.py", *args)

    def test_passed_and_failed_tests_are_counted(self):
        status, text = self.check("""
            class A(unittest.TestCase):
                def test_good(self):
                    pass
                def test_bad(self):
                    self.fail("because")
                def test_other(self):
                    raise KeyError("odd")
            """)
        self.assertRegex(text, r"(?m)^ok it.good \(\d+\.\ds\)$")
        self.assertRegex(text, r"(?m)^FAIL it.bad \(\d+\.\ds\)\n    tests/test_it.py:\d+: because$")
        self.assertIn("    KeyError: 'odd'\n", text)
        self.assertEqual(text.split("\n")[-2:], ["1 passed, 2 failed", ""])
        self.assertEqual(status, 1)

    def test_failure_shows_the_last_screenful_and_the_command(self):
        status, text = self.check("""
            class A(unittest.TestCase):
                def setUp(self):
                    self.transcripts = ["4 CPUs:\\n" + "".join("line %d\\n" % i for i in range(60)),
                                        "1 CPUs:\\nof another machine"]
                def test_bad(self):
                    self.fail("because")
                def test_shown(self):
                    self.fail("because\\nlast lines of output:\\n    here")
                def test_good(self):
                    pass
            """)
        shown = "".join("        line %d\n" % i for i in range(35, 60))
        self.assertRegex(text, r"(?m)^FAIL it\.bad .*\n    tests/test_it.py:\d+: because\n"
                               r"    last lines of output:\n%s    run it again: make check "
                               r"TESTS=it\.bad\n" % shown)
        self.assertRegex(text, r"        here\n    run it again: make check TESTS=it\.shown\n")
        self.assertEqual(text.count("line 59"), 1)
        self.assertEqual(text.count("run it again"), 2)

    def test_patterns_select_tests(self):
        source = """
            class A(unittest.TestCase):
                def test_good(self):
                    pass
                def test_bad(self):
                    self.fail("because")
            """
        status, text = self.check(source, "go")
        self.assertEqual((status, text.split("\n")[-2]), (0, "1 passed, 0 failed"))
        status, text = self.run_tool("tools/check/check.py", "it.g*")
        self.assertEqual((status, text.split("\n")[-2]), (0, "1 passed, 0 failed"))
        self.assertEqual(self.run_tool("tools/check/check.py", "--list"), (0, "it.bad\nit.good\n"))
        status, text = self.run_tool("tools/check/check.py", "nothing")
        self.assertEqual(text, "no test has a name like: nothing\n0 passed, 0 failed\n")
        self.assertEqual(status, 1)

    def test_skipped_tests_are_counted_separately(self):
        status, text = self.check("""
            class A(unittest.TestCase):
                @unittest.skip("not today")
                def test_skipped(self):
                    pass
                def test_good(self):
                    pass
            class B(unittest.TestCase):
                @classmethod
                def setUpClass(cls):
                    raise unittest.SkipTest("no class today")
                def test_skipped(self):
                    pass
            """)
        self.assertEqual((status, text.split("\n")[-2]), (0, "1 passed, 0 failed, 2 skipped"))
        self.assertIn("no class today", text)

    def test_failed_subtest_fails_its_test(self):
        status, text = self.check("""
            class A(unittest.TestCase):
                def test_parts(self):
                    for i in range(3):
                        with self.subTest(i=i):
                            self.assertNotEqual(i, 1)
            """)
        self.assertIn("(i=1): tests/test_it.py:", text)
        self.assertEqual((status, text.split("\n")[-2]), (1, "0 passed, 1 failed"))

    def test_failed_class_setup_is_a_failure(self):
        status, text = self.check("""
            class A(unittest.TestCase):
                @classmethod
                def setUpClass(cls):
                    cls.ready = True
                def test_one(self):
                    self.assertTrue(self.ready)
            class B(unittest.TestCase):
                @classmethod
                def setUpClass(cls):
                    raise AssertionError("no compiler")
                def test_two(self):
                    pass
            """)
        self.assertIn("ok it.one", text)
        self.assertIn("no compiler", text)
        self.assertEqual((status, text.split("\n")[-2]), (1, "1 passed, 1 failed"))

    def test_file_that_cannot_be_loaded_is_a_failure(self):
        status, text = self.check("import nonsense_that_is_not_there")
        self.assertIn("FAIL tests/test_it.py", text)
        self.assertEqual((status, text.split("\n")[-2]), (1, "0 passed, 1 failed"))

    def test_failed_build_is_a_failure(self):
        self.fake_tree("true", makefile="echo 'init.c:1: error: no'; false")
        self.write("tests/test_it.py", textwrap.dedent("""
            import unittest
            class A(unittest.TestCase):
                needs_build = True
                def test_good(self):
                    pass
            """))
        status, text = self.run_tool("tools/check/check.py")
        self.assertRegex(text, r"^FAIL build \(")
        self.assertIn("init.c:1: error: no", text)
        self.assertEqual((status, text.split("\n")[-2]), (1, "0 passed, 1 failed"))
