"""The page of make memmap-NAME: its colours, and what it does in a real browser. The model is that
of a small machine, which tests/host/test_memorymodel.py makes."""

import itertools
import os
import re
import unittest

from tests.browser.test_colours import APART, SIGHTS, distance
from tests.browser.webdriver import ENTER, ESCAPE, RIGHT, Browser, find_browser
from tests.host.test_memorymodel import PAGE, STACK, TEXT, COW, P, U, W, Machine
from tools.run.tool import make_folder, remove_folder
from tools.see.memmap import make_page, part

CELLS = ("env0", "env1", "env2", "env3", "cow", "shared", "error", "kernel", "stack", "free")


def small_model():
    """A model with two environments: a copy-on-write page of both, and an error. Returns it and the
    numbers of these two pages."""
    machine = Machine()
    first, second = machine.add_env(), machine.add_env()
    shared = machine.map(first, TEXT, P | U | COW)
    machine.map(second, TEXT, P | U | COW, shared)
    stack = machine.map(first, STACK, P | W | U)
    machine.map(second, STACK, P | W | U)
    model = machine.memory(refs={stack: 2}).describe()
    model.update({"program": "<b>&", "asked": "exit",
                  "stop": {"cpu": 0, "at": "env_destroy", "settled": True}})
    return model, shared, stack


class MemmapColoursTest(unittest.TestCase):
    def test_cells_are_apart(self):
        light, dark = re.findall(r"(?s):root \{(.*?)\}", part("memmap.css"))
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", light))
        for text in (light, dark):
            colours.update(re.findall(r"--(\w+): (#[0-9a-f]{6})", text))
            for sight, (a, b) in itertools.product(SIGHTS, itertools.combinations(CELLS, 2)):
                with self.subTest(dark=text is dark, sight=sight, a=a, b=b):
                    self.assertGreater(distance(colours[a], colours[b], sight), APART)


@unittest.skipUnless(find_browser(), "Chromium is not installed: conf/setup --check")
class MemmapPageTest(unittest.TestCase):
    def setUp(self):
        folder = make_folder("jos-")
        self.addCleanup(remove_folder, folder)
        self.model, self.shared, self.stack = small_model()
        self.path = os.path.join(folder, "page.html")
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(make_page(self.model))

    def text(self, browser, selector):
        return browser.run("return document.querySelector(arguments[0]).textContent", selector)

    def cell(self, page, picture="physical"):
        return '#%s .cell[data-page="%d"]' % (picture, page)

    def test_page(self):
        with Browser(width=1500) as browser:
            browser.open(self.path)
            self.assertEqual(self.text(browser, "h1"), "Memory of <b>&")
            self.assertIn("1 error", self.text(browser, "#verdict"))
            self.check_cells(browser)
            self.check_click_and_keys(browser)
            self.check_environment(browser)
            self.assertEqual(browser.console(), [])

    def check_cells(self, browser):
        count = browser.run("return document.querySelectorAll('#physical .cell.error').length")
        self.assertEqual(count, 1)
        self.assertEqual(self.text(browser, self.cell(self.stack)), "!")
        self.assertEqual(self.text(browser, self.cell(self.shared)), "&")
        self.assertEqual(self.text(browser, self.cell(self.shared, "space")), "C")

    def check_click_and_keys(self, browser):
        browser.run("document.querySelector(arguments[0]).click()", self.cell(self.shared))
        panel = self.text(browser, "#page")
        self.assertIn("Page 0x%08x" % (self.shared * PAGE), panel)
        for env in self.model["envs"]:
            self.assertIn("[%08x]" % env["id"], panel)
        browser.keys(ESCAPE)
        browser.run("document.querySelector(arguments[0]).focus()", self.cell(self.stack - 1))
        browser.keys(RIGHT, ENTER)
        panel = self.text(browser, "#page")
        self.assertIn("has 2 references, 1 mappings found", panel)
        kept = browser.run("return [...document.querySelectorAll('.kept')].map("
                           "cell => Number(cell.dataset.page))")
        self.assertEqual(set(kept), {self.stack})
        browser.keys(ESCAPE)
        self.assertEqual(browser.run("return document.querySelectorAll('.kept').length"), 0)

    def check_environment(self, browser):
        browser.run("document.querySelector('#envs button[data-slot=\"1\"]').click()")
        self.assertIn("[00001001]", self.text(browser, "#space-title"))
        dim = browser.run("return [...document.querySelectorAll('#physical .row .cell:not(.dim)')]"
                          ".map(cell => Number(cell.dataset.page))")
        expected = {int(page) for page, detail in self.model["details"].items()
                    if any(use[0] == 1 for use in detail["uses"])}
        self.assertEqual(set(dim), expected)
        browser.run("document.querySelector('#mistakes button').click()")
        self.assertIn("has 2 references", self.text(browser, "#page"))
