// A child loops and never gives up the CPU. The timer interrupts still let the parent run, and the
// parent destroys the child.

#include <inc/lib.h>

#define YIELDS 8

// True when the child has started. Placed in a page that parent and child share.
static volatile bool *const spinning = (volatile bool *)0x10000000;

void
umain(int argc, char **argv)
{
	envid_t child;
	int r, i;

	r = sys_page_alloc(0, (void *)spinning, PTE_P | PTE_U | PTE_W | PTE_SHARE);
	if (r < 0)
		panic("sys_page_alloc: %e", r);
	cprintf("I am the parent.  Forking the child...\n");
	child = fork();
	if (child < 0)
		panic("fork: %e", child);
	if (child == 0) {
		cprintf("I am the child.  Spinning...\n");
		*spinning = true;
		for (;;) {
		}
	}

	cprintf("I am the parent.  Running the child...\n");
	for (i = 0; i < YIELDS; i++)
		sys_yield();
	// On several CPUs, the child may not have run during these yields.
	while (!*spinning)
		sys_yield();
	cprintf("I am the parent.  Killing the child...\n");
	sys_env_destroy(child);
}
