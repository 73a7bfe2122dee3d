// From the program's entry to its umain, and out again.

#include <inc/lib.h>

const char *binaryname = "<unknown>";
__attribute__((section(".bss.private"))) const volatile struct Env *thisenv;

extern void (*_syscall_gate)(void); // lib/syscall.S
void _gate_sysenter(void);

void libmain(int argc, char **argv) __attribute__((noreturn));

// Called by lib/entry.S, once.
void
libmain(int argc, char **argv)
{
	if (has_sysenter())
		_syscall_gate = _gate_sysenter;
	thisenv = &envs[ENVX(sys_getenvid())];
	if (argc > 0 && argv[0])
		binaryname = argv[0];
	umain(argc, argv);
	exit();
}
