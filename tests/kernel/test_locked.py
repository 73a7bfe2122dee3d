"""Each function that needs the big lock panics if the lock is not held. page_free panics for a page
that it must not free.

GDB stops the kernel in a system call, with an environment running, and calls one function after the
other, without the lock. Each must call _panic by its own assertion.
"""

import glob
import re

from tests.support import TREE, KernelTest, run_gdb

ASSERTION = "assert(kernel_locked());"

# The functions with this assertion, and the argument that they need to reach it.
FUNCTIONS = {
    "cons_wake_readers": "", "cons_wait": "",
    "env_alloc": "", "env_copy_registers": "", "env_destroy": "envs", "env_free_part": "envs",
    "env_free": "envs", "env_leave": "", "env_run": "envs", "env_start": "envs", "env_stop": "envs",
    "envid2env": "",
    "fpu_save": "", "fpu_trap": "",
    "mmio_map_region": "", "monitor": "",
    "page_alloc": "", "page_free": "", "page_insert": "", "page_last_decref": "",
    "page_lookup": "kern_pgdir", "page_remove": "", "pgdir_walk": "kern_pgdir",
    "pgdir_walk_create": "kern_pgdir",
    "runq_wake": "", "sched_tick": "cpus", "sched_yield": "", "sys_batch": "",
    "force_into_kernel": "", "tlb_shootdown": "", "tlb_unload": "",
    "upcall_enter": "", "user_mem_check": "", "wait_in": "", "wait_leave": "envs",
}

# Functions that GDB cannot call, and their callers.
CALLED_BY = {"make_dying": "env_free"}

# Functions that only kernels with other settings call. The linker leaves them out of this kernel.
OTHER_SETTINGS = {"stride_first"}


def functions_with_assertion():
    """The names of the functions in kern/ that contain the assertion."""
    names = set()
    for path in glob.glob(TREE.path("kern", "**", "*.c"), recursive=True):
        with open(path, encoding="utf-8") as f:
            for line in f:
                begins = re.match(r"(\w+)\(", line)
                if begins:
                    name = begins.group(1)
                if ASSERTION in line:
                    names.add(CALLED_BY.get(name, name))
    return names


def call_wrongly(function, argument, *before):
    """GDB's commands that run the commands `before`, call a function, and print the arguments of
    _panic. (A function that does not call _panic returns to address 0: the fault ends in
    panic_begin.)"""
    return [
        "set $esp = $stack - 64",
        "set var {int [16]}$esp = {0, (int)(%s)%s}" % (argument or "0", ", 0" * 14),
        *before,
        "set $eip = " + function,
        "continue",
        'printf "%s: %%s: %%s\\n", {char *}($esp + 12), {char *}($esp + 16)' % function]


class LockedTest(KernelTest):
    may_panic = True

    def test_list_of_functions_is_complete(self):
        self.assertLessEqual(functions_with_assertion() - OTHER_SETTINGS, set(FUNCTIONS))

    def call_wrongly(self, *calls):
        """Make these calls in one run of the kernel; return GDB's output."""
        machine = self.boot("hello", gdb=True)
        return run_gdb(machine, "break *sys_cputs", "continue", "delete",
                       "set $stack = $esp", "break *_panic",
                       "break *panic_begin", *(line for call in calls for line in call), "detach")

    def test_page_in_use_or_free_is_not_freed(self):
        said = self.call_wrongly(call_wrongly("page_free", "pages"),
                                 call_wrongly("page_free", "page_free_list"))
        message = "\npage_free: page_free: page %08x is mapped %u times, or free"
        self.assertEqual(said.count(message), 2, said)

    def test_each_function_panics_without_the_lock(self):
        said = self.call_wrongly(*(call_wrongly(*call, "set var kernel_lock.holder = 0")
                                   for call in FUNCTIONS.items()))
        for function in FUNCTIONS:
            with self.subTest(function=function):
                self.assertIn("\n%s: assertion failed: %%s: kernel_locked()\n" % function, said)
