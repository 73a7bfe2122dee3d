// Measures a page fault whose handler maps a page: until the program continues.

#include "bench.h"

#define FAULTS (BENCH_PAGE + PTSIZE) // The first address that faults; each fault is a page higher

// Map the same page at each address.
static void
handler(struct UTrapframe *utf)
{
	void *va = ROUNDDOWN((void *)utf->utf_fault_va, PGSIZE);

	bench_must(sys_page_map(0, BENCH_PAGE, 0, va, BENCH_PERM), "sys_page_map");
}

static void
fault(uint32_t done)
{
	*(volatile uint32_t *)(FAULTS + done * PGSIZE);
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_begin(argc, argv);

	// Each fault needs a new address, and the address space is limited.
	count = MIN(count, 50000U);
	bench_must(sys_page_alloc(0, BENCH_PAGE, BENCH_PERM), "sys_page_alloc");
	set_pgfault_handler(handler);
	bench("upcall", count, fault);
	bench_end();
}
