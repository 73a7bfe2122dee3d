"""Guess which exercise of lab 4 a failed test points to, from its output and its State (watch.py).

A guess is a hint, not a verdict: it says what was seen, and which function to read first.
"""

import re

# Where the answer of each exercise is.
PLACES = {
    1: "mmio_map_region in kern/pmap.c",
    2: "page_init in kern/pmap.c",
    3: "mem_init_mp in kern/pmap.c",
    4: "trap_init_percpu in kern/trap.c",
    5: "lock_kernel and unlock_kernel in kern/init.c, kern/trap.h and kern/env.c",
    6: "sched_yield in kern/sched.c, and syscall in kern/syscall.c",
    7: "the system calls in kern/syscall.c",
    8: "sys_env_set_pgfault_upcall in kern/syscall.c",
    9: "page_fault_handler in kern/trap.c, and kern/upcall.c",
    10: "_pgfault_upcall in lib/pfentry.S",
    11: "set_pgfault_handler in lib/pgfault.c",
    12: "fork, duppage and pgfault in lib/fork.c",
    13: "trap_init in kern/trap.c, kern/trapentry.S, and env_alloc in kern/env.c",
    14: "interrupt_handler in kern/trap.c, and sched_tick in kern/sched.c",
    15: "kern/ipc.c and lib/ipc.c",
}

# The exercise of a function that a backtrace names.
FUNCTIONS = {
    "mmio_map_region": 1, "lapic_init": 1, "check_page_installed_pgdir": 1,
    "page_init": 2, "check_page_free_list": 2, "mem_init_mp": 3, "check_kern_pgdir": 3,
    "trap_init_percpu": 4, "lock_slowly": 5, "not_holding": 5, "sched_halt": 6, "sched_yield": 6,
    "sys_exofork": 7, "sys_env_set_status": 7, "sys_page_alloc": 7, "sys_page_map": 7,
    "sys_page_unmap": 7, "sys_env_set_pgfault_upcall": 8, "upcall_enter": 9,
    "page_fault_handler": 9, "_pgfault_upcall": 10, "set_pgfault_handler": 11, "fork": 12,
    "duppage": 12, "pgfault": 12, "sched_tick": 14, "sys_ipc_try_send": 15, "sys_ipc_recv": 15,
    "ipc_deliver": 15, "deliver_page": 15, "ipc_send": 15, "ipc_recv": 15,
}
LOCKS = {"lock_kernel", "lock_slowly", "unlock_kernel", "spin_lock"}

# The lines of the boot in their order, and the exercise that makes each of them appear.
STAGES = (("check_page_alloc() succeeded!", 2), ("check_page() succeeded!", 2),
          ("check_kern_pgdir() succeeded!", 3), ("check_page_installed_pgdir() succeeded!", 1),
          ("enabled interrupts: ", 1))

YIELDING_TURNS = 500  # An environment with more turns does not spin in a single turn.


def exercise(number):
    """The words for an exercise, and where to look."""
    return "Exercise %d: look at %s" % (number, PLACES[number])


def _from_backtrace(output):
    start = output.find("kernel panic")
    for name in re.findall(r"\S+:\d+: (\w+)\+", output[start:] if start >= 0 else ""):
        if name in FUNCTIONS:
            return FUNCTIONS[name]
    return None


def _from_boot(output, cpus):
    for line, number in STAGES:
        if line not in output:
            return "the boot did not get to the line '%s'" % line.strip(), number
    missing = [i for i in range(1, cpus) if "SMP: CPU %d starting" % i not in output]
    if missing:
        return "CPU %d did not start" % missing[0], 2
    return None


def _from_state(state):
    """A machine that was cut off."""
    turns = max([env["runs"] for env in state.envs if env["status"] == "RUNNING"] or [0])
    waiting = [env for env in state.envs if env["status"] == "RUNNABLE"]
    if state.all_halted():
        if waiting:
            return "environment %08x is RUNNABLE, but no CPU runs it" % waiting[0]["id"], 6
        if any(env["receives"] for env in state.envs):
            return "an environment waits for a message that has not come", 15
        return "no environment can run, but the kernel has not entered its monitor", 6
    users = [cpu for cpu in state.cpus if cpu.get("CPL") == 3]
    if not users and state.functions() & LOCKS:
        return "no CPU gets the big lock: it is taken twice, or never released", 5
    if not users and state.functions() & {"sched_yield", "runq_first"}:
        return "a CPU searches for an environment and does not find one", 6
    if waiting and turns > YIELDING_TURNS:
        return "one environment gets turn after turn, and environment %08x gets none" % (
            waiting[0]["id"]), 6
    if waiting and len(users) == len(state.cpus):
        return "environment %08x never gets a CPU from the programs that run" % (
            waiting[0]["id"]), 14
    return None


def guess(output, state, cpus):
    """A line that says what was seen and which exercise it points to; None if nothing is known."""
    output = output.replace("\r", "")
    found = _from_boot(output, cpus)
    if found:
        number = _from_backtrace(output) or found[1]
        return "%s. %s" % (found[0], exercise(number))
    number = _from_backtrace(output)
    if number:
        return "the backtrace of the panic names it. " + exercise(number)
    if state:
        found = _from_state(state)
        if found:
            return "%s. %s" % (found[0], exercise(found[1]))
    if "No runnable environments" in output and "new env" in output and "free env" not in output:
        return "the kernel stopped with an environment that had not ended. " + exercise(6)
    user = re.search(r"user panic in \S+ at (lib/(fork|ipc|pgfault)\.c):", output)
    if user:
        return "the program's library panicked in %s. %s" % (
            user[1], exercise({"fork": 12, "ipc": 15, "pgfault": 11}[user[2]]))
    return None
