#ifndef JOS_USER_TESTING_H
#define JOS_USER_TESTING_H

// What the programs share that try something with several environments. Each of them
// says in a line at the end how it went, or panics.

#include <inc/lib.h>

#define PERM_READ  (PTE_P | PTE_U)
#define PERM_WRITE (PTE_P | PTE_U | PTE_W)

// That a call went well. Returns what it returned.
static inline int
must(int r, const char *what)
{
	if (r < 0)
		panic("%s: %e", what, r);
	return r;
}

// Map memory at va, size bytes of zeroes, that will be the same in all children to come.
static inline void
share_memory(void *va, size_t size)
{
	for (size_t done = 0; done < size; done += PGSIZE)
		must(sys_page_alloc(0, va + done, PERM_WRITE | PTE_SHARE), "sys_page_alloc");
}

static inline envid_t
must_fork(void)
{
	return must(fork(), "fork");
}

static inline const volatile struct Env *
env_of(envid_t envid)
{
	return &envs[ENVX(envid)];
}

static inline bool
is_alive(envid_t envid)
{
	return env_of(envid)->env_id == envid && env_of(envid)->env_status != ENV_FREE;
}

static inline void
wait_until_gone(envid_t envid)
{
	while (is_alive(envid))
		sys_yield();
}

// Wait until an environment waits for something, in the kernel.
static inline void
wait_until_asleep(envid_t envid)
{
	while (env_of(envid)->env_status != ENV_NOT_RUNNABLE) {
		if (!is_alive(envid))
			panic("%08x has gone, and does not wait", envid);
		sys_yield();
	}
}

// Recover from exceptions of a vector: all that `recover` meets with. So does a child, which
// inherits the handler; but not one that gives it up, and then provokes another: the kernel
// ends that.
static inline void
try_handler(uint32_t trapno, void (*handler)(struct UTrapframe *), void (*recover)(void),
    void (*provoke)(void))
{
	must(set_exception_handler(trapno, handler), "set_exception_handler");
	recover();

	envid_t child = must_fork();
	if (child == 0) {
		recover();
		exit();
	}
	wait_until_gone(child);

	child = must_fork();
	if (child == 0) {
		must(set_exception_handler(trapno, NULL), "set_exception_handler");
		provoke();
		panic("went on after exception %u without a handler", trapno);
	}
	wait_until_gone(child);
	recover();
}

// This environment's page table entry for a page, 0 if it has no page table there.
static inline pte_t
pte_of(uint32_t pn)
{
	return uvpd[pn / NPTENTRIES] & PTE_P ? uvpt[pn] : 0;
}

// How many pages are free, in all of the machine; give or take a constant, which are
// those that there are not.
static inline int
count_free_pages(void)
{
	int count = 0;

	for (uint32_t va = UPAGES; va < UVPT && (pte_of(PGNUM(va)) & PTE_P); va += PGSIZE) {
		const volatile struct PageInfo *pp = (const volatile struct PageInfo *)va;
		for (uint32_t i = 0; i < PGSIZE / sizeof(*pp); i++)
			count += pp[i].pp_ref == 0;
	}
	return count;
}

// How many environments there are.
static inline int
count_envs(void)
{
	int count = 0;

	for (int i = 0; i < NENV; i++)
		count += envs[i].env_status != ENV_FREE;
	return count;
}

#endif // JOS_USER_TESTING_H
