// A handler of page faults that is given up: the kernel deals with them again. But after a fork,
// the library still copies what is written to. pgfaultoff,fork: after a fork.

#include <user/common/testing.h>

#define PAGE      ((volatile uint32_t *)0x10000000)
#define READ_ONLY ((volatile uint32_t *)0x10001000) // Until it is written to

static uint32_t variable = 1; // After a fork its page is copied when it is written.

static int faults;

static void
map_page(struct UTrapframe *utf)
{
	faults++;
	must(sys_page_alloc(0, ROUNDDOWN((void *)utf->utf_fault_va, PGSIZE), PERM_WRITE), "alloc");
}

void
umain(int argc, char **argv)
{
	set_pgfault_handler(map_page);
	*PAGE = 1;
	if (argc > 1) {
		envid_t child = must_fork();
		if (child == 0)
			exit();
		wait_until_gone(child);
	}
	must(sys_page_alloc(0, (void *)READ_ONLY, PERM_READ), "alloc");
	*READ_ONLY = 1; // No fault that the library may take for fork's
	cprintf("pgfaultoff: %d faults were handled\n", faults);
	set_pgfault_handler(NULL);
	variable++;
	must(sys_page_unmap(0, (void *)PAGE), "unmap");
	cprintf("pgfaultoff: the handler is given up, variable is %u\n", variable);
	if (argc > 1) // A fault would be the library's to report.
		return;
	*PAGE = 1;
	cprintf("pgfaultoff: went on\n");
}
