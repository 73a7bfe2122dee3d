// The C part of a program's start: set up the library, call umain, exit.

#include <inc/lib.h>

const char *binaryname = "<unknown>";

// This environment. The variable is on a page that environments never share (lib/fork.c copies the
// page at once), so that each child of sfork has its own thisenv.
__attribute__((section(".bss.private"))) const volatile struct Env *thisenv;

extern void (*_syscall_gate)(void); // lib/syscall.S
void _gate_sysenter(void);

void libmain(int argc, char **argv) __attribute__((noreturn));

// lib/entry.S calls libmain once. If the CPU has the instruction sysenter, libmain selects it for
// system calls (_gate_sysenter in lib/syscall.S).
void
libmain(int argc, char **argv)
{
#ifdef CHALLENGES
	if (has_sysenter())
		_syscall_gate = _gate_sysenter;
#endif
	thisenv = &envs[ENVX(sys_getenvid())];
	if (argc > 0 && argv[0])
		binaryname = argv[0];
	umain(argc, argv);
	exit();
}
