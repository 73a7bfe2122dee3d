"""Look at a machine from outside, at the end of a run: is what the kernel printed true?

QEMU's monitor shows the registers of each CPU and the physical memory. The kernel cannot influence
what QEMU shows, only what is in its memory.
"""

import re

from tools.grade.watch import cpu_registers
from tools.see.layout import find_symbols
from tools.see.memory import Memory, MemoryImageError

__all__ = ["find_symbols", "verify"]

MEMORY = 128 << 20  # Bytes of physical memory in a grade's machine
CR0_PG = 0x80000000

ENDED = " 0 environments, balanced"  # The end of the kernel's audit

# Tests whose programs must have run on more than one CPU.
SPREAD = ("stresssched",)


def check_processors(machine, cpus):
    """Each CPU must have left the BIOS, and have a task register of its own."""
    running = [cpu for cpu in cpu_registers(machine) if cpu.get("CR0", 0) & CR0_PG]
    tasks = {cpu["TR"][0] for cpu in running if cpu.get("TR")}
    if len(running) < cpus:
        return ["seen from outside: only %d of %d CPUs run the kernel" % (len(running), cpus)]
    if len(tasks) < cpus:
        return ["seen from outside: %d CPUs have %d different task registers"
                % (cpus, len(tasks))]
    return []


def new_environments(output):
    """The slots of the environments that the kernel says it has created."""
    return {int(name, 16) & 1023
            for name in re.findall(r"\[[0-9a-f]{8}\] new env ([0-9a-f]{8})", output)}


def check_memory(machine, layout, output, ended):
    """The environments that were announced must have existed. If the run has ended, all must be
    gone, and the pages and mappings must be in order."""
    try:
        memory = Memory(machine.physical_memory(0, MEMORY), layout)
    except (MemoryImageError, IndexError, KeyError) as e:
        return ["the kernel's memory cannot be read from outside: %s" % e]
    image, size = memory.image, layout["structs"]["Env"]["size"]
    start = image.pa(image.variable("envs"))
    complaints = ["environment slot %d was announced, but has never been in use" % slot
                  for slot in sorted(new_environments(output))
                  if not image.member("Env", start + slot * size, "env_id")]
    if not image.member("Env", start, "env_runs"):
        complaints.append("the first environment has never run")
    if ended:
        complaints += ["environment %08x still exists" % env.id for env in memory.envs]
        complaints += [error["text"] for error in memory.errors]
    return ["seen from outside: " + text for text in complaints[:5]]


def check_seals(seals):
    """The run must have started the programs that the grade starts, and no others."""
    complaints = []
    if not seals.starts:
        complaints.append("no program has started: there is no text from user mode")
    elif len(seals.starts) != seals.programs:
        complaints.append("%d programs have started; the grade starts %d"
                          % (len(seals.starts), seals.programs))
    if not seals.runs <= set(seals.starts):
        complaints.append("an environment is no descendant of a program that was started")
    return complaints


def check_broken(seals):
    return ["%d texts have a wrong seal" % seals.broken] if seals.broken else []


def verify(machine, test, layout):
    """All checks of this module and of the seals. Returns a list of lines. A further check of the
    grade looks at other things, so there only the seals count."""
    seals = machine.seals
    if not test.points:
        return check_broken(seals)
    complaints = check_seals(seals) + check_broken(seals)
    if test.name in SPREAD and len(seals.cpus) < 2:
        complaints.append("the program ran on one CPU only, as the instruction cpuid shows")
    machine.qmp("stop")
    return complaints + check_processors(machine, test.cpus) + check_memory(
        machine, layout, machine.output, ENDED in machine.output and not test.enough)
