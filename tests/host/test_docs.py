"""The pages in docs/: links and anchors lead somewhere; files, functions, programs and targets that
a page names exist; each page is in the table of contents; the lab's exercises are complete."""

import glob
import os
import re
import unittest

from tests.host.pages import TREE, backquoted, pages, prose, read

LINK = r"!?\[[^\]]*\]\(([^)\s]*)\)"
CONTENTS = os.path.join("docs", "README.md")
LAB = os.path.join("docs", "lab4", "")
EXERCISES = range(1, 16)

# `kern/trap.c`, `trap.h`, `kern/dev/`, `kern/trap.c:trap`; not patterns or places in build folders
FILE = re.compile(r"([\w.-]+(?:/[\w.-]+)*/?(?<=[/\w])(?:\.(?:c|h|S|inc|ld|mk|md|py|pml|txt|png|gdb|"
                  r"tmpl|css|js|html|pl)|/))(?::(\w+))?")
NOT_OURS = r"obj/.*|.*(?:NAME|FOLDER|CLASSROOM).*"
SOURCE_FILE = r"[\w/.-]+\.(?:[chS]|inc|py|ld)"
IDENTIFIER = r"[A-Za-z]\w*_\w+"

# What a reader is asked to write, and what a tool writes
FOR_THE_READER = {"user/lost.c", "lost", "index.html"}


def slug(heading):
    """The anchor of a heading, as GitHub and the site make it."""
    text = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading.strip().lower())
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text))


def anchors(name):
    text = re.sub(r"(?ms)^```.*?^```$", "", read(name))
    return {slug(heading) for heading in re.findall(r"(?m)^#+ +(.*)$", text)}


def has_word(file, word):
    return re.search(r"\b%s\b" % word, read(file))


def place(page, target):
    """The file of a link's target, relative to the root."""
    return os.path.normpath(os.path.join(os.path.dirname(page), target)) if target else page


class LinksTest(unittest.TestCase):
    def links(self):
        for page in pages():
            for link in re.findall(LINK, prose(read(page))):
                if not re.match(r"https?:|mailto:", link):
                    yield page, link

    def test_links_lead_to_files_and_anchors(self):
        for page, link in self.links():
            with self.subTest(page=page, link=link):
                target, _, anchor = link.partition("#")
                file = place(page, target)
                self.assertTrue(os.path.isfile(TREE.path(file)), file)
                if anchor:
                    self.assertIn(anchor, anchors(file))

    def test_each_page_is_in_the_table_of_contents(self):
        """The table, and the README of each folder, which is in the table."""
        listed = {CONTENTS, "README.md"}
        for page, link in self.links():
            if os.path.basename(page) == "README.md" and page != "README.md":
                listed.add(place(page, link.partition("#")[0]))
        missing = [page for page in pages() if page not in listed]
        self.assertEqual([page for page in missing if "pictures" not in page], [])

    def test_each_picture_is_shown(self):
        shown = {place(page, link) for page, link in self.links()}
        pictures = {os.path.relpath(path, TREE.root)
                    for path in glob.glob(TREE.path("docs", "pictures", "*.png"))}
        self.assertTrue(pictures)
        self.assertEqual(pictures - shown, set())


class NamesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = [name for name in TREE.sources() if not name.endswith(".png")]
        cls.words = set()
        for name in cls.files:
            if not name.startswith("docs") and not name.startswith(os.path.join("fuzz", "corpus")):
                cls.words.update(re.findall(r"\w+", read(name)))

    def find(self, page, file):
        """The file or folder that a page names: by its path from the root, from the page, or, if
        the name has no folder, in any folder."""
        folder = os.path.dirname(page)
        for path in (file, os.path.join(folder, file)):
            if os.path.exists(TREE.path(path)):
                return os.path.normpath(path)
        named = [name for name in self.files if name.endswith("/" + file.rstrip("/"))]
        return named[0] if "/" not in file and named else None

    def each(self, pattern):
        """Each text in backquotes that a pattern matches: the page, the match."""
        for page in pages():
            for quote in backquoted(prose(read(page))):
                match = re.fullmatch(pattern, quote)
                if match and not re.fullmatch(NOT_OURS, quote) and quote not in FOR_THE_READER:
                    yield page, match

    def test_files_exist(self):
        for page, match in self.each(FILE):
            with self.subTest(page=page, name=match[0]):
                file = self.find(page, match[1])
                self.assertTrue(file, "no such file")
                if match[2] and not match[2].isdigit():
                    self.assertTrue(has_word(file, match[2]), "not in this file")

    def test_names_after_a_file_are_in_the_file(self):
        """As in: `kern/sched.c` (`sched_yield`, `sched_tick`)."""
        for page in pages():
            for file, names in re.findall(r"`(%s)`\s+\((`\w+`(?:,\s+`\w+`)*)\)" % SOURCE_FILE,
                                          prose(read(page))):
                found = self.find(page, file)
                for name in backquoted(names):
                    with self.subTest(page=page, file=file, name=name):
                        self.assertTrue(found, "no such file")
                        self.assertTrue(has_word(found, name), "not in this file")

    def test_identifiers_exist(self):
        for page, match in self.each(IDENTIFIER):
            with self.subTest(page=page, name=match[0]):
                self.assertTrue(match[0] in self.words, "not in any source")

    def test_programs_in_targets_exist(self):
        programs = set(TREE.programs())
        for page in pages():
            for name in re.findall(r"make (?:\w+=\S* )*(?:run|trace|memmap|replay|prep)-([\w.+-]+)",
                                   read(page)):
                name = re.sub(r"(?:-nox)?(?:-gdb)?$", "", name)
                if not re.fullmatch(NOT_OURS, name):
                    with self.subTest(page=page, name=name):
                        self.assertTrue(name in programs | FOR_THE_READER, "no such program")


class LabTest(unittest.TestCase):
    def marks(self):
        """For each exercise, the pages that ask for it: {1: {"docs/lab4/memory.md"}}."""
        found = {}
        for page in pages():
            if page.startswith(LAB):
                for number in re.findall(r"(?m)^\*\*Exercise (\d+)\.\*\*|^# Exercise (\d+):",
                                         read(page)):
                    found.setdefault(int(number[0] or number[1]), set()).add(page)
        return found

    def test_each_exercise_is_asked_on_one_page(self):
        self.assertEqual({number: len(found) for number, found in self.marks().items()},
                         dict.fromkeys(EXERCISES, 1))

    def test_the_files_of_an_exercise_have_its_mark(self):
        """A page names all files that have the comment `Exercise N`, in kern/ and lib/."""
        for number, found in self.marks().items():
            page, = found
            named = set(backquoted(prose(read(page))))
            for name in [*glob.glob(TREE.path("kern", "*.[chS]")),
                         *glob.glob(TREE.path("lib", "*.[cS]"))]:
                if re.search(r"Exercise %d\b" % number, read(name)):
                    file = os.path.relpath(name, TREE.root)
                    with self.subTest(page=page, exercise=number):
                        self.assertIn(file, named)


if __name__ == "__main__":
    unittest.main()
