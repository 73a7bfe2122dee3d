// Removes its page-fault handler: then a page fault ends the environment again. But after a fork,
// the library must still copy copy-on-write pages. pgfaultoff,fork tests this.

#include <user/common/testing.h>

#define PAGE      ((volatile uint32_t *)0x10000000)
#define READ_ONLY ((volatile uint32_t *)0x10001000) // The handler replaces it by a writable page.

static uint32_t variable = 1; // After a fork, its page is copy-on-write.

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
	*READ_ONLY = 1; // Not a copy-on-write page: the library must call map_page.
	cprintf("pgfaultoff: %d faults were handled\n", faults);
	set_pgfault_handler(NULL);
	variable++;
	must(sys_page_unmap(0, (void *)PAGE), "unmap");
	cprintf("pgfaultoff: the handler is given up, variable is %u\n", variable);
	if (argc > 1) // After a fork, the library would report the fault below.
		return;
	*PAGE = 1;
	cprintf("pgfaultoff: went on\n");
}
