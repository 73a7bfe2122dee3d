"""Memory as a picture: the monitor's command memmap, and the model of tools/see/memory.py. Both
show what GDB has damaged, and find nothing wrong with a kernel that works."""

import re

from tests.support import KernelTest, run_gdb
from tools.run.machine import SCREEN_ADDRESS
from tools.see.layout import read_layout
from tools.see.memory import Memory

RED = "\033[0;97;41m"     # On the serial line: white on red
SCREEN_RED = b"!\x4f"     # The same in the screen's memory
COLOURS = r"\033\[[0-9;]*m"


def entry(env, va):
    """The page table entry of va in envs[env], as a GDB expression."""
    return "{unsigned}(0xf0000000 + (envs[%d].env_pgdir[%d] & ~0xfff) + %d)" % (
        env, va >> 22, (va >> 12 & 0x3ff) * 4)


TEXT, STACK, UNUSED = 0x800000, 0xeebfd000, 0x810000
FREE_PAGE = "(unsigned)(page_free_list - pages)"

# GDB damages the kernel's data after `stuck` has run: five environments wait, 1000, 1001, 1002,
# 1004 and 1005. {name: (GDB's command, the number of the page that must be red, the error)}. In the
# command, $page is that number; in the error, PAGE is its address.
DAMAGE = {
    "a reference too many": (
        "pages[$page].pp_ref++", entry(0, STACK) + " >> 12",
        r"page PAGE has 2 references, 1 mappings found"),
    "a reference too few": (
        "pages[$page].pp_ref--", entry(0, TEXT) + " >> 12",
        r"page PAGE has 4 references, 5 mappings found.*"),
    "a free page that is mapped": (
        entry(0, UNUSED) + " = $page << 12 | 7", FREE_PAGE,
        r"page PAGE is on the free list, but in use"),
    "a page table of another environment": (
        entry(0, UNUSED) + " = $page << 12 | 7", "envs[1].env_pgdir[2] >> 12",
        r"page PAGE is the kernel's, but mapped elsewhere.*"),
    "a page of another environment": (
        entry(0, UNUSED) + " = $page << 12 | 7", entry(1, STACK) + " >> 12",
        r"page PAGE has 1 references, 2 mappings found.*"),
    "a lost page": (
        "page_free_list = page_free_list->pp_link", FREE_PAGE,
        r"page PAGE is lost: neither in use nor free"),
    "a forbidden bit": (
        entry(0, STACK) + " |= 0x100", entry(0, STACK) + " >> 12",
        r"\[00001000\] va 0x%x is mapped as \w{8}" % STACK),
}
# A mistake of a program, not of the kernel: the audit does not report it.
BROKEN_COW = entry(0, 0x804000)


SIGNS = {"free": ".", "unusable": "-", "kernel": "K", "kernel table": "K", "stack": "S",
         "directory": "D", "table": "T", "fpu": "F", "cow": "&", "read": "=", "shared": "*"}
# In a character for several pages, the last of these wins. "0" is any environment.
RANKS = ".-KSFTD0=*&!"


def sign_of(model, page):
    """The sign that a page must have in the monitor."""
    kind = model.kind(page)
    return SIGNS.get(kind) or "0123456789abcdefghijklmnopqrstuvwxyz"[model.users(page)[0].slot % 36]


def rank(sign):
    return RANKS.index(sign if sign in RANKS else "0")


