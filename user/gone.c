// When sys_env_destroy returns, what was destroyed runs no more, whichever CPU had it.

#include "testing.h"

#define ROUNDS 500
#define LOOK   20000 // For so many turns of a loop

static volatile uint32_t *const count = (void *)0x10000000;

void
umain(int argc, char **argv)
{
	share_memory((void *)count, PGSIZE);
	for (int i = 0; i < ROUNDS; i++) {
		*count = 0;
		envid_t child = must_fork();
		if (child == 0) {
			for (;;) {
				++*count;
				sys_getenvid();
			}
		}
		while (*count < 50)
			sys_yield();
		must(sys_env_destroy(child), "sys_env_destroy");
		uint32_t then = *count;
		for (volatile int look = 0; look < LOOK; look++)
			continue;
		if (*count != then)
			panic("round %d: the child counted from %u to %u", i, then, *count);
	}
	cprintf("gone: %d rounds\n", ROUNDS);
}
