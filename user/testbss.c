// Tests the .bss section: variables without an initial value are zero, each variable keeps the
// value that is stored in it, and nothing is mapped after the last variable.

#include <inc/lib.h>

#define WORDS (4 * 1024 * 1024 / sizeof(uint32_t))

extern uint8_t end[]; // The end of the program: user/user.ld

static uint32_t words[WORDS];

// A different number for each word.
static uint32_t
pattern(size_t i)
{
	return i * 2654435761U; // The factor is odd, so all products differ.
}

// Return the number of words that differ from the expected value: the pattern if `filled`,
// otherwise 0.
static size_t
count_wrong(bool filled)
{
	size_t wrong = 0;

	for (size_t i = 0; i < WORDS; i++)
		wrong += words[i] != (filled ? pattern(i) : 0);
	return wrong;
}

void
umain(int argc, char **argv)
{
	volatile uint8_t *after_end = ROUNDUP((uint8_t *)end, PGSIZE);
	size_t wrong;

	cprintf("Making sure bss works right...\n");
	if ((wrong = count_wrong(false)) > 0)
		panic("%u words are not zero", wrong);
	for (size_t i = WORDS; i-- > 0;)
		words[i] = pattern(i);
	if ((wrong = count_wrong(true)) > 0)
		panic("%u words have changed", wrong);

	cprintf("Yes, good.  Now doing a wild write off the end...\n");
	*after_end = 1;
	panic("a page is mapped at %p, after the end of the program", after_end);
}
