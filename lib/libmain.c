// The C part of a program's start: set up the library, call umain, exit.

#include <inc/lib.h>

const char *binaryname = "<unknown>";

// Placed on a page that environments never share, so that each child of sfork has a thisenv of its
// own. lib/fork.c copies this page at once.
__attribute__((section(".bss.private"))) const volatile struct Env *thisenv;

extern void (*_syscall_gate)(void); // lib/syscall.S
void _gate_sysenter(void);

void libmain(int argc, char **argv) __attribute__((noreturn));

// lib/entry.S calls libmain once. If the CPU has sysenter, system calls use this instruction, by
// way of _gate_sysenter in lib/syscall.S.
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
