// Tests fork with a stack of two pages, of which the lower page is copy-on-write. fork is called
// with each stack pointer above the boundary of the pages. So, in some call, each function of fork
// is the first to write to the lower page, which is then copied while fork copies the mappings.
//
// If the lower page begins less than STACK_MARGIN (lib/fork.c) below fork's own frame, parent and
// child must each have their own copy after fork: then both can write to it without free memory.
//
// With an argument, this program tests fork_batched in place of fork.

#include <user/common/testing.h>

#define LOWER ((void *)(USTACKTOP - 2 * PGSIZE))
#define UPPER (USTACKTOP - PGSIZE)

static envid_t (*chosen_fork)(void) = fork;

// Call the chosen fork with the stack pointer at sp.
static envid_t
fork_at(uint32_t sp)
{
	envid_t child;

	__asm__ volatile(
	    "movl %%esp, %%ebx\n\t"
	    "movl %1, %%esp\n\t"
	    "call *%2\n\t"
	    "movl %%ebx, %%esp"
	    : "=a"(child)
	    : "r"(sp), "r"(chosen_fork)
	    : "ebx", "ecx", "edx", "memory", "cc");
	return child;
}

// Check that a write to the lower page needs no memory.
static void
check_lower_is_own(uint32_t sp, const char *whose)
{
	if (!(pte_of(PGNUM(LOWER)) & PTE_W))
		panic("fork with esp %08x: the %s's lower page is copy-on-write", sp, whose);
}

static void
try_margin(void)
{
	for (uint32_t sp = UPPER + 16; sp < UPPER + 1000; sp += 120) {
		must(sys_page_alloc(0, LOWER, PERM_WRITE), "sys_page_alloc");
		envid_t child = must(fork_at(sp), "fork");
		check_lower_is_own(sp, child ? "parent" : "child");
		if (child == 0)
			exit();
		wait_until_gone(child);
	}
	cprintf("forkstack: parent and child have copies of the pages near %s's frame\n",
	    chosen_fork == fork ? "fork" : "fork_batched");
}

void
umain(int argc, char **argv)
{
	int forks = 0;

	if (argc > 1)
		chosen_fork = fork_batched;
	must(sys_page_alloc(0, LOWER, PERM_WRITE), "sys_page_alloc");
	envid_t first = must_fork(); // From now on fork's handler copies copy-on-write pages.
	if (first == 0)
		exit();
	wait_until_gone(first);
	for (uint32_t sp = UPPER + 16; sp < UPPER + 700 && sp + 64 < read_esp(); sp += 4) {
		must(sys_page_map(0, LOWER, 0, LOWER, PTE_P | PTE_U | PTE_COW), "sys_page_map");
		envid_t child = must(fork_at(sp), "fork");
		if (child == 0)
			exit();
		wait_until_gone(child);
		forks++;
	}
	cprintf("forkstack: %d forks\n", forks);
	try_margin();
}
