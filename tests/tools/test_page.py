"""tools/see/page.py, without a browser: the parts of the page, wrong models, names with HTML."""

import base64
import copy
import gzip
import html.parser
import json
import os
import re
import struct
import subprocess
import sys

from tests.browser.simulate import simulate
from tests.tools.fakes import FakesTest
from tools.run.buildtree import ROOT
from tools.see import page

SIZES = {"d": 8, "i": 4, "I": 4, "B": 1}
NASTY = "</script><script>alert(1)</script><!-- <b>&amp; \u2028 'x' \"y\" @SCRIPT@ @MODEL@"


class Parts(html.parser.HTMLParser):
    """The elements of a page: tags, the text of each script, addresses in attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.addresses = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags[-1:] == ["script"]:
            self.scripts[-1] += data


def unpack(packed):
    """The columns that a page has packed."""
    data, columns, at = gzip.decompress(base64.b64decode(packed["data"])), {}, 0
    for name, code, _, _ in page.COLUMNS:
        size = SIZES[code] * packed["count"]
        columns[name] = list(struct.unpack("<%d%s" % (packed["count"], code), data[at:at + size]))
        at += size
    for i in range(1, packed["count"]):
        columns["t"][i] += columns["t"][i - 1]
    assert at == len(data)
    return columns


class PageTest(FakesTest):
    def model(self):
        return copy.deepcopy(MODEL)

    def embedded(self, text):
        """The model in a page."""
        return json.loads(Parts(text).scripts[0])

    def test_one_file_without_addresses(self):
        text = page.page_text(self.model())
        parts = Parts(text)
        self.assertEqual(parts.addresses, ["data:,"])
        self.assertEqual(len(parts.scripts), 2)
        self.assertEqual(re.findall(r"\w+://\S*", text), [])
        self.assertIn("default-src 'none'", text)
        self.assertIn("<title>primes on 2 CPUs</title>", text)
        self.assertNotRegex(text, "@[A-Z]+@")

    def test_all_modules_are_in_the_script(self):
        script = page.bundle()
        for name in os.listdir(page.FOLDER):
            if name.endswith(".js"):
                self.assertIn("// ---- %s ----\n" % name, script)
        self.assertNotRegex(script, r"(?m)^(import|export)\b")
        self.assertLess(script.index("---- track.js"), script.index("---- intervals.js"))

    def test_lines_fit(self):
        for name in os.listdir(page.FOLDER):
            with open(os.path.join(page.FOLDER, name), encoding="utf-8") as f:
                for number, line in enumerate(f, 1):
                    self.assertLessEqual(len(line.rstrip("\n")), 100, "%s:%d" % (name, number))

    def test_model_survives(self):
        model = self.model()
        found = self.embedded(page.page_text(model))
        packed = found.pop("packed")
        events = model.pop("events")
        self.assertEqual(found, model)
        self.assertEqual(unpack(packed), events)

    def test_largest_numbers_survive(self):
        model = self.model()
        model["events"] = {"t": [0, 2 ** 53 - 1], "cpu": [1, 0], "kind": [15, 0],
                           "env": [2 ** 31 - 1, 0], "arg": [2 ** 32 - 1, 0], "place": [-1, 10]}
        self.assertEqual(unpack(self.embedded(page.page_text(model))["packed"]), model["events"])

    def test_no_events(self):
        model = self.model()
        model["events"] = {name: [] for name in model["events"]}
        self.assertEqual(self.embedded(page.page_text(model))["packed"]["count"], 0)

    def test_names_are_no_html(self):
        model = self.model()
        model["program"] = model["envs"][0]["program"] = model["places"][0] = NASTY
        text = page.page_text(model)
        parts, plain = Parts(text), Parts(page.page_text(self.model()))
        self.assertEqual(parts.tags, plain.tags)
        self.assertEqual(parts.scripts[1], plain.scripts[1])
        found = self.embedded(text)
        self.assertEqual((found["program"], found["places"][0]), (NASTY, NASTY))

    def assert_refused(self, words, **members):
        model = self.model()
        model.update(members)
        with self.assertRaisesRegex(page.PageError, words):
            page.check_model(model)

    def test_wrong_members(self):
        for model in (None, [], "x"):
            with self.assertRaisesRegex(page.PageError, "not an object"):
                page.check_model(model)
        for name in page.MEMBERS:
            model = self.model()
            del model[name]
            if page.MEMBERS[name][1]:
                page.check_model(model)
            else:
                with self.assertRaisesRegex(page.PageError, "there is no '%s'" % name):
                    page.check_model(model)
        self.assert_refused("version 2", version=2)
        self.assert_refused("0 CPUs", cpus=0)
        self.assert_refused("type of 'cpus'", cpus="2")
        self.assert_refused("ticks_per_second", ticks_per_second=0)
        self.assert_refused("'places'", places=[1])
        self.assert_refused("'traps'", traps={"3": 4})
        self.assert_refused("'id' or 'program'", envs=[{"id": 4096}])
        self.assert_refused("'lost'", lost=[-1])

    def test_wrong_events(self):
        events = self.model()["events"]
        count = len(events["t"])
        for name, values, words in (
                ("t", [0] * (count - 1), "not as long"), ("arg", None, "not as long"),
                ("t", [1.5] * count, "integers"), ("kind", [True] * count, "integers"),
                ("t", list(range(count, 0, -1)), "order of time"),
                ("t", [-1] * count, "'t' is out of range"),
                ("cpu", [2] * count, "'cpu' is out of range"),
                ("kind", [16] * count, "'kind' is out of range"),
                ("place", [11] * count, "'place' is out of range"),
                ("place", [-2] * count, "'place' is out of range"),
                ("arg", [2 ** 32] * count, "'arg' is out of range"),
                ("env", [2 ** 31] * count, "'env' is out of range")):
            with self.subTest(name=name, words=words):
                self.assert_refused(words, events=dict(events, **{name: values}))

    def run_tool(self, *args):
        done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "see", "page.py"),
                               *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", cwd=self.dir)
        return done.returncode, done.stdout

    def test_command(self):
        model = self.write("model.json", json.dumps(self.model()))
        self.assertEqual(self.run_tool(model, "out.html"), (0, ""))
        with open(os.path.join(self.dir, "out.html"), encoding="utf-8") as f:
            self.assertEqual(self.embedded(f.read())["program"], "primes")
        self.assertEqual(self.run_tool(model), (1, "usage: page.py MODEL.json PAGE.html\n"))
        self.assertEqual(self.run_tool("none.json", "x.html"),
                         (1, "page.py: none.json: No such file or directory\n"))
        status, said = self.run_tool(self.write("bad.json", "{"), "x.html")
        self.assertRegex(said, "bad.json: not a JSON file")
        status, said = self.run_tool(self.write("wrong.json", "{}"), "x.html")
        self.assertEqual((status, said), (1, "wrong model: there is no 'version'\n"))
        self.assertFalse(os.path.exists(os.path.join(self.dir, "x.html")))


class BundleTest(FakesTest):
    """The bundle of modules, with small modules in place of the viewer's."""

    def bundle(self, **modules):
        folder = page.FOLDER
        self.addCleanup(setattr, page, "FOLDER", folder)
        page.FOLDER = self.dir
        for name, text in modules.items():
            self.write(name + ".js", text)
        return re.sub(r"// ---- .*\n\n", "", page.bundle())

    def test_order(self):
        self.assertEqual(self.bundle(
            main='import { a } from "./a.js";\nimport {\n    b,\n} from "./b.js";\nf(a, b);\n',
            a='import { b } from "./b.js";\nexport const a = b;\n',
            b="export const b = 1;\n").split("\n"),
            ["const b = 1;", "", "const a = b;", "", "f(a, b);", ""])

    def test_errors(self):
        for words, modules in (
                ("import each other: main.js, a.js, main.js",
                 {"main": 'import { a } from "./a.js";\n',
                  "a": 'import { b } from "./main.js";\n'}),
                ("page/b.js is missing", {"main": 'import { b } from "./b.js";\n'}),
                ("may not contain: import", {"main": 'import x from "y";\n'}),
                ("may not contain: export", {"main": "export default 1;\n"}),
                ("may not contain: </script", {"main": '"</script>";\n'}),
                ("'as' in an import", {"main": 'import { a as b } from "./a.js";\n'})):
            with self.subTest(words=words):
                with self.assertRaisesRegex(page.PageError, words):
                    self.bundle(**modules)


MODEL = simulate(cpus=2, events=500, envs=5)
