"""The tools of make trace-NAME (tools/see/): reading rings, checking, adding up, writing."""

import os
import struct
import tempfile
import unittest

from tools.run.buildtree import Tree
from tools.see import perfetto
from tools.see.check import check, check_times
from tools.see.decode import call_names, kind_names, merge, trap_names
from tools.see.places import describe
from tools.see.rings import KERNBASE, PAGE, PAGE_RECORDS, RECORD, Rings
from tools.see.summary import IDLE, KERNEL, USER, add_up, summarize

KINDS = kind_names(Tree())
A, B = 0x1000, 0x1001

# Two CPUs: time, CPU, kind, environment, argument. CPU 0 makes A, which makes B. CPU 1 runs B,
# which waits for a message. A sends it, ends, and CPU 0 is idle.
STORY = [
    (0, 0, "lock_taken", 0, 0), (1, 0, "fork", 0, A), (2, 0, "run", A, A),
    (3, 0, "lock_drop", A, 0), (4, 0, "leave", A, 0),
    (14, 0, "enter", A, 0x730), (15, 0, "lock_taken", A, 0), (16, 0, "fork", A, B),
    (17, 1, "lock_wait", 0, 0), (18, 1, "lock_sleep", 0, 0),
    (20, 0, "lock_drop", A, 0), (21, 0, "ipi", A, 1 << 8 | 240), (22, 0, "leave", A, 0),
    (23, 1, "interrupt", 0, 240), (24, 1, "lock_taken", 0, 0), (25, 1, "run", B, B),
    (26, 1, "lock_drop", B, 0), (27, 1, "leave", B, 0),
    (30, 1, "enter", B, 14), (31, 1, "lock_taken", B, 0), (32, 1, "fault", B, 0xdeadbeef),
    (33, 1, "lock_drop", B, 0), (34, 1, "leave", B, 0),
    (40, 1, "enter", B, 0xc30), (41, 1, "lock_taken", B, 0), (42, 1, "block", B, 0),
    (43, 1, "idle", 0, 0), (44, 1, "lock_drop", 0, 0), (45, 1, "halt", 0, 0),
    (50, 0, "enter", A, 0xb30), (51, 0, "lock_taken", A, 0), (52, 0, "message", A, B),
    (53, 0, "lock_drop", A, 0), (54, 0, "leave", A, 0),
    (60, 1, "interrupt", 0, 240), (61, 1, "lock_taken", 0, 0), (62, 1, "run", B, B),
    (63, 1, "lock_drop", B, 0), (64, 1, "leave", B, 0),
    (70, 0, "enter", A, 0x330), (71, 0, "lock_taken", A, 0), (72, 0, "destroy", A, A),
    (73, 0, "idle", 0, 0), (74, 0, "lock_drop", 0, 0), (75, 0, "halt", 0, 0),
]


def make_model(story, gaps=()):
    columns = list(zip(*story))
    return {
        "program": "story", "cpus": 2, "ticks_per_second": 1000, "lost": [0, 0],
        "gaps": list(gaps), "kinds": KINDS, "calls": call_names(Tree()),
        "traps": trap_names(Tree()), "places": ["f kern/f.c:1"],
        "envs": [{"id": A, "program": "story", "parent": 0},
                 {"id": B, "program": "story", "parent": A}],
        "events": {"t": list(columns[0]), "cpu": list(columns[1]),
                   "kind": [KINDS.index(kind) for kind in columns[2]], "env": list(columns[3]),
                   "arg": list(columns[4]), "place": [0] * len(story)},
    }


def changed(*changes):
    """The story with changes: (time, new event or None)."""
    story = {event[0]: event for event in STORY}
    for time, event in changes:
        story[time] = event
    return [event for _, event in sorted(story.items()) if event]


