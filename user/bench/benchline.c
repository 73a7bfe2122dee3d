// Measures the printing of a line of 71 characters: with sys_cputs, and with cprintf.

#include "bench.h"

static const char line[] =
    "A line of seventy-one characters, the last of which is the newline. ..\n";
static_assert(sizeof(line) == 71 + 1);

static void
put_line(uint32_t done)
{
	sys_cputs(line, sizeof(line) - 1);
}

static void
print_line(uint32_t done)
{
	cprintf("%s", line);
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_fewer(bench_begin(argc, argv));

	bench("line", count, put_line);
	bench("line_cprintf", count, print_line);
	bench_end();
}
