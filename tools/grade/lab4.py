"""The further checks of lab 4's grade, in the order of the exercises.

A check needs only the exercises up to its own: part A's need no page-fault handler, fork or timer.
Most of its programs say themselves what they expected and what they got.
"""

from tools.grade.cases import Check
from tools.grade.inspect import cpus_look, gates_look, pages_look
from tools.grade.likely import PLACES

ONE, FOUR, BOTH = (1,), (4,), (1, 4)
PANIC = ["kernel panic on CPU 0 at .*"]
NO_PANIC = ["kernel panic.*", ".*user panic.*"]


def passed(program):
    """The last line of a program that uses user/conform/conform.h."""
    return [r"%s: all [1-9]\d* checks passed" % program]


def conform(program, exercise, says, where=None, cpus=BOTH, cost=1, name=None, run=None):
    """A check by a program that uses user/conform/conform.h."""
    return Check(name or program.replace("conform_", ""), exercise, says, where or PLACES[exercise],
                 passed(program), cost=cost, run=run or program, cpus=cpus, repeats=True)


def call(name, exercise, says, where=None):
    """A check of a system call: what it does, and all that it must refuse."""
    return conform("conform_" + name, exercise, says,
                   where or "sys_%s in kern/syscall.c" % name)


# What may be printed by a program that has not enough memory for a fork.
LITTLE_MEMORY = [r"gradelow: all [1-9]\d* checks passed|"
                 r"\[\w{8}\] user panic in gradelow at lib/(fork\.c:.*|pgfault\.c:.*memory.*)"]

CHECKS_A = [
    Check("mmio_full", 1, "Device registers may fill their region exactly up to MMIOLIM.",
          PLACES[1], ["selftest: registers fill the region up to MMIOLIM"],
          run="selftest=fill_mmio"),
    Check("mmio_mapping", 1, "Registers at any address are mapped to their page, uncached.",
          PLACES[1], ["selftest: registers at an odd address are mapped"],
          run="selftest=map_odd_registers"),
    Check("mmio_beyond", 1, "mmio_map_region must panic if the registers do not fit below MMIOLIM.",
          PLACES[1], PANIC, ["selftest: .*: no panic"], run="selftest=overfill_mmio", panics=True),
    Check("mmio_wrap", 1, "mmio_map_region must panic for a size so large that the sum wraps.",
          PLACES[1], PANIC, ["selftest: .*: no panic"], run="selftest=map_almost_everything",
          panics=True),
    Check("free_pages", 2, "All RAM is free at the end, except what the kernel always needs.",
          PLACES[2], run="", look=pages_look),
    Check("cpu_state", 4, "Each CPU has its own TSS, stack and guard, and no I/O port is open.",
          "trap_init_percpu in kern/trap.c, mem_init_mp in kern/pmap.c", run="", cpus=FOUR,
          look=cpus_look),
    conform("conform_memory", 4, "Programs cannot use the kernel's memory or I/O ports.",
            "trap_init_percpu in kern/trap.c (ts_iomb), and the permissions of mappings",
            name="isolation"),
    Check("three_yields", 5, "Environments that yield all the time end, also on several CPUs.",
          PLACES[5], [r"All done in environment 0000100%d\." % i for i in range(5)], NO_PANIC,
          run="jitter=7 yield yield yield yield yield", cpus=FOUR),
    conform("gradeonce", 6, "An environment runs on one CPU at a time.", name="one_cpu"),
    conform("conform_yield", 6, "sys_yield runs the next environment, in circular order."),
    conform("gradeslots", 6, "The search for an environment covers all of envs[].",
            name="all_slots"),
    conform("conform_syscall", 7, "A system call changes no register but eax, and an unknown "
            "number is refused.", "syscall in kern/syscall.c", name="syscalls"),
    call("exofork", 7, "sys_exofork copies the caller's registers, and nothing else."),
    call("env_set_status", 7, "sys_env_set_status starts and stops environments."),
    call("page_alloc", 7, "sys_page_alloc maps a zeroed page, and refuses bad arguments."),
    call("page_map", 7, "sys_page_map shares a page, and refuses bad arguments."),
    call("page_unmap", 7, "sys_page_unmap removes a mapping, and refuses bad arguments."),
    call("env_destroy", 7, "sys_env_destroy frees all that an environment has.",
         "sys_env_destroy in kern/syscall.c, and env_destroy in kern/env.c"),
    call("cputs", 7, "sys_cputs prints only memory that its caller may read.",
         "sys_cputs in kern/syscall.c, and user_mem_check in kern/pmap.c"),
    call("getenvid", 7, "sys_getenvid returns the caller's id."),
]

