"""Read the kernel's trace from the memory of an emulator, while the kernel runs.

kern/check/trace.h describes the structures: each CPU writes records into a ring, and overwrites the
oldest records when the ring is full. The emulator's memory is a file that we map. We copy the new
records of each ring every few milliseconds. The kernel does not wait for us, so records can be
overwritten before, or while, we copy them: their numbers say which.
"""

import struct

KERNBASE = 0xf0000000
PAGE = 4096
WORD = 4
NUMBERS = 1 << 32  # The numbers of records are modulo this.

# struct TraceRecord: time, number, kind, env, argument, place, unused
RECORD = struct.Struct("<Q6I")
PAGE_RECORDS = PAGE // RECORD.size

# Offsets in struct Trace, in words; and the size and offsets of struct TraceRing.
RING_PAGES, CPUS, TICKS_PER_SECOND, RINGS = 0, 1, 2, 4
RING_SIZE, PAGE_TABLE, NEXT = 2, 0, 1


class Stream:
    """What was read of a CPU's ring. `pieces`: [(number of the first record, bytes)], in order. If
    records were lost between two pieces, the numbers have a gap there."""

    def __init__(self):
        self.pieces = []
        self.next = 0     # Number of the next record to read; not modulo NUMBERS
        self.written = 0  # How many records the CPU had written when we last looked

    def end(self):
        """The number after the last record that we have."""
        return self.pieces[-1][0] + len(self.pieces[-1][1]) // RECORD.size if self.pieces else 0

    def lost(self):
        """How many records the CPU has written that we have not got."""
        return self.written - sum(len(data) // RECORD.size for _, data in self.pieces)

    def records(self):
        """All records: an iterator of (number, time, kind, env, argument, place)."""
        for number, data in self.pieces:
            for time, low, kind, env, argument, place, _ in RECORD.iter_unpack(data):
                if low != number % NUMBERS:
                    raise AssertionError("record %d has the number %d" % (number, low))
                yield number, time, kind, env, argument, place
                number += 1


class Rings:
    """The rings in a memory. `memory` is a buffer with the machine's physical memory, `address` the
    kernel's address of its variable `trace`."""

    def __init__(self, memory, address):
        self._memory = memory
        # A word must be read at once, as a memoryview of words does it.
        self._words = memoryview(memory).cast("I")
        self._trace = (address - KERNBASE) // WORD
        self._pages = []  # For each CPU, the offsets of its pages in `memory`
        self.streams = []

    def close(self):
        """Release the memory."""
        self._words.release()

    def ticks_per_second(self):
        """The speed of the time stamp counter; 0 if the kernel does not know it."""
        low, high = self._words[self._trace + TICKS_PER_SECOND:][:2]
        return low | high << 32

    def _find(self):
        """Find the rings, if the kernel has made them. Returns whether it has."""
        ring_pages = self._words[self._trace + RING_PAGES]
        if ring_pages and not self._pages:
            for cpu in range(self._words[self._trace + CPUS]):
                table = (self._ring(cpu, PAGE_TABLE) - KERNBASE) // WORD
                self._pages.append([address - KERNBASE
                                    for address in self._words[table:table + ring_pages]])
                self.streams.append(Stream())
        return bool(ring_pages)

    def _ring(self, cpu, member):
        return self._words[self._trace + RINGS + cpu * RING_SIZE + member]

    def drain(self):
        """Copy all new records. Returns how many records the kernel has written so far."""
        if not self._find():
            return 0
        for cpu, stream in enumerate(self.streams):
            self._drain_ring(cpu, stream)
        return sum(stream.written for stream in self.streams)

    def _written(self, cpu, stream):
        """How many records a CPU has written until now."""
        return stream.written + (self._ring(cpu, NEXT) - stream.written) % NUMBERS

    def _drain_ring(self, cpu, stream):
        size = len(self._pages[cpu]) * PAGE_RECORDS
        stream.written = end = self._written(cpu, stream)
        start = max(stream.next, end - size)
        data = b"".join(self._copy(cpu, start, end))
        # While we copied, the CPU may have overwritten records: all before the following number.
        # (It may be about to write the record with number _written().)
        valid = self._written(cpu, stream) - size + 1
        if valid > start:
            data = data[(valid - start) * RECORD.size:]
            start = min(valid, end)
        stream.next = end
        if data:
            stream.pieces.append((start, data))

    def _copy(self, cpu, start, end):
        """The bytes of records start..end-1, in pieces that do not cross pages."""
        pages = self._pages[cpu]
        while start < end:
            first = start % PAGE_RECORDS
            count = min(PAGE_RECORDS - first, end - start)
            offset = pages[start // PAGE_RECORDS % len(pages)] + first * RECORD.size
            yield self._memory[offset:offset + count * RECORD.size]
            start += count
