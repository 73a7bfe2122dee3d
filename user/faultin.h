#ifndef JOS_USER_FAULTIN_H
#define JOS_USER_FAULTIN_H

// A page-fault handler that maps a page at the address of the fault, and writes a string there.

#include <inc/lib.h>

#define FAULTIN_SIZE 100 // Longest string, in bytes. The string may reach into the next page.

static void
fault_in(struct UTrapframe *utf)
{
	uintptr_t va = utf->utf_fault_va;

	cprintf("fault %x\n", va);
	int r = sys_page_alloc(0, (void *)ROUNDDOWN(va, PGSIZE), PTE_P | PTE_U | PTE_W);
	if (r < 0)
		panic("no page for %x: %e", va, r);
	snprintf((char *)va, FAULTIN_SIZE, "this string was faulted in at %x", va);
}

#endif // JOS_USER_FAULTIN_H