class CheckTest(unittest.TestCase):
    def test_good_story_breaks_no_rule(self):
        self.assertEqual(check(make_model(STORY)), [])

    def test_each_broken_rule_is_found(self):
        for says, *changes in (
                ("CPU 0 drops the lock, which no CPU holds", (3.5, (3.5, 0, "lock_drop", A, 0))),
                ("CPU 0 drops the lock, which CPU 1 holds", (25.5, (25.5, 0, "lock_drop", A, 0))),
                ("CPU 1 takes the lock, which CPU 0 holds", (18.5, (18.5, 1, "lock_taken", 0, 0))),
                ("CPU 1 has environment 00001001 on it, without a run; lock_drop", (25, None)),
                ("CPU 1 runs environment 00001000, which is on CPU 0", (25, (25, 1, "run", A, A))),
                ("CPU 0 has the event enter in the kernel", (4, None)),
                ("CPU 0 has the event lock_taken in user mode", (14, None)),
                ("CPU 0 has the event leave while it holds the lock", (3, None)),
                ("CPU 1 has the event halt while it holds the lock", (44, None)),
                ("CPU 1 sleeps for the lock, but does not wait",
                 (24.5, (24.5, 1, "lock_sleep", 0, 0))),
                ("CPU 0 has the event fork without the lock", (15, None)),
                ("CPU 0 has the event message without the lock", (51, None)),
                ("CPU 0 delivers a message to 00001001, which does not wait", (42, None)),
                ("CPU 1 enters user mode without an environment", (45.5, (45.5, 1, "leave", 0, 0))),
                ("CPU 1 runs environment 00001000 after its end",
                 (80, (80, 1, "enter", B, 32)), (81, (81, 1, "lock_taken", B, 0)),
                 (82, (82, 1, "run", A, A))),
                ("CPU 0 makes environment 00001001, which exists",
                 (16.5, (16.5, 0, "fork", A, B))),
                ("CPU 0 ends environment 00001000 after its end",
                 (72.5, (72.5, 0, "destroy", 0, A)))):
            with self.subTest(says=says):
                complaints = check(make_model(changed(*changes)))
                self.assertIn(says, "\n".join(complaints))

    def test_lost_records_break_no_rule(self):
        # Any part of a CPU's records may be missing, if the trace says so.
        own = {cpu: [i for i, event in enumerate(STORY) if event[1] == cpu] for cpu in (0, 1)}
        for cpu, indexes in own.items():
            for i in range(len(indexes)):
                for j in range(i + 1, len(indexes)):
                    gone = set(indexes[i:j])
                    story = [event for k, event in enumerate(STORY) if k not in gone]
                    latest = indexes[i - 1] if i else -1
                    self.assertEqual(check(make_model(story, [[cpu, latest]])), [], (cpu, i, j))

    def test_time_that_goes_back(self):
        ring = FakeKernel(cpus=1, pages=1)
        for time in (5, 7, 6):
            ring.write(0, time)
        rings = ring.reader()
        rings.drain()
        self.assertEqual(check_times(rings.streams),
                         ["CPU 0: record 2 is 1 ticks older than the record before it"])


class FakeKernel:
    """A memory with the structures of kern/check/trace.h."""

    TRACE = 0x1000

    def __init__(self, cpus, pages):
        self.memory = bytearray((2 + cpus * (pages + 1)) * PAGE)
        self.cpus, self.pages = cpus, pages
        self.written = [0] * cpus
        struct.pack_into("<IIQ", self.memory, self.TRACE, pages, cpus, 123)
        for cpu in range(cpus):
            table = self.table(cpu)
            self.word(self.TRACE + 16 + cpu * 8, KERNBASE + table)
            for i in range(pages):
                self.word(table + 4 * i, KERNBASE + table + (i + 1) * PAGE)

    def table(self, cpu):
        return (2 + cpu * (self.pages + 1)) * PAGE

    def word(self, address, value):
        struct.pack_into("<I", self.memory, address, value)

    def write(self, cpu, time=0, kind=0, env=0, argument=0, publish=True):
        """Write the next record; without `publish`, its CPU has not yet changed `next`."""
        n = self.written[cpu]
        page, place = divmod(n % (self.pages * PAGE_RECORDS), PAGE_RECORDS)
        RECORD.pack_into(self.memory, self.table(cpu) + (page + 1) * PAGE + place * RECORD.size,
                         time or n, n % 2**32, kind, env, argument, 0, 0)
        if publish:
            self.written[cpu] += 1
            self.word(self.TRACE + 16 + cpu * 8 + 4, self.written[cpu] % 2**32)

    def reader(self, during_copy=None):
        """A Rings of this memory. during_copy() is called when records have been copied."""
        class Reader(Rings):
            def _copy(self, *args):
                yield from super()._copy(*args)
                if during_copy:
                    during_copy()
        return Reader(self.memory, KERNBASE + self.TRACE)


