"""docs/tour.md: the files and functions that it names exist, and the code that it quotes."""

import os
import re
import unittest

from tools.run.buildtree import Tree

TREE = Tree()
WALKS = ("first user instruction", "`sys_page_map`", "copy-on-write fault", "timer tick",
         "another CPU")
MAX_STEPS = 12
STEP = re.compile(r"(\d+)\. `([\w./]+)`: `(\w+)`(?:, reached (?:by|without) [^.]+)?\.\n")
FILE = r"[\w.-]+(?:/[\w.-]+)*/(?:[\w-]+\.\w+)?"  # Also a folder, with a slash at its end


def read(name):
    with open(TREE.path(name), encoding="utf-8") as f:
        return f.read()


def code(name):
    """The text of a source file without comments."""
    return re.sub(r"//.*", "", read(name))


def body(name, function):
    """A function's definition in a file, as text; None if the file does not define it."""
    if name.endswith(".S"):
        start = r"(?:%s:|[ \t]*\.macro\s+%s\b)" % (function, function)
        end = r"(?:\s*\.size\s+%s,|\s*\.endm\b|\Z)" % function
    else:
        start, end = r"%s\(" % function, r"}"
    found = re.search(r"(?ms)^%s.*?^%s" % (start, end), code(name))
    return found and found[0]


def quotes(text):
    """The texts in backquotes, except commands: files and folders, and the others."""
    found = [" ".join(q.split()) for q in re.findall(r"`([^`]+)`", text)]
    found = [q for q in found if not q.startswith("make ")]
    files = [q for q in found if re.fullmatch(FILE, q)]
    return files, [q for q in found if q not in files]


def contains(name, quote):
    """Whether a file contains a text, as whole words and with any blanks between them."""
    if not os.path.isfile(TREE.path(name)):
        return False
    words = r"\s+".join(map(re.escape, quote.split()))
    return re.search(r"(?<!\w)%s(?!\w)" % words if quote[0] + quote[-1] else words, code(name))


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
