"""The handbook's site: `make docs`."""

import glob
import os
import re
import shutil
import sys
import unittest
from html.parser import HTMLParser

from tests.support import TREE
from tools.build.docsite import AFTER, TIMELINE, contents
from tools.run.child import Child
from tools.run.tool import make_folder, remove_folder

LIMIT_SECONDS = 300


class Addresses(HTMLParser):
    """Collects what a page loads or refers to: `loads` are addresses that a browser fetches."""

    def __init__(self, text):
        super().__init__()
        self.loads = []
        self.links = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "src" or (tag == "link" and name == "href"):
                self.loads.append(value)
            elif name == "href":
                self.links.append(value)


def flat(table):
    """All pages of a table of contents, in order."""
    pages = []
    for entry in table:
        for value in ([entry] if isinstance(entry, str) else entry.values()):
            pages += [value] if isinstance(value, str) else flat(value)
    return pages


class ContentsTest(unittest.TestCase):
    def test_all_pages_are_in_the_contents_once(self):
        docs = TREE.path("docs")
        pages = [os.path.relpath(path, docs)
                 for path in glob.glob(os.path.join(docs, "**", "*.md"), recursive=True)]
        wanted = [page for page in pages
                  if page not in ("README.md", os.path.join("pictures", "README.md"))]
        listed = flat(contents(docs))
        self.assertEqual(sorted(listed), sorted([*wanted, TIMELINE]))
        self.assertEqual(listed.index(TIMELINE), listed.index(AFTER) + 1)
        self.assertEqual(listed[0], "start.md")


@unittest.skipUnless(shutil.which("mkdocs"), "mkdocs is not installed")
class SiteTest(unittest.TestCase):
    def setUp(self):
        self.folder = make_folder("jos-")
        self.addCleanup(remove_folder, self.folder)
        self.timeline = os.path.join(self.folder, "stresssched.html")
        with open(self.timeline, "w", encoding="utf-8") as f:
            f.write("<!DOCTYPE html><title>the timeline</title>")
        self.site = os.path.join(self.folder, "site")

    def make_site(self, tree=TREE):
        """Run the tool; return its exit status and its output."""
        command = [sys.executable, tree.path("tools", "build", "docsite.py"),
                   "--timeline", self.timeline, "--output", self.site]
        with Child(command, limit=LIMIT_SECONDS, cwd=tree.root, merge=True, tool=True) as child:
            return child.wait_for_end(), child.output

    def read(self, *names):
        with open(os.path.join(self.site, *names), encoding="utf-8") as f:
            return f.read()

    def test_site_is_complete_and_loads_nothing_from_outside(self):
        status, output = self.make_site()
        self.assertEqual(status, 0, output)
        for page in flat(contents(TREE.path("docs"))):
            html = self.read(re.sub("README.md$", "index.md", page)[:-len("md")] + "html")
            for address in Addresses(html).loads:
                with self.subTest(page=page, address=address):
                    self.assertNotRegex(address, "^(?:[a-z]+:)?//")
                    folder = os.path.join(self.site, os.path.dirname(page))
                    path = os.path.join(folder, re.sub(r"[?#].*", "", address))
                    self.assertTrue(os.path.exists(path), path)
        for path in glob.glob(os.path.join(self.site, "**", "*.css"), recursive=True):
            for address in re.findall(r"(?:@import\s*|url\()[\"']?([^\"')\s]+)", self.read(path)):
                with self.subTest(style=path, address=address):
                    self.assertNotRegex(address, "^(?:https?:)?//")
        self.assertIn("<code>VA [+|-]PERMS [ENV]</code>",
                      self.read("monitor.html").replace("&#124;", "|"))
        self.assertIn("<iframe", self.read("timeline.html"))
        self.assertIn("the timeline", self.read("timeline", "stresssched.html"))
        self.assertIn("MPBOOTPHYS", self.read("search", "search_index.json"))

    def test_dead_link_is_an_error(self):
        tree = TREE.copy()
        self.addCleanup(tree.remove)
        with open(tree.path("docs", "see.md"), "a", encoding="utf-8") as f:
            f.write("\n[nothing](nothing.md)\n")
        status, output = self.make_site(tree)
        self.assertEqual(status, 1)
        self.assertIn("nothing.md", output)
        self.assertFalse(os.path.exists(self.site))


class MissingToolTest(unittest.TestCase):
    def test_missing_mkdocs_is_named(self):
        command = [sys.executable, TREE.path("tools", "build", "docsite.py"), "--check"]
        with Child(command, limit=LIMIT_SECONDS, env=dict(os.environ, PATH="/nowhere"),
                   merge=True, tool=True) as child:
            self.assertEqual(child.wait_for_end(), 1)
            self.assertIn("mkdocs is missing: conf/setup --check installs it", child.output)
            self.assertEqual(len(child.output.splitlines()), 1)
