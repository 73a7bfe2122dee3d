"""The tools of tools/see: where the kernel's data is, places to stop at, and make memmap-NAME."""

import json
import os
import re
import subprocess
import sys

from tests.support import TREE, KernelTest
from tools.run.child import Child
from tools.run.tool import make_folder, remove_folder
from tools.see.layout import CONSTANTS, ENUMS, STRUCTS, SYMBOLS, read_layout
from tools.see.stop import Code, PlaceError, find_place, split_place

LIMIT_SECONDS = 120


def gdb_values(kernel, expressions):
    """The values that GDB prints for these expressions, as numbers."""
    commands = [word for e in expressions
                for word in ("-ex", 'printf "%%u\\n", (unsigned)(%s)' % e)]
    done = subprocess.run(["gdb", "-n", "-batch", kernel, *commands], stdout=subprocess.PIPE,
                          encoding="utf-8", check=True)
    return [int(line) for line in done.stdout.split()]


class LayoutTest(KernelTest):
    def layout(self):
        return read_layout(self.kernel())

    def test_structs_are_those_that_gdb_finds(self):
        expected = {}
        for name, struct in self.layout()["structs"].items():
            expected["sizeof(struct %s)" % name] = struct["size"]
            for member, where in struct["members"].items():
                at = "((struct %s *)0)->%s" % (name, member)
                expected["&%s" % at] = where["offset"]
                expected["sizeof(%s)" % at] = where["size"]
                if "count" in where:
                    expected["sizeof(%s) / sizeof((%s)[0])" % (at, at)] = where["count"]
        self.assertGreater(len(expected), 2 * 80)
        self.assertEqual(dict(zip(expected, gdb_values(self.kernel(), expected))), expected)

    def test_symbols_and_enums_are_those_that_gdb_finds(self):
        layout = self.layout()
        self.assertEqual((set(layout["symbols"]), set(layout["enums"]), set(layout["structs"])),
                         (set(SYMBOLS), set(ENUMS), set(STRUCTS)))
        expected = {"&%s" % name: s["address"] for name, s in layout["symbols"].items()}
        expected.update({"sizeof(%s)" % name: s["size"] for name, s in layout["symbols"].items()
                         if s["size"]})
        expected.update(layout["enums"])
        self.assertEqual(dict(zip(expected, gdb_values(self.kernel(), expected))), expected)

    def test_constants_are_those_of_the_headers(self):
        lines = ["_Static_assert((unsigned)(%s) == %du, \"%s\");" % (name, value, name)
                 for name, value in CONSTANTS.items()]
        source = "#include <inc/env.h>\n#include <kern/check/audit.h>\n" + "\n".join(lines)
        done = subprocess.run(["gcc", "-m32", "-ffreestanding", "-fsyntax-only", "-I", TREE.root,
                               "-x", "c", "-"], input=source, stderr=subprocess.PIPE,
                              encoding="utf-8")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_make_writes_the_layout(self):
        TREE.make("-s", TREE.objdir() + "/kern/layout.json")
        self.assertEqual(json.loads(TREE.read_obj("kern", "layout.json")), self.layout())


class PlaceTest(KernelTest):
    def find(self, place, program="forktree"):
        return find_place(place, Code(self.kernel(), "the kernel"),
                          Code(TREE.obj("user", program), "the program " + program))

    def address(self, elf, function):
        """The address of a function, by GDB."""
        done = subprocess.run(["gdb", "-n", "-batch", elf, "-ex", "info address " + function],
                              stdout=subprocess.PIPE, encoding="utf-8", check=True)
        return [int(re.search(r"at(?: address)? (0x\w+)", done.stdout)[1], 16)]

    def test_functions(self):
        user = TREE.obj("user", "forktree")
        self.assertEqual(self.find("env_free"), self.address(self.kernel(), "env_free"))
        self.assertEqual(self.find("exit"), self.address(self.kernel(), "env_destroy"))
        self.assertEqual(self.find("fork"), self.address(user, "fork"))
        self.assertEqual(self.find("sys_page_map"), self.address(self.kernel(), "sys_page_map"))
        self.assertEqual(self.find("user:sys_page_map"), self.address(user, "sys_page_map"))

    def test_lines(self):
        with open(TREE.path("lib/fork.c"), encoding="utf-8") as f:
            line = f.read().split("\n").index("fork(void)") + 3  # The first statement
        addresses = self.find("fork.c:%d" % line)
        done = subprocess.run(["addr2line", "-e", TREE.obj("user", "forktree"),
                               *map(hex, addresses)], stdout=subprocess.PIPE, encoding="utf-8",
                              check=True)
        lines = re.findall(r"/lib/fork\.c:(\d+)", done.stdout)
        # Where two lines begin at the same instruction, addr2line names the first of them.
        self.assertEqual(len(lines), len(addresses))
        self.assertIn(str(line), lines)
        self.assertLessEqual(set(lines), {str(line - 1), str(line)})
        self.assertEqual(self.find("lib/fork.c:%d" % line), addresses)
        self.assertEqual(self.find("user:fork.c:%d" % line), addresses)
        # A line without code means the next line that has code.
        blank = self.find("fork.c:%d" % (line + 1))
        self.assertEqual(blank, self.find("fork.c:%d" % (line + 2)))

    def test_numbers(self):
        address = self.find("env_free")[0]
        self.assertEqual(self.find(hex(address)), [address])
        self.assertEqual(split_place("pgfault,3"), ("pgfault", 3))
        self.assertEqual(split_place("fork.c:12"), ("fork.c:12", 1))

    def test_wrong_places_are_refused(self):
        both = "the kernel and the program forktree have no "
        for place, message in (("frobnicate", both + "such function"),
                               ("kernel:fork", "the kernel has no such function"),
                               ("lib:fork", both + "such function"),
                               ("fork.c:99999", both + "code at this line or below it"),
                               ("nofile.c:1", both + "code at this line or below it"),
                               ("user:kern/env.c:1", "the program forktree has no code"),
                               ("0x1234", both + "code there")):
            with self.subTest(place=place), self.assertRaisesRegex(PlaceError, message):
                self.find(place)
        for place in ("", ",2", "fork,", "fork,0", "fork,x", "fork,1,2"):
            with self.subTest(place=place), self.assertRaisesRegex(PlaceError, "expected a place"):
                split_place(place)


