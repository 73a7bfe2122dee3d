# Sourced by .gdbinit: what happens at a stop, the kernel's macros, and the commands `jos ...`.

set $jos_commands = 0

# At each stop. In real mode GDB knows no segments, so QEMU disassembles.
define hook-stop
	if $jos_commands
		python jos_stop()
	end
	if ($cr0 & 1) == 0
		printf "real mode, %04x:%04x ", $cs, $eip
		eval "monitor x/1i 0x%x", $cs * 16 + $eip
	end
end

# The kernel's macros, which are not in its debug information. CPU n is GDB's thread n + 1.
macro define thiscpu (&cpus[$_thread - 1])
macro define curenv (thiscpu->cpu_env)
macro define PGNUM(la) ((unsigned)(la) >> 12)
macro define PDX(la) ((unsigned)(la) >> 22)
macro define PTX(la) ((unsigned)(la) >> 12 & 0x3ff)
macro define PADDR(kva) ((unsigned)(kva) - 0xf0000000)
macro define KADDR(pa) ((void *)((unsigned)(pa) + 0xf0000000))
macro define ENVX(envid) ((envid) & 1023)

# docs/gdb.md describes the commands. A GDB that is built without Python has no $_strlen.
if $_isvoid($_strlen)
	echo *** This GDB has no Python: there are no commands 'jos ...', and GDB loads a program's\n
	echo *** symbols only when you type: program NAME\n
else
	source tools/gdb/start.py
end
