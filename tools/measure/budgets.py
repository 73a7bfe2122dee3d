"""The table of operations: their budgets and limits, and their costs in other systems.

All figures are guest instructions per operation, from user mode to user mode, including the loop.
The time stamp counter counts them, with QEMU's options -icount shift=0,sleep=off -smp 1 -cpu qemu32
-m 128.
"""

from collections import namedtuple

# name      the name that the program prints
# program   the program that measures it: user/bench/PROGRAM.c
# text      describes the operation
# jos, xv6, linux   published figures of these systems, as text; see SOURCE
# budget    bench.py marks counts above it; None: no budget
# limit     make check fails above it. It is the present count, with gcc or clang, whichever is
#           greater, plus about 3 % and 3, so that a regression is noticed. Lower it after each
#           improvement.
Operation = namedtuple("Operation", "name program text jos xv6 linux budget limit")

SOURCE = """\
JOS: two public solutions of lab 4, built with today's GCC. xv6: xv6-public, -O2. Linux: Debian's
6.1 for i686, mitigations and hardening off, FIFO of equal priority. All were measured in the same
way as ours, on another machine, which makes no difference to instruction counts."""

# Times with plain TCG were published only for the null call: microseconds.
PUBLISHED_TIME = "a null call took JOS 6.0 us, which loads CR3 each time, and Linux 0.7 us"

OPERATIONS = [Operation(*row) for row in (
    ("null_int", "benchnull", "null call, int 0x30", "423 - 461", "1403", "321", 70, 35),
    ("null", "benchnull", "null call, sys_getenvid()", "423 - 461", "1403", "321", 45, 43),
    ("yield", "benchyield", "sys_yield, nothing else runnable", "9661", "2414 (sleep 0)", "993",
     110, 35),
    ("yield_switch", "benchyield", "yield to another env and back", "10029", "-", "4153", 400,
     643),
    ("ipc", "benchipc", "a word sent, and one answered", "11158 - 32575", "27257 (pipe)",
     "13816 (pipe), 10722 (eventfd)", 600, 1612),
    ("ipc_call", "benchipc", "the same by ipc_call", "-", "-", "-", 600, 800),
    ("upcall", "benchupcall", "page fault upcall that maps a page", "1179 - 1329", "-",
     "4804 (SIGSEGV), 7689 (+ mprotect)", 480, 550),
    ("exception", "benchtraps", "undefined instruction, handled", "-", "-", "-", None, 331),
    ("fpu_switch", "benchtraps", "yield and back, both use the x87", "-", "-", "-", None, 1090),
    ("page_map", "benchpage", "page_map over an old mapping", "793", "-", "-", 220, 276),
    ("page_map_unmap", "benchpage", "page_map, page_unmap", "1215", "-", "11942 (mmap, munmap)",
     400, 448),
    ("page_alloc", "benchpage", "page_alloc over an old mapping", "1796", "4659 (sbrk)",
     "3413 (first touch)", 1300, 1370),
    ("batch_map", "benchbatch", "32 times page_map in batches", "-", "-", "-", None, 9210),
    ("fork", "benchfork", "fork, child exits, parent sees it", "8.6 M", "1.98 M",
     "88 k (no libc), 244 k", 40000, 30565),
    ("fork_batched", "benchforkbatch", "the same by fork_batched", "-", "-", "-", None, 31090),
    ("line", "benchline", "a line of 71 characters, sys_cputs", "11813", "-", "-", 1200, 1157),
    ("line_cprintf", "benchline", "the same by cprintf", "-", "-", "-", None, 1681),
)]

PROGRAMS = list(dict.fromkeys(operation.program for operation in OPERATIONS))