class MemmapToolTest(KernelTest):
    slow = True

    def setUp(self):
        super().setUp()
        self.folder = make_folder("jos-")
        self.addCleanup(remove_folder, self.folder)

    def run_tool(self, *args):
        """Run memmap.py. Returns its exit status, its output, and the page, or None."""
        page = os.path.join(self.folder, "page.html")
        with Child([sys.executable, TREE.path("tools/see/memmap.py"), "-o", page, *args],
                   limit=LIMIT_SECONDS * 2, merge=True, tool=True) as child:
            status = child.wait_for_end()
            text = None
            if os.path.exists(page):
                with open(page, encoding="utf-8") as f:
                    text = f.read()
            return status, child.output, text

    def model(self, page):
        found = re.findall(r'(?s)<script type="application/json" id="model">(.*?)</script>', page)
        self.assertEqual(len(found), 1)
        return json.loads(found[0])

    def test_page_is_one_file_with_the_model(self):
        status, output, page = self.run_tool("forktree")
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"stopped at env_destroy \(kern/env\.c:\d+\) on CPU 0: "
                                 r"\d+ environments, \d+ pages in use, \d+ free, no errors\n")
        self.assertNotRegex(page, r"@[A-Z]+@|https?:|\bsrc=|\bhref=|@import|url\(")
        model = self.model(page)
        self.assertEqual((model["program"], model["errors"]), ("forktree", []))
        self.assertEqual({env["program"] for env in model["envs"]}, {"forktree"})
        self.assertEqual(sum(run[1] for run in model["pages"]), model["npages"])
        kinds = {run[2] for run in model["pages"]}
        self.assertLessEqual({"free", "kernel", "stack", "unusable", "private", "cow", "directory",
                              "table", "read"}, kinds)

    def test_place_in_a_program_on_four_cpus(self):
        status, output, page = self.run_tool("forktree", "--cpus", "4", "--at", "fork,2")
        self.assertEqual(status, 0, output)
        model = self.model(page)
        self.assertEqual(len(model["cpus"]), 4)
        stop = model["stop"]
        self.assertRegex(stop["at"], r"^fork \(lib/fork\.c:\d+\)$")
        self.assertEqual(model["cpus"][stop["cpu"]]["at"], stop["at"])
        if stop["settled"]:
            self.assertEqual(model["errors"], [])

    def test_nth_time(self):
        # forktree makes 15 environments. Each ends by itself.
        envs = []
        for place in ("exit", "exit,4", "exit,15"):
            status, output, page = self.run_tool("forktree", "--at", place)
            self.assertEqual(status, 0, output)
            model = self.model(page)
            self.assertEqual(model["errors"], [])
            envs.append({env["id"] for env in model["envs"]})
        self.assertEqual(len(envs[2]), 1)  # The last of 15
        self.assertTrue(envs[2] - envs[0])

    def test_place_that_is_not_reached(self):
        status, output, page = self.run_tool("hello", "--at", "pgfault")
        self.assertEqual((status, page), (1, None))
        self.assertIn("no such function", output)
        status, output, page = self.run_tool("hello", "--at", "umain,2")
        self.assertEqual((status, page), (1, None))
        self.assertIn("AT=umain,2: hello has ended", output)
        self.assertIn("hello, world", output)

    def test_make_passes_the_settings(self):
        plan = TREE.make("-n", "memmap-user_hello", "AT=umain,2", "CPUS=3", "MEM=64",
                         "QEMUEXTRA=-cpu max")
        self.assertRegex(plan, r"memmap\.py --at='umain,2' --cpus 3 --memory 64 \\?\s*"
                               r"--qemu-options='-cpu max' hello\n")
        for place in ("it's", "-x", "a b", '"'):
            done = TREE.run_make("memmap-hello", "AT=" + place)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("AT=%s: the kernel and the program hello have no such function" % place,
                          done.stdout)
        done = TREE.run_make("memmap-nosuchprogram")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("There is no program user/nosuchprogram.c", done.stdout)

    def test_unknown_program(self):
        status, output, _ = self.run_tool("nosuchprogram")
        self.assertEqual((status, output), (1, "there is no program user/nosuchprogram.c\n"))
