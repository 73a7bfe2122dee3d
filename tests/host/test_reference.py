"""docs/reference/: each table is compared with the source that it describes."""

import glob
import os
import re
import subprocess
import tempfile
import unittest

from tools.run.buildtree import Tree

TREE = Tree()
PAGES = ("memory", "calls", "traps", "environment", "printed")

# The files whose messages docs/reference/printed.md lists. It leaves out the monitor, and the rows
# of the registers that have only a name and a value.
PRINTING = ("kern/*.c", "kern/dev/*.c", "kern/challenge/*.c", "kern/check/pmap_check.c",
            "lib/panic.c")
MONITOR = "kern/monitor.c"
REGISTER_ROW = r"  (%-4s|es  |ds  |eip |cs  |flag|esp |ss  ) 0x(%08x|----%04x)"

# Errors in a call's functions that are not results of the call: those of a waiting sender; an error
# after which the kernel repeats the call
NOT_RETURNED = {"ipc_recv": {"E_NO_MEM"}, "batch": {"E_NO_MEM"}}


def read(name):
    with open(TREE.path(*name.split("/")), encoding="utf-8") as f:
        return f.read()


def code(name):
    """The text of a source file without comments, and with blanks as they come."""
    return re.sub(r"//.*", "", read(name))


def tables(page):
    """The tables of a page: lists of rows, which are lists of cells without backquotes at both
    ends. The head of a table is left out."""
    result, lines = [], read("docs/reference/%s.md" % page).splitlines()
    for line, before in zip(lines, [""] + lines):
        if re.match(r"\|[-:| ]+\|$", line):
            result.append([])
        elif line.startswith("|") and before.startswith("|"):
            result[-1].append([cell.strip() for cell in line[1:-1].split("|")])
    return result


def table(page, number):
    return tables(page)[number]


def name_in(cell):
    """The text of a cell that is one text in backquotes."""
    return re.fullmatch("`([^`]*)`", cell)[1]


def names_in(cell):
    return re.findall("`([^`]*)`", cell)


def list_of(name, macro):
    """The entries of a list macro X(...) in a header: lists of arguments."""
    body = re.search(r"#define %s\(X\)((?:.*\\\n)*.*)" % macro, code(name))[1]
    return [[word.strip(' "') for word in re.split(", ?", entry)]
            for entry in re.findall(r"\bX\(([^()]*(?:\([^()]*\))?[^()]*)\)", body)]


