#ifndef JOS_USER_TESTING_H
#define JOS_USER_TESTING_H

// Functions of the programs that test with several environments. Each such program prints its
// result in the last line, or panics.

#include <inc/lib.h>

#define PERM_READ  (PTE_P | PTE_U)
#define PERM_WRITE (PTE_P | PTE_U | PTE_W)

// Panic if a call returned an error. Returns the result of the call.
static inline int
must(int r, const char *what)
{
	if (r < 0)
		panic("%s: %e", what, r);
	return r;
}

// Map `size` bytes of zeroed memory at va. Children forked after this share this memory.
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

// Wait until an environment sleeps in a system call, or is stopped.
static inline void
wait_until_asleep(envid_t envid)
{
	while (env_of(envid)->env_status != ENV_NOT_RUNNABLE) {
		if (!is_alive(envid))
			panic("%08x has ended instead of sleeping", envid);
		sys_yield();
	}
}

// Test a handler for exception `trapno`. `recover` raises exceptions from which the handler must
// recover; a child inherits the handler, and must recover too. A second child removes the handler
// and calls `provoke`, which raises the exception: the kernel must destroy this child.
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

// Returns this environment's page table entry for page pn, 0 if there is no page table for it.
static inline pte_t
pte_of(uint32_t pn)
{
	return uvpd[pn / NPTENTRIES] & PTE_P ? uvpt[pn] : 0;
}

// Count the free pages of the machine. The count is too large by a constant: pages[] also has
// entries for pages that do not exist.
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

// Count the environments.
static inline int
count_envs(void)
{
	int count = 0;

	for (int i = 0; i < NENV; i++)
		count += envs[i].env_status != ENV_FREE;
	return count;
}

#endif // JOS_USER_TESTING_H
