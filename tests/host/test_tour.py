"""docs/tour.md: the files and functions that it names exist, and the code that it quotes."""

import os
import re
import unittest

from tests.host.pages import FILE, TREE, backquoted, body, contains, read

WALKS = ("first user instruction", "`sys_page_map`", "copy-on-write fault", "timer tick",
         "another CPU")
MAX_STEPS = 12
STEP = re.compile(r"(\d+)\. `([\w./]+)`: `(\w+)`(?:, reached (?:by|without) [^.]+)?\.\n")


def quotes(text):
    """The texts in backquotes, except commands: files and folders, and the others."""
    found = [quote for quote in backquoted(text) if not quote.startswith("make ")]
    files = [quote for quote in found if re.fullmatch(FILE, quote)]
    return files, [quote for quote in found if quote not in files]


class TourTest(unittest.TestCase):
    def setUp(self):
        self.intro, *sections = re.split(r"(?m)^## ", read("docs/tour.md"))
        self.walks = [section.split("\n", 1) for section in sections]

    def steps(self, text):
        """The steps of a walk: number, file, function, whether it is called, the whole text."""
        found = re.findall(r"(?ms)^\d+\. .*?(?=\n\n|\n\d+\. |\Z)", text)
        matches = [STEP.match(step) for step in found]
        for step, match in zip(found, matches):
            self.assertTrue(match, "not in the form of a step:\n" + step)
        return [(int(m[1]), m[2], m[3], "reached" not in m[0], step)
                for step, m in zip(found, matches)]

    def test_the_five_walks(self):
        self.assertEqual(len(self.walks), len(WALKS))
        for number, ((title, text), topic) in enumerate(zip(self.walks, WALKS), 1):
            with self.subTest(walk=title):
                self.assertTrue(title.startswith("%d. " % number))
                self.assertIn(topic, title)
                numbers = [step[0] for step in self.steps(text)]
                self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
                self.assertTrue(3 <= len(numbers) <= MAX_STEPS, "%d steps" % len(numbers))

    def test_functions_are_defined(self):
        for title, text in self.walks:
            for number, file, function, _, _ in self.steps(text):
                with self.subTest(walk=title, step=number):
                    self.assertTrue(os.path.isfile(TREE.path(file)), file)
                    self.assertTrue(body(file, function), "%s is not defined" % function)

    def test_functions_are_called_by_an_earlier_step(self):
        for title, text in self.walks:
            callers = ""
            for number, file, function, called, _ in self.steps(text):
                if number > 1 and called:
                    with self.subTest(walk=title, step=number):
                        self.assertTrue(re.search(r"(?<!\w)%s(?!\w)" % function, callers),
                                        "no earlier step calls %s" % function)
                if os.path.isfile(TREE.path(file)):
                    callers += body(file, function) or ""

    def test_files_exist(self):
        for text in [self.intro] + [text for _, text in self.walks]:
            for file in quotes(text)[0]:
                self.assertTrue(os.path.exists(TREE.path(file)), file)

    def test_quoted_texts_are_in_the_files_of_their_paragraph(self):
        for title, text in self.walks:
            for paragraph in re.split(r"\n\n|\n(?=\d+\. )", text):
                files, others = quotes(paragraph)
                for quote in others:
                    with self.subTest(walk=title, quote=quote):
                        self.assertTrue(any(contains(file, quote) for file in files), paragraph)


if __name__ == "__main__":
    unittest.main()
