// Memory that runs out when it is told to, so that a test can try every place where that
// may happen: with failalloc=K among the command line's words, or the monitor's command
// "failalloc K". With K = 1, 2, 3, ... until the failure is not reached any more, each
// allocation that a program causes has failed once.

#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/failalloc.h>

static uint32_t chosen; // K
static uint32_t left;   // The one that fails is the left-th from now on; 0: none
static bool for_good;   // All after it fail, too

bool
failalloc_set(const char *text)
{
	char *end;
	long k = strtol(text, &end, 10);
	bool plus = *end == '+';

	if (end == text || k < 0 || (end[plus] && end[plus] != ' '))
		return false;
	chosen = left = k;
	for_good = plus;
	return true;
}

bool
failalloc_now(void)
{
	if (left == 0 || --left > 0)
		return false;
	if (chosen)
		cprintf("page_alloc: failure injected at %u\n", chosen);
	chosen = 0; // It is said once.
	left = for_good;
	return true;
}
