// Tests that each environment has its own fs and gs: after it has waited or lost its CPU, it finds
// the selectors that it loaded, and can use them. A new environment starts with null selectors, a
// child of fork with its parent's selectors.

#include <user/common/testing.h>

#define ROUNDS 20

// All selectors that a program can load
static const uint16_t selectors[] = { 0, 1, 2, 3, GD_UT, GD_UT | 1, GD_UT | 2, GD_UT | 3, GD_UD,
	GD_UD | 1, GD_UD | 2, GD_UD | 3 };

static const uint32_t word = 0x5E65;

static void
check(const char *when, uint16_t fs, uint16_t gs)
{
	uint32_t found = word;
	uint16_t fs_now, gs_now;

	store_fs_gs(&fs_now, &gs_now);
	if (fs_now != fs || gs_now != gs)
		panic("%s fs is %04x and gs %04x, not %04x and %04x", when, fs_now, gs_now, fs, gs);
	if (gs > 3)
		__asm__ volatile("movl %%gs:%1, %0" : "=r"(found) : "m"(word));
	if (found != word)
		panic("%s the word at gs is %x", when, found);
}

// Loop long enough for the timer to end a time slice from time to time.
static void
spin(void)
{
	for (volatile int i = 0; i < 20000; i++)
		continue;
}

// Each worker starts with different selectors.
static void
work(size_t worker)
{
	for (size_t i = 0; i < ROUNDS * ARRAY_SIZE(selectors); i++) {
		uint16_t fs = selectors[(i + worker) % ARRAY_SIZE(selectors)];
		uint16_t gs = selectors[(i * 5 + worker * 7) % ARRAY_SIZE(selectors)];
		load_fs_gs(&fs, &gs);
		sys_yield();
		check("after sys_yield", fs, gs);
		spin();
		check("after a while", fs, gs);
	}
}

void
umain(int argc, char **argv)
{
	envid_t children[4];

	check("at the beginning", 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		uint16_t fs = selectors[2 * i + 1], gs = selectors[2 * i + 4];
		load_fs_gs(&fs, &gs);
		children[i] = must_fork();
		check("after fork", fs, gs);
		if (children[i] == 0) {
			work(i);
			exit();
		}
	}
	work(ARRAY_SIZE(children));
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		wait_until_gone(children[i]);
	cprintf("segments: ok\n");
}