CHECKS_B = [
    Check("kernel_fault", 9, "A page fault in the kernel panics, whatever the program's upcall is.",
          "trap in kern/trap.c: the test for user mode",
          ["kernel panic on CPU 0 at .*page fault in the kernel.*"], run="selftest=fault_in_kernel",
          panics=True),
    conform("gradeupcall", 9, "The kernel calls the upcall with the right frame in the right "
            "place, and destroys a program without room for it.", name="upcall"),
    conform("gradehandler", 11, "All registers survive a page fault, even in the handler itself.",
            "_pgfault_upcall in lib/pfentry.S, and lib/pgfault.c", name="handler"),
    Check("readonly_stack", 9, "A program whose exception stack is read-only is destroyed.",
          PLACES[9], [".00001000. user_mem_check assertion failure for va eebfff.."], NO_PANIC,
          run="faultrostack"),
    conform("gradefork", 12, "fork gives the child a copy of the memory, made when it is written.",
            name="fork", cost=2),
    Check("other_faults", 12, "A fault that is no write to a copy-on-write page ends the program.",
          "pgfault in lib/fork.c", [r"\[\w{8}\] user (panic in|fault va) .*"],
          ["gradecow: the child went on.*"], run=["gradecow,%d" % i for i in range(5)],
          panics=True),
    Check("fork_without_memory", 12, "fork with too little memory fails, or its library panics.",
          PLACES[12], LITTLE_MEMORY, run=["gradelow", "gradelow,copy"], memory=32, panics=True),
]

CHECKS_C = [
    Check("gates", 13, "All gates are interrupt gates, and programs can use only three of them.",
          PLACES[13], run="", cpus=FOUR, look=gates_look),
    conform("gradegates", 13, "A program that calls an interrupt's gate is destroyed.",
            PLACES[13], name="forged_interrupts"),
    Check("traps", 13, "Each exception gives a right trap frame.",
          "TRAP_ERRCODES in inc/trap.h, and kern/trapentry.S",
          [*passed("gradetraps"), "  trap 0x00000000 Divide error", "  trap 0x00000005 BOUND .*",
           "  trap 0x00000006 Invalid Opcode", "  trap 0x0000000d General Protection",
           "  err  0x00000010", "  trap 0x0000000e Page Fault"],
          [*NO_PANIC, "  eip  0x(?!008).*", "  cs   0x----(?!001b).*"], run="gradetraps"),
    Check("breakpoint", 13, "A program may execute int3, which enters the monitor.",
          "trap_init in kern/trap.c", ["  trap 0x00000003 Breakpoint"], NO_PANIC, panics=True),
    Check("keys", 13, "An interrupt of a device does not harm the program that runs.",
          "interrupt_handler in kern/trap.c", ["gradekey: got 'a'", "gradekey: got 'b'"],
          run="gradekey", cpus=BOTH,
          types=[("gradekey: waiting", "a"), ("gradekey: got 'a'", "b")]),
    Check("preemption", 14, "The timer ends the turn of a program that loops, again and again.",
          PLACES[14], ["preempt: all environments ran beside 10 endless loops",
                       "preempt: no register has changed"], NO_PANIC, run="preempt", cpus=BOTH),
    Check("interrupts_on", 13, "Programs start with interrupts on. (This CPU has no sysenter, "
          "which would switch them on.)", "env_alloc in kern/env.c",
          ["preempt: no register has changed"], NO_PANIC, run="preempt",
          options=["-cpu", "qemu32,-sep"]),
    Check("fairness", 14, "No environment gets two turns before every other had one.",
          "sched_yield in kern/sched.c, and sched_tick",
          [r"fairness: 6 environments computed on \d CPU\(s\), .*"], NO_PANIC, cpus=BOTH,
          run="fairness,computing"),
    call("ipc_try_send", 15, "sys_ipc_try_send delivers a message, or refuses it and leaves the "
         "receiver receiving.", "sys_ipc_try_send in kern/ipc.c"),
    call("ipc_recv", 15, "sys_ipc_recv waits for a message, and refuses bad addresses.",
         "sys_ipc_recv in kern/ipc.c"),
    conform("gradeipc", 15, "ipc_send and ipc_recv report the message and its errors.",
            "lib/ipc.c", name="ipc_library"),
    Check("ipc_panics", 15, "ipc_send panics for any error but E_IPC_NOT_RECV.", "lib/ipc.c",
          [r"\[00001000\] user panic in gradeipc at .*"], ["gradeipc: went on"],
          run=["gradeipc,receiver", "gradeipc,address", "gradeipc,permission"], panics=True),
    conform("gradewake", 15, "No message and no wake-up is lost.",
            "kern/ipc.c, and sched_halt in kern/sched.c", name="wake_ups", cost=2, cpus=(1, 2, 4)),
    Check("races", 15, "Environments that are destroyed, send and fork at random leave no trace.",
          "the lock and CR3 in env_run (kern/env.c), kern/tlb.c, kern/ipc.c",
          [r"stress: seed .*: ok"], NO_PANIC, run="jitter=3 stress,lab", cpus=FOUR),
    Check("gone", 15, "A destroyed environment executes no more instructions, on no CPU.",
          "env_destroy and env_run in kern/env.c", ["gone: 500 rounds"], NO_PANIC,
          run="jitter=5 gone", cpus=FOUR),
]
