// Measures batched page_map: CALLS pages are mapped in place of other pages. The time to fill the
// batch is included.

#include "bench.h"

#define CALLS  32
#define TARGET (BENCH_PAGE + 2 * PGSIZE)

static struct Batch batch;

static void
map_many(uint32_t done)
{
	for (uint32_t i = 0; i < CALLS; i++)
		batch_page_map(&batch, 0, BENCH_PAGE + (done + i) % 2 * PGSIZE, 0,
		    TARGET + i * PGSIZE, BENCH_PERM);
	batch_flush(&batch);
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_begin(argc, argv);

	for (int i = 0; i < 2; i++)
		bench_must(
		    sys_page_alloc(0, BENCH_PAGE + i * PGSIZE, BENCH_PERM), "sys_page_alloc");
	map_many(0);
	if (pages[PGNUM(uvpt[PGNUM(BENCH_PAGE)])].pp_ref != 1 + CALLS / 2)
		panic("not all pages were mapped");
	bench("batch_map", bench_fewer(count), map_many);
	bench_end();
}
