// Checks that variables without a value start as zero and keep what they are
// given, and that there is nothing after them.

#include <inc/lib.h>

#define WORDS (1024 * 1024)

extern char end[]; // Where the program ends: user/user.ld

static uint32_t big_array[WORDS];

void
umain(int argc, char **argv)
{
	uint32_t i;

	USED(argc);
	USED(argv);
	cprintf("Making sure bss works right...\n");
	for (i = 0; i < WORDS; i++)
		if (big_array[i] != 0)
			panic("big_array[%d] isn't cleared!", i);
	for (i = 0; i < WORDS; i++)
		big_array[i] = i;
	for (i = 0; i < WORDS; i++)
		if (big_array[i] != i)
			panic("big_array[%d] didn't hold its value!", i);

	cprintf("Yes, good.  Now doing a wild write off the end...\n");
	*(volatile char *)ROUNDUP((uintptr_t)end, PGSIZE) = 0;
	panic("SHOULD HAVE TRAPPED!!!");
}
