// A child of fork causes a fault that is no copy-on-write fault. It must not go on: either the
// library panics, or the kernel destroys the child. The argument selects the fault.

#include <user/common/testing.h>

#define READONLY ((volatile uint32_t *)0x20000000)
#define SHARED   ((volatile uint32_t *)0x20001000) // Read-only, PTE_SHARE
#define UNMAPPED ((volatile uint32_t *)0x30000000)

void
umain(int argc, char **argv)
{
	int which = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

	must(sys_page_alloc(0, (void *)READONLY, PERM_READ), "sys_page_alloc");
	must(sys_page_alloc(0, (void *)SHARED, PERM_READ | PTE_SHARE), "sys_page_alloc");
	envid_t child = must_fork();
	if (child) {
		wait_until_gone(child);
		return;
	}
	switch (which) {
	case 0:
		*READONLY = 1;
		break;
	case 1:
		*SHARED = 1;
		break;
	case 2:
		*UNMAPPED = 1;
		break;
	case 3:
		USED(*UNMAPPED);
		break;
	case 4:
		*(volatile uint32_t *)KERNBASE = 1;
		break;
	}
	cprintf("gradecow: the child went on after fault %d\n", which);
}
