// Memory that runs out when it is told to, so that a test can try every place where that
// may happen: with failalloc=K among the command line's words, or the monitor's command
// "failalloc K". With K = 1, 2, 3, ... until the failure is not reached any more, each
// allocation that a program causes has failed once.

#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/check/failalloc.h>

#define MAX_DIGITS 9 // A number of so many fits into a long.

static uint32_t chosen; // K
uint32_t failalloc_left; // 0: none is to fail
static bool for_good;   // All after it fail, too

bool
failalloc_set(const char *text)
{
	char *end;
	long k = strtol(text, &end, 10);
	bool plus = *end == '+';

	if (*text < '0' || *text > '9' || end - text > MAX_DIGITS ||
	    (end[plus] && end[plus] != ' '))
		return false;
	chosen = failalloc_left = k;
	for_good = plus;
	return true;
}

bool
failalloc_count(void)
{
	if (--failalloc_left > 0)
		return false;
	if (chosen)
		cprintf("page_alloc: failure injected at %u\n", chosen);
	chosen = 0; // It is said once.
	failalloc_left = for_good;
	return true;
}