class MemmapTest(KernelTest):
    def image(self, machine):
        """The model of a machine that waits at the prompt."""
        size = machine.qmp("query-memory-size-summary")["base-memory"]
        return Memory(machine.physical_memory(0, size), read_layout(self.kernel()))

    def damaged(self, *commands):
        """A machine at the prompt after `stuck` has run and, after the kernel's own audit, GDB has
        run these commands. Returns the machine and the numbers that GDB has printed."""
        machine = self.boot("stuck", cpus=2, gdb=True)
        output = run_gdb(machine, "break monitor", "continue", *commands, "delete", "detach")
        machine.run_to_prompt()
        return machine, [int(n) for n in re.findall(r"\$\d+ = (\d+)\n", output)]

    def signs(self, picture):
        """{page number: sign} of the rows of a picture."""
        found = {}
        for start, row in re.findall(r"(?m)^([0-9a-f]{8}) (\S+)$", re.sub(COLOURS, "", picture)):
            found.update({(int(start, 16) >> 12) + i: sign for i, sign in enumerate(row)})
        return found

    def test_model_and_monitor_agree(self):
        machine = self.boot("stuck", cpus=4)
        machine.run_to_prompt()
        picture, model = machine.command("memmap"), self.image(machine)
        audit = re.search(r"(?m)^audit: (\d+) pages, (\d+) environments, balanced$", picture)
        self.assertTrue(audit, picture)
        self.assertEqual((model.used, len(model.envs)), (int(audit[1]), int(audit[2])))
        self.assertEqual(model.errors, [])
        signs = self.signs(picture)
        self.assertGreater(len(signs), 200)
        for page, sign in signs.items():
            self.assertEqual(sign, sign_of(model, page), hex(page << 12))
        self.assertLessEqual({"0", "1", "2", "4", "5", "&", "=", "D", "T"}, set(signs.values()))
        self.assertNotIn(RED, picture)

    def test_each_kind_of_damage_is_red(self):
        self.may_panic = True  # The machine does not panic, but its audits find errors.
        for name, (command, page, error) in DAMAGE.items():
            with self.subTest(damage=name):
                machine, (number,) = self.damaged(
                    "print/d " + page, "set $page = " + page,
                    "set var " + command)
                self.assert_red(machine, number,
                                "audit: " + error.replace("PAGE", "0x%08x" % (number << 12)))
                machine.stop()

    def assert_red(self, machine, page, error):
        """Both must show the page in red, with the error. `error` is a pattern for the monitor's
        line, which has the prefix "audit: "."""
        picture, model = machine.command("memmap"), self.image(machine)
        self.assertEqual(self.signs(picture).get(page), "!", picture)
        self.assertIn(RED + "!", picture)
        self.assertIn(SCREEN_RED, machine.physical_memory(SCREEN_ADDRESS, 0x8000))
        self.assert_lines(re.sub(COLOURS, "", picture), [error])
        texts = [e["text"] for e in model.errors if e["page"] == page]
        pattern = error.replace("audit: ", "")
        self.assertTrue(any(re.fullmatch(pattern, text) for text in texts), model.errors)

    def test_broken_copy_on_write_is_red(self):
        machine, (number,) = self.damaged(
            "print/d %s >> 12" % BROKEN_COW, "set var %s = (%s & ~0x800) | 2" % (
                BROKEN_COW, BROKEN_COW))
        picture = re.sub(COLOURS, "", machine.command("memmap"))
        self.assertIn("page 0x%08x is copy-on-write, but an environment can write to it\n"
                      % (number << 12), picture)
        self.assertRegex(picture, r"(?m)^audit: .* balanced$")
        self.assertEqual(self.signs(picture)[number], "!")
        errors = self.image(machine).errors
        self.assertEqual([e["page"] for e in errors], [number])
        self.assertRegex(errors[0]["text"], r"is copy-on-write in .*\[00001001\].*, but "
                                            r"\[00001000\] can write to it")

    def test_views_of_an_environment_and_of_a_page(self):
        machine = self.boot("stuck")
        machine.run_to_prompt()
        model = self.image(machine)
        env = model.envs[0]
        space = re.sub(COLOURS, "", machine.command("memmap %x" % env.id))
        signs = self.signs(space)
        self.assertEqual({page for page, sign in signs.items() if sign != "."},
                         {va >> 12 for va, _, _ in env.maps})
        self.assertEqual((signs[TEXT >> 12], signs[STACK >> 12]), ("R", "w"))
        va, page, _ = env.maps[0]
        answer = re.sub(COLOURS, "", machine.command("memmap page %x" % (page << 12)))
        self.assertIn("page 0x%08x = pp_ref is %d\n" % (page << 12, model.refs[page]), answer)
        self.assertEqual(re.findall(r"\[(\w{8})\] va 0x%08x, read-only" % va, answer),
                         ["%08x" % e.id for e in model.envs])
        answer = machine.command("memmap page %x" % (env.pgdir - 0xf0000000))
        self.assertIn("  [%08x] page directory\n" % env.id, answer)
        part = self.signs(machine.command("memmap 8000 9fff"))
        self.assertEqual(sorted(part), [8, 9])

    def test_addresses_beyond_memory_are_refused(self):
        machine = self.boot("")
        machine.run_to_prompt()
        for words in ("10000000 20000000", "page fffff000"):
            self.assertIn("Physical memory ends at 0x", machine.command("memmap " + words))

    def test_picture_fits_the_screen(self):
        # 65 environments have pages in more rows than are printed: a character is several pages.
        machine = self.boot("")
        machine.run_to_prompt()
        start = len(machine.output)
        machine.send("run" + " stuck" * 13 + "\n")
        machine.wait_for(r"No runnable environments[^$]*K> \Z", start)
        picture = machine.command("memmap")
        scale = int(re.search(r"A character is (\d) pages of 4 KB", picture)[1])
        rows = re.findall(r"(?m)^([0-9a-f]{8}) (\S+)$", re.sub(COLOURS, "", picture))
        self.assertLessEqual(len(re.findall(r"(?m)^[0-9a-f]{8} ", picture)), 16)
        model = self.image(machine)
        for start, row in rows:
            for i, sign in enumerate(row):
                first = (int(start, 16) >> 12) + i * scale
                signs = [sign_of(model, page)
                         for page in range(first, min(first + scale, model.npages))]
                self.assertEqual(sign, max(signs, key=rank), hex(first << 12))
        self.assertRegex(picture, r"(?m)^\.\.\. and \d+ more environments$")
        self.assertRegex(picture, r"(?m)^audit: \d+ pages, \d+ environments, balanced$")
