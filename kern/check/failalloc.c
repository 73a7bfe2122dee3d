// Fault injection: the K-th page allocation fails as if memory had run out. The command-line option
// failalloc=K or the monitor's command "failalloc K" sets K; page_alloc calls failalloc_now. A test
// runs a program with K = 1, 2, 3, ... until no failure is reported. Then each allocation that the
// program causes has failed once. The big lock protects all variables of this file.

#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/check/failalloc.h>

#define MAX_DIGITS 9 // Every number of 9 digits fits in a long.

static uint32_t fail_at;  // K, or 0 after the failure has been reported
uint32_t failalloc_left;  // Calls up to and including the failing call; 0 if no call fails
static bool keep_failing; // All allocations after the K-th fail too.

bool
failalloc_set(const char *text)
{
	char *end;
	long k = strtol(text, &end, 10);
	bool plus = *end == '+';

	if (*text < '0' || *text > '9' || end - text > MAX_DIGITS ||
	    (end[plus] && end[plus] != ' '))
		return false;
	fail_at = failalloc_left = k;
	keep_failing = plus;
	return true;
}

bool
failalloc_count(void)
{
	if (--failalloc_left > 0)
		return false;
	if (fail_at)
		cprintf("page_alloc: failure injected at %u\n", fail_at);
	fail_at = 0; // Print the message only once.
	failalloc_left = keep_failing;
	return true;
}