def numbers(stream):
    return [record[0] for record in stream.records()]


class RingsTest(unittest.TestCase):
    def test_reads_each_record_once(self):
        kernel = FakeKernel(cpus=2, pages=2)
        rings = kernel.reader()
        for count in (0, 1, PAGE_RECORDS, 2 * PAGE_RECORDS - 1, 5):
            for _ in range(count):
                kernel.write(1)
            rings.drain()
        self.assertEqual(numbers(rings.streams[1]), list(range(3 * PAGE_RECORDS + 5)))
        self.assertEqual(numbers(rings.streams[0]), [])
        self.assertEqual([s.lost() for s in rings.streams], [0, 0])
        self.assertEqual(rings.ticks_per_second(), 123)

    def test_numbers_wrap(self):
        kernel = FakeKernel(cpus=1, pages=1)
        rings = kernel.reader()
        rings.drain()
        kernel.written[0] = rings.streams[0].next = rings.streams[0].written = 2**32 - 3
        for _ in range(6):
            kernel.write(0)
        rings.drain()
        self.assertEqual(numbers(rings.streams[0]), list(range(2**32 - 3, 2**32 + 3)))

    def test_overwritten_records_are_counted(self):
        kernel = FakeKernel(cpus=1, pages=1)
        rings = kernel.reader()
        for count, lost in ((10, 0), (PAGE_RECORDS + 7, 8),
                            (5 * PAGE_RECORDS, 4 * PAGE_RECORDS + 9)):
            for _ in range(count):
                kernel.write(0)
            rings.drain()
            self.assertEqual(rings.streams[0].lost(), lost)
        merged, gaps = merge(rings.streams, KINDS)
        self.assertEqual(len(merged), len(numbers(rings.streams[0])))
        self.assertEqual(gaps, [[0, 9], [0, 9 + PAGE_RECORDS - 1]])

    def test_records_overwritten_during_the_copy_are_dropped(self):
        kernel = FakeKernel(cpus=1, pages=1)
        for _ in range(100):
            kernel.write(0)

        def go_on():
            for _ in range(PAGE_RECORDS - 60):
                kernel.write(0, time=10**6)
            kernel.write(0, time=10**6, publish=False)

        rings = kernel.reader(go_on)
        rings.drain()
        first = 100 + (PAGE_RECORDS - 60) - PAGE_RECORDS + 1
        self.assertEqual(numbers(rings.streams[0]), list(range(first, 100)))
        self.assertEqual(rings.streams[0].lost(), first)

    def test_no_rings_yet(self):
        rings = Rings(bytearray(4 * PAGE), KERNBASE + FakeKernel.TRACE)
        self.assertEqual((rings.drain(), rings.streams), (0, []))


class SummaryTest(unittest.TestCase):
    def test_times(self):
        summary = add_up(make_model(STORY))
        first, second = summary.cpus
        self.assertEqual((first[USER], first[KERNEL], first[IDLE]), (10 + 28 + 16, 19, 2))
        self.assertEqual((first["held"], first["waited"]), (3 + 5 + 2 + 3, 0))
        self.assertEqual((second["held"], second["waited"]), (2 + 2 + 3 + 2, 7))
        self.assertEqual((second[USER], second[IDLE]), (3 + 6 + 11, 19))
        env = summary.envs[B]
        self.assertEqual((env["run"], env["enter"], env["received"], env["fault"]), (2, 2, 1, 1))
        self.assertEqual(summary.envs[A][USER], first[USER])
        self.assertEqual(summary.envs[A]["message"], 1)
        self.assertIn("45 events in 75.000 ms; times are in ms", summarize(make_model(STORY)))


