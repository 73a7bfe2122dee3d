// Measures changes of the address space: to replace a mapping, to map and unmap a page, and to
// replace a page by a new one.

#include "bench.h"

#define TARGET (BENCH_PAGE + 2 * PGSIZE)

static void
map(uint32_t done)
{
	sys_page_map(0, BENCH_PAGE + done % 2 * PGSIZE, 0, TARGET, BENCH_PERM);
}

static void
map_and_unmap(uint32_t done)
{
	sys_page_map(0, BENCH_PAGE, 0, TARGET, BENCH_PERM);
	sys_page_unmap(0, TARGET);
}

static void
alloc(uint32_t done)
{
	sys_page_alloc(0, TARGET, BENCH_PERM);
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_begin(argc, argv);

	for (int i = 0; i < 3; i++)
		bench_must(
		    sys_page_alloc(0, BENCH_PAGE + i * PGSIZE, BENCH_PERM), "sys_page_alloc");
	bench("page_map", count, map);
	bench("page_map_unmap", count, map_and_unmap);
	bench("page_alloc", count, alloc);
	bench_end();
}
