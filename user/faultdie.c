// Handles its page fault: prints the address and the error code, and exits.

#include <inc/lib.h>

static void
handler(struct UTrapframe *utf)
{
	cprintf("i faulted at va %x, err %x\n", utf->utf_fault_va,
	    utf->utf_err & (FEC_PR | FEC_WR | FEC_U));
	sys_env_destroy(sys_getenvid());
}

void
umain(int argc, char **argv)
{
	set_pgfault_handler(handler);
	*(volatile int *)0xDEADBEEF = 0;
}