# ---- A reader of Protocol Buffers ----

def fields(data):
    """The fields of a message: [(number, value)]; a value is a number or bytes."""
    found, pos = [], 0

    def varint():
        nonlocal pos
        value = shift = 0
        while True:
            byte = data[pos]
            pos += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while pos < len(data):
        key = varint()
        if key & 7 == 0:
            value = varint()
        else:
            size = {1: 8, 2: None}[key & 7]
            size = varint() if size is None else size
            value = data[pos:pos + size]
            pos += size
        found.append((key >> 3, value))
    return found


class PerfettoTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trace")
            perfetto.write_perfetto(make_model(STORY), path)
            with open(path, "rb") as f:
                packets = [fields(value) for number, value in fields(f.read())]
        cls.packets = [dict(packet) for packet in packets]
        cls.events = [(packet[8], fields(packet[11])) for packet in cls.packets if 11 in packet]

    def test_packets(self):
        self.assertEqual(self.packets[0][13], 1)
        self.assertEqual({packet[10] for packet in self.packets}, {1})

    def test_cpu_lanes(self):
        switches = {}
        for packet in self.packets:
            if 1 not in packet:
                continue
            bundle = fields(packet[1])
            for event in (dict(fields(value)) for number, value in bundle if number == 2):
                if 4 in event:
                    switch = dict(fields(event[4]))
                    switches.setdefault(dict(bundle)[1], []).append(
                        (event[1] // 10**6, switch[2], switch[4], switch[6]))
        self.assertEqual(switches, {
            0: [(2, 0, 0, A), (73, A, 1, 0)],
            1: [(25, 0, 0, B), (43, B, 1, 0), (62, 0, 0, B)]})

    def test_slices_are_balanced_and_named(self):
        open_slices, names = {}, []
        for _, event in self.events:
            event = dict(event)
            if event[9] == perfetto.BEGIN:
                open_slices[event[11]] = open_slices.get(event[11], 0) + 1
                names.append(event[23].decode())
            elif event[9] == perfetto.END:
                open_slices[event[11]] -= 1
                self.assertGreaterEqual(open_slices[event[11]], 0)
        self.assertEqual(set(open_slices.values()), {0})
        for name in ("sys_exofork", "sys_ipc_recv", "Page Fault", "CPU 1", "waits for the lock"):
            self.assertIn(name, names)

    def test_flow_leads_to_the_receiver(self):
        flows = [(time // 10**6, dict(event)[11] - perfetto.ENV_TRACKS, number)
                 for time, event in self.events for number, value in event if number in (47, 48)]
        self.assertEqual(flows, [(52, A, 47), (64, B, 48)])

    def test_names_of_tracks(self):
        names = set()
        for packet in self.packets:
            track = dict(fields(packet.get(60, b"")))
            if 4 in track:
                names.add(dict(fields(track[4]))[5])
        self.assertEqual(names, {b"story 00001000", b"story 00001001"})


class NamesTest(unittest.TestCase):
    def test_names_come_from_the_headers(self):
        self.assertEqual(KINDS[:2], ["enter", "leave"])
        for kind in ("lock_taken", "interrupt", "fork", "fault"):
            self.assertIn(kind, KINDS)
        calls = call_names(Tree())
        self.assertEqual((calls[0], calls[7], calls[12]), ("cputs", "exofork", "ipc_recv"))
        self.assertEqual(trap_names(Tree())["14"], "Page Fault")

    def test_places(self):
        frames = [("probe", "/r/kern/probe.h", "9"), ("trap_enter", "/r/kern/trap.h", "8"),
                  ("trap", "/r/kern/trap.c", "7")]
        self.assertEqual(describe(1, frames, "/r"), "trap kern/trap.c:7")
        self.assertEqual(describe(1, frames[:2], "/r"), "trap_enter kern/trap.h:8")
        self.assertEqual(describe(0x10, [("??", "??", "0")], "/r"), "0x10")


if __name__ == "__main__":
    unittest.main()