def values(header, names):
    """The values of macros, as a C compiler computes them."""
    rows = "".join('printf("%%u\\n", (unsigned)(unsigned long)(%s));' % name for name in names)
    text = "int printf(const char *, ...);\n#include <inc/%s>\nint main(void) {%s}" % (header, rows)
    with tempfile.TemporaryDirectory(prefix="jos-reference-") as folder:
        program = os.path.join(folder, "values")
        subprocess.run([os.environ.get("HOST_CC", "gcc"), "-w", "-I", TREE.root, "-x", "c", "-",
                        "-o", program], input=text, encoding="utf-8", check=True)
        done = subprocess.run([program], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return dict(zip(names, map(int, done.stdout.split())))


def macros(header):
    """The names of the macros without parameters that a header defines with a value."""
    return re.findall(r"(?m)^#define (\w+) +\S", code(header))


def enum(header, first):
    """The names of the enum that begins with `first`, in order."""
    return re.findall(r"\w+", re.search(r"enum \{\s*(%s = 0,[\w\s,]*)\}" % first,
                                        code(header))[1].replace("= 0", ""))


class PagesTest(unittest.TestCase):
    def test_pages_name_files_that_exist(self):
        for page in ("README", *PAGES):
            for file in re.findall(r"`((?:[\w-]+/)+[\w.-]+\.\w+)`",
                                   read("docs/reference/%s.md" % page)):
                self.assertTrue(os.path.exists(TREE.path(*file.split("/"))), file)

    def test_lines_outside_tables_are_short(self):
        for page in ("README", *PAGES):
            for line in read("docs/reference/%s.md" % page).splitlines():
                self.assertTrue(line.startswith("|") or len(line) <= 100, line)


class MemoryTest(unittest.TestCase):
    def check(self, header, rows, all_names):
        names = [name_in(row[0]) for row in rows]
        self.assertEqual(sorted(names), sorted(all_names))
        found = values(header, names)
        self.assertEqual({name_in(row[0]): row[1] for row in rows},
                         {name: "0x%08x" % value for name, value in found.items()})

    def test_memory_map(self):
        virtual, physical, sizes, selectors, _ = tables("memory")
        units = {"PGSIZE", "PTSIZE"}  # In inc/mmu.h
        self.check("memlayout.h", virtual + physical + sizes + selectors,
                   set(macros("inc/memlayout.h")) | units)

    def test_addresses_are_in_order(self):
        for number in (0, 1):
            addresses = [row[1] for row in table("memory", number)]
            self.assertEqual(addresses, sorted(addresses, reverse=number == 0))

    def test_bits_of_a_page_table_entry(self):
        self.check("mmu.h", table("memory", 4),
                   [name for name in macros("inc/mmu.h") if name.startswith("PTE_")])


class CallsTest(unittest.TestCase):
    def setUp(self):
        lab, ours, *_ = tables("calls")
        self.rows = [(int(number), name_in(call), names_in(errors))
                     for number, call, errors in lab + ours]
        self.names = [re.search(r"sys_(\w+)\(", call)[1] for _, call, _ in self.rows]

    def test_numbers_and_arguments(self):
        calls = list_of("inc/syscall.h", "LAB_SYSCALLS") + list_of("inc/syscall.h",
                                                                   "CHALLENGE_SYSCALLS")
        for i, ((number, call, _), (name, nargs)) in enumerate(zip(self.rows, calls)):
            self.assertEqual((number, self.names[i]), (i, name))
            arguments = call[call.index("(") + 1:-1]
            self.assertEqual(0 if arguments == "void" else arguments.count(",") + 1, int(nargs))
        self.assertEqual(len(self.rows), len(calls))
        strides = list_of("inc/syscall.h", "STRIDE_SYSCALLS")
        self.assertIn("call %d is `sys_%s`" % (len(calls), strides[0][0]),
                      " ".join(read("docs/reference/calls.md").split()))

    def test_calls_of_the_challenges_are_in_the_second_table(self):
        self.assertEqual(len(table("calls", 0)), len(list_of("inc/syscall.h", "LAB_SYSCALLS")))
        self.assertIn("from %d on are in `kern/challenge/`" % len(table("calls", 0)),
                      " ".join(read("docs/reference/calls.md").split()))

    def test_prototypes(self):
        header = " ".join(code("inc/lib.h").split())
        for _, call, _ in self.rows:
            self.assertRegex(header, re.escape(call) + "(;| {)")

    def test_errors_have_rows(self):
        texts = table("calls", 3)
        self.assertEqual([[number, name_in(name), text] for number, name, text in texts],
                         list_of("inc/error.h", "ERRORS"))
        used = {error for _, _, errors in self.rows for error in errors}
        self.assertEqual({name_in(row[0]) for row in table("calls", 2)}, used)

    def functions(self):
        """The bodies of the functions in kern/ and kern/challenge/: {name: text}."""
        found = {}
        for pattern in ("kern/*.[ch]", "kern/challenge/*.[ch]"):
            for path in glob.glob(TREE.path(*pattern.split("/"))):
                text = code(os.path.relpath(path, TREE.root))
                for name, body in re.findall(r"(?ms)^(\w+)\([^;{]*\)\n\{(.*?)^\}", text):
                    found[name] = found.get(name, "") + body
        return found

    def errors(self, name, functions, seen):
        """The errors that a function can return: its own, and those of functions whose results it
        uses."""
        seen.add(name)
        body = functions[name]
        found = set(re.findall(r"-(E_\w+)", body))
        for called in set(re.findall(r"(?:return|=) (\w+)\(", body)) & set(functions) - seen:
            found |= self.errors(called, functions, seen)
        return found

    def test_errors_of_the_kernels_functions(self):
        """The errors in the row of a call are those that its function can return. A wait ends with
        an error that another call's function sets."""
        functions = self.functions()
        for name, (_, _, errors) in zip(self.names, self.rows):
            found = self.errors("sys_" + name, functions, set())
            if name in ("ipc_recv", "ipc_send", "ipc_call", "cgetc_wait"):
                found |= {"E_UNSPECIFIED"}
            self.assertEqual(set(errors), found - NOT_RETURNED.get(name, set()), name)


class TrapsTest(unittest.TestCase):
    def test_exceptions(self):
        rows = table("traps", 0)
        self.assertEqual([[row[0], name_in(row[1]), row[2]] for row in rows],
                         list_of("inc/trap.h", "TRAPS"))
        mask = values("trap.h", ["TRAP_ERRCODES"])["TRAP_ERRCODES"]
        self.assertEqual([row[3] == "yes" for row in rows],
                         [bool(mask >> int(row[0]) & 1) for row in rows])

    def test_exceptions_that_programs_handle(self):
        possible = re.search(r"#define POSSIBLE((?:.*\\\n)*.*)",
                             code("kern/challenge/exceptions.c"))[1]
        self.assertEqual({name_in(row[1]) for row in table("traps", 0) if row[4] == "yes"},
                         set(re.findall(r"\bT_\w+", possible)))

    def test_vectors_that_programs_may_use(self):
        used = re.findall(r"vector == (T_\w+)", code("kern/trap.c"))
        found = sorted(values("trap.h", used).values())
        self.assertIn("the vectors %d, %d and %d." % tuple(found),
                      " ".join(read("docs/reference/traps.md").split()))

    def test_interrupts(self):
        rows = table("traps", 1)
        names = [name_in(row[1]) for row in rows]
        found = values("trap.h", names)
        self.assertEqual([int(row[0]) for row in rows], [found[name] for name in names])
        defined = {"IRQ_OFFSET + " + name for name in macros("inc/trap.h")
                   if re.match("IRQ_(?!OFFSET|ERROR)", name)}
        defined |= {name for name in macros("inc/trap.h") if re.match("T_[A-Z]", name)}
        self.assertEqual(set(names), defined)

    def test_bits_of_a_page_fault(self):
        rows = table("traps", 2)
        names = [name_in(row[1]) for row in rows]
        self.assertEqual([int(row[0], 16) for row in rows],
                         list(values("mmu.h", names).values()))
        for row in rows:
            self.assertRegex(code("kern/trap.c"),
                             r'%s \? "%s" : "%s"' % (name_in(row[1]), row[2], row[3]))


class EnvironmentTest(unittest.TestCase):
    def test_states(self):
        self.assertEqual([(int(row[0]), name_in(row[1])) for row in table("environment", 0)],
                         list(enumerate(enum("inc/env.h", "ENV_FREE"))))

    def test_members(self):
        body = re.search(r"(?s)\nstruct Env \{\n(.*?)\n\};", code("inc/env.h"))[1]
        members = re.findall(r"\b(env_\w+)(?:\[[^]]*\])?[,;]", body)
        listed = [name for row in table("environment", 1) for name in names_in(row[0])]
        self.assertEqual(listed, members)


class PrintedTest(unittest.TestCase):
    def setUp(self):
        self.listed = [name_in(row[0]) for rows in tables("printed") for row in rows]

    def formats(self, function, patterns):
        """The formats of all calls of a function in the files, without line ends at both ends."""
        result = []
        for pattern in patterns:
            for path in sorted(glob.glob(TREE.path(*pattern.split("/")))):
                name = os.path.relpath(path, TREE.root)
                if name != MONITOR:
                    result += re.findall(r'\b%s\(\s*"((?:[^"\\]|\\.)*)"' % function, code(name))
        return [text.replace("\\n", "") for text in result]

    def test_each_message_is_listed(self):
        printed = [text for text in self.formats("cprintf", PRINTING)
                   if not re.fullmatch(REGISTER_ROW, text)]
        self.assertGreater(len(printed), 30)
        self.assertEqual(set(printed) - set(self.listed), set())

    def test_each_listed_message_is_printed(self):
        printed = self.formats("cprintf", PRINTING)
        printed += self.formats("panic", ("kern/*.c", "kern/check/*.c"))
        self.assertEqual(set(self.listed) - set(printed), set())
        self.assertEqual(len(self.listed), len(set(self.listed)))


class OtherPagesTest(unittest.TestCase):
    """The tables in docs/make.md and docs/monitor.md to which the reference points."""

    def test_options_of_the_command_line(self):
        options = re.search(r"(?s)\} options\[\] = \{(.*?)\n\};", code("kern/init.c"))[1]
        known = {name.rstrip("=") for name in re.findall(r'\{ "([\w=]+)"', options)}
        self.assertGreater(len(known), 3)
        part = read("docs/make.md").split("| option | effect |")[1]
        listed = {re.split("=", name)[0] for row in re.findall(r"(?m)^\| (`.*?`) \|", part)
                  for name in names_in(row)}
        self.assertEqual(listed, known)

    def test_commands_of_the_monitor(self):
        commands = re.search(r"(?s)commands\[\] = \{(.*?)\n\};", code("kern/monitor.c"))[1]
        listed = re.findall(r"(?m)^\| `(\w+)` \|", read("docs/monitor.md").split("## Keys")[0])
        self.assertEqual(listed, re.findall(r'\{ "(\w+)", "', commands))

    def test_targets_of_make(self):
        part = read("docs/make.md").split("## Settings")[0]
        listed = {name for cell in re.findall(r"(?m)^\| (`.*?) \|", part)
                  for text in names_in(cell) for name in text.replace("make ", "").split()}
        for target in re.findall(r"(?m)^  make ([\w.-]+)", read("conf/help.txt")):
            if target not in ("all", "help"):
                self.assertIn(target, listed)


if __name__ == "__main__":
    unittest.main()
