// What it costs that a page fault's handler maps a page, and the program goes on.

#include "bench.h"

#define FAULTS (BENCH_PAGE + PTSIZE) // One page after the other from here on

// The same page for all of them.
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

	// A new page each time, of an address space that has an end.
	count = MIN(count, 50000U);
	bench_must(sys_page_alloc(0, BENCH_PAGE, BENCH_PERM), "sys_page_alloc");
	set_pgfault_handler(handler);
	bench("upcall", count, fault);
	bench_end();
}
