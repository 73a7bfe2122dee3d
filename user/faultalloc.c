// Gives itself memory where it faults, and a string in it. The second string lies
// across the end of a page: while the handler writes it, it faults itself.

#include <inc/lib.h>

#define STRING_SIZE 100 // At most

static void
handler(struct UTrapframe *utf)
{
	char *va = (char *)utf->utf_fault_va;
	int r;

	cprintf("fault %x\n", utf->utf_fault_va);
	r = sys_page_alloc(0, ROUNDDOWN(va, PGSIZE), PTE_P | PTE_U | PTE_W);
	if (r < 0)
		panic("allocating at %x in the handler: %e", utf->utf_fault_va, r);
	snprintf(va, STRING_SIZE, "this string was faulted in at %x", utf->utf_fault_va);
}

void
umain(int argc, char **argv)
{
	USED(argc);
	USED(argv);
	set_pgfault_handler(handler);
	cprintf("%s\n", (char *)0xDEADBEEF);
	cprintf("%s\n", (char *)0xCAFEBFFE);
}
