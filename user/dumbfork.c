// Makes a copy of itself with the system calls alone, every page of it at once,
// which is the dumb way. Then parent and child take turns.

#include <inc/lib.h>

#define PARENT_TURNS 10
#define CHILD_TURNS  20

extern const char end[]; // Where the program ends: user/user.ld

// Give the child a copy of the page at va, by way of UTEMP.
static void
copy_page(envid_t child, char *va)
{
	int r;

	if ((r = sys_page_alloc(child, va, PTE_P | PTE_U | PTE_W)) < 0)
		panic("sys_page_alloc: %e", r);
	if ((r = sys_page_map(child, va, 0, UTEMP, PTE_P | PTE_U | PTE_W)) < 0)
		panic("sys_page_map: %e", r);
	memcpy(UTEMP, va, PGSIZE);
	if ((r = sys_page_unmap(0, UTEMP)) < 0)
		panic("sys_page_unmap: %e", r);
}

static envid_t
dumb_fork(void)
{
	envid_t child;
	char *va;
	int r;

	child = sys_exofork();
	if (child < 0)
		panic("sys_exofork: %e", child);
	if (child == 0) {
		// Our copy of thisenv was the parent's.
		thisenv = &envs[ENVX(sys_getenvid())];
		return 0;
	}

	for (va = (char *)UTEXT; va < end; va += PGSIZE)
		copy_page(child, va);
	// The stack is one page, the one this variable is on.
	copy_page(child, ROUNDDOWN((char *)&va, PGSIZE));

	if ((r = sys_env_set_status(child, ENV_RUNNABLE)) < 0)
		panic("sys_env_set_status: %e", r);
	return child;
}

void
umain(int argc, char **argv)
{
	envid_t child = dumb_fork();
	int i;

	USED(argc);
	USED(argv);
	for (i = 0; i < (child ? PARENT_TURNS : CHILD_TURNS); i++) {
		cprintf("%d: I am the %s!\n", i, child ? "parent" : "child");
		sys_yield();
	}
}
