#ifndef JOS_USER_CONFORM_H
#define JOS_USER_CONFORM_H

// Functions of the conformance programs. Each program, conform_NAME, tests one system call: all
// that the call allows, and all that it must refuse. The program prints a line for each check that
// fails, and a summary at the end. No other program may run at the same time.
//
// A refused call must change nothing. So a snapshot is compared before and after each refused call:
// the caller's mappings, the contents of AREA, and the number of free pages.
//
// Many checks need a second environment. conform_clone and conform_spawn make a child that is a
// copy of the caller and runs a function. Parent and child share these pages:
//
//	STATE	one page: counts of the checks, and variables for parent and child
//	AREA	pages for the tests: those that are mapped when the child is made
//
// Other addresses that are used:
//
//	SPARE	pages whose page table exists: it is the page table of STATE and AREA
//	FRESH	4 MB without a page table: pages may be mapped here only for a short time
//	TAKEN	where a program maps all free pages, to test calls without free memory
//	UTEMP	where pages of other environments are mapped

#include <user/common/testing.h>

#define STATE      ((struct conform_state *)0x10000000)
#define AREA       ((char *)0x10001000)
#define AREA_PAGES 8
#define SPARE      ((char *)0x10100000)
#define FRESH      ((char *)0x20000000)
#define TAKEN      ((char *)0x30000000)

// The bits of a page table entry that the CPU sets.
#define PTE_BY_CPU (PTE_A | PTE_D)

struct conform_state {
	const char *name; // Of the program
	int checks;       // Number of checks so far, in all environments
	int failures;     // Number of checks that failed
	// Variables for parent and child; their use depends on the program
	volatile envid_t envid;
	volatile uint32_t stage;
	volatile uint32_t words[8];
};

// ---- Checking ----

// Count a check. If the check failed, print a line that contains `what`.
static inline void
conform_count(bool good, int line, const char *what, int expected, int got)
{
	STATE->checks++;
	if (good)
		return;
	STATE->failures++;
	cprintf("%s: %d: expected %d (%08x), got %d (%08x): %s\n", STATE->name, line, expected,
	    expected, got, got, what);
}

// Count a check that is repeated for each value of a table.
static inline void
conform_count_with(uint32_t value, int line, const char *what, int expected, int got)
{
	char text[160];

	snprintf(text, sizeof(text), "%s, with %08x", what, value);
	conform_count(expected == got, line, text, expected, got);
}

// These are macros, so that a failed check prints its line number and its text.
#define CHECK_EQ(expr, expected)                                                    \
	do {                                                                        \
		int got_ = (int)(expr), expected_ = (int)(expected);                \
		conform_count(got_ == expected_, __LINE__, #expr, expected_, got_); \
	} while (0)
#define CHECK(expr) CHECK_EQ(!!(expr), 1)

// Check that a call returns an error and changes nothing. CHECK_REFUSED_WITH is for the values of
// a table, and prints the value if the check fails.
#define CHECK_REFUSED(call, error)                                    \
	do {                                                          \
		struct conform_snapshot before_ = conform_snapshot(); \
		CHECK_EQ(call, -(error));                             \
		conform_check_unchanged(&before_, __LINE__, #call);   \
	} while (0)
#define CHECK_REFUSED_WITH(value, call, error)                                          \
	do {                                                                            \
		struct conform_snapshot before_ = conform_snapshot();                   \
		conform_count_with((uint32_t)(value), __LINE__, #call, -(error), call); \
		conform_check_unchanged(&before_, __LINE__, #call);                     \
	} while (0)

// ---- Looking at memory ----

// Returns this environment's page table entry for va, 0 if there is no page table.
static inline pte_t
conform_pte(const volatile void *va)
{
	return pte_of(PGNUM(va));
}

// Returns the physical address of the page at va.
static inline physaddr_t
conform_page(const volatile void *va)
{
	return PTE_ADDR(conform_pte(va));
}

// Returns the permissions of the page at va.
static inline int
conform_perm(const volatile void *va)
{
	return conform_pte(va) & 0xFFF & ~PTE_BY_CPU;
}

// Returns the number of mappings of a physical page.
static inline int
conform_refs(physaddr_t pa)
{
	return pages[PGNUM(pa)].pp_ref;
}

// What a refused call must not change.
struct conform_snapshot {
	uint32_t mappings; // Hash of all mappings below UTOP
	uint32_t contents; // Hash of the contents of AREA
	int free_pages;
};

static inline uint32_t
conform_sum(uint32_t sum, uint32_t word)
{
	return (sum ^ word) * 0x01000193; // FNV-1a, applied to words
}

static inline struct conform_snapshot
conform_snapshot(void)
{
	struct conform_snapshot s = { .free_pages = count_free_pages() };
	uint32_t d, i;

	for (d = 0; d < PDX(UTOP); d++) {
		s.mappings = conform_sum(s.mappings, uvpd[d] & ~PTE_BY_CPU);
		for (i = 0; uvpd[d] & PTE_P && i < NPTENTRIES; i++)
			s.mappings =
			    conform_sum(s.mappings, uvpt[d * NPTENTRIES + i] & ~PTE_BY_CPU);
	}
	for (i = 0; i < AREA_PAGES * PGSIZE / 4; i++) {
		const volatile uint32_t *word = (const volatile uint32_t *)AREA + i;

		if (conform_pte(word) & PTE_P)
			s.contents = conform_sum(s.contents, *word);
	}
	return s;
}

static inline void
conform_check_unchanged(const struct conform_snapshot *before, int line, const char *what)
{
	struct conform_snapshot now = conform_snapshot();
	const char *changed = now.free_pages != before->free_pages ? "free pages"
			      : now.mappings != before->mappings   ? "mappings"
								   : "contents";
	char text[160];

	snprintf(text, sizeof(text), "%s must not change the %s", what, changed);
	if (now.free_pages != before->free_pages)
		conform_count(false, line, text, before->free_pages, now.free_pages);
	else if (now.mappings != before->mappings)
		conform_count(false, line, text, before->mappings, now.mappings);
	else
		conform_count(
		    now.contents == before->contents, line, text, before->contents, now.contents);
}

// Returns the physical address of envid's page at va, 0 if nothing is mapped there.
static inline physaddr_t
conform_page_of(envid_t envid, void *va)
{
	physaddr_t pa;

	if (sys_page_map(envid, va, 0, UTEMP, PERM_READ) < 0)
		return 0;
	pa = conform_page(UTEMP);
	sys_page_unmap(0, UTEMP);
	return pa;
}

// ---- Beginning and ending ----

// Each program calls this first.
static inline void
conform_begin(const char *name)
{
	int r = sys_page_alloc(0, STATE, PERM_WRITE);

	if (r == 0) // Make sure that UTEMP has a page table.
		r = sys_page_alloc(0, UTEMP, PERM_READ);
	if (r < 0)
		panic("%s: sys_page_alloc: %e", name, r);
	sys_page_unmap(0, UTEMP);
	STATE->name = name;
}

// Each program calls this last.
static inline void
conform_end(void)
{
	if (STATE->failures)
		cprintf("%s: FAILED %d of %d\n", STATE->name, STATE->failures, STATE->checks);
	else
		cprintf("%s: all %d checks passed\n", STATE->name, STATE->checks);
}

// ---- Other environments ----

extern char end[]; // Where the program ends: user/user.ld

static inline void
conform_must(int r, const char *what)
{
	if (r < 0)
		panic("%s: %s: %e", STATE->name, what, r);
}

// Give the child the caller's page at va: the same page if it is shared or read-only, otherwise a
// copy.
static inline void
conform_give_page(envid_t child, char *va, bool shared)
{
	int perm = conform_perm(va) & PTE_SYSCALL;

	if (!(perm & PTE_P))
		return;
	if (shared || !(perm & PTE_W)) {
		conform_must(sys_page_map(0, va, child, va, perm), "sys_page_map to a child");
		return;
	}
	conform_must(sys_page_alloc(child, va, perm), "sys_page_alloc for a child");
	conform_must(sys_page_map(child, va, 0, UTEMP, perm), "sys_page_map from a child");
	memcpy(UTEMP, va, PGSIZE);
	sys_page_unmap(0, UTEMP);
}

// The function that a child runs. This is not a local variable, because the child's stack is copied
// after the parent has continued, and the parent may have overwritten local variables.
static void (*conform_body)(void);

// Make a child that is not runnable. When it is made runnable, it calls `run` and exits.
static inline envid_t
conform_clone(void (*run)(void))
{
	envid_t child;
	char *va;

	conform_body = run;
	child = sys_exofork();
	conform_must(child, "sys_exofork");
	if (child == 0) {
		thisenv = &envs[ENVX(sys_getenvid())];
		conform_body();
		exit();
	}
	for (va = (char *)UTEXT; va < end; va += PGSIZE)
		conform_give_page(child, va, false);
	conform_give_page(child, (char *)USTACKTOP - PGSIZE, false);
	conform_give_page(child, (char *)STATE, true);
	for (va = AREA; va < AREA + AREA_PAGES * PGSIZE; va += PGSIZE)
		conform_give_page(child, va, true);
	return child;
}

// Make a child that calls `run` and exits. The child is runnable at once.
static inline envid_t
conform_spawn(void (*run)(void))
{
	envid_t child = conform_clone(run);

	conform_must(sys_env_set_status(child, ENV_RUNNABLE), "sys_env_set_status");
	return child;
}

// Wait until an environment, its memory and its stopped children are freed. The stopped children
// are still dying when the environment itself is free.
static inline void
conform_wait(envid_t envid)
{
	wait_until_gone(envid);
	for (int i = 0; i < NENV; i++) {
		while (envs[i].env_status == ENV_DYING)
			sys_yield();
	}
	// The CPU that frees the environment may still hold the big lock. sys_cputs waits for that
	// lock; sys_yield does not, if no environment is runnable.
	sys_cputs("", 0);
}

// Wait until another environment has set STATE->stage to `stage` or higher.
static inline void
conform_wait_stage(uint32_t stage)
{
	while (STATE->stage < stage)
		sys_yield();
}

// Run a function in a child, wait until the child is gone, and check that no memory was lost.
static inline void
conform_in_child(void (*run)(void))
{
	struct conform_snapshot before = conform_snapshot();

	conform_wait(conform_spawn(run));
	conform_check_unchanged(&before, __LINE__, "a child that ran and ended");
}

// Run a function in a child, which the kernel must destroy in that function. The last statement of
// the function sets words[0].
#define CHECK_KILLED(run)                     \
	do {                                  \
		STATE->words[0] = 0;          \
		conform_in_child(run);        \
		CHECK_EQ(STATE->words[0], 0); \
	} while (0)

// The child of conform_spawn_spinner runs this. If words[7], which the parent increments, changes
// while the child does not yield, then the child has a CPU of its own. Only in this case may the
// child loop without yielding: otherwise the parent could never run again.
static inline void
conform_spin(void)
{
	uint32_t i, try, seen;

	for (try = 0; try < 100; try++) {
		seen = STATE->words[7];
		for (i = 0; i < 100000 && STATE->words[7] == seen; i++)
			;
		if (STATE->words[7] != seen) {
			STATE->stage = 3;
			for (;;)
				STATE->words[6]++;
		}
		sys_yield();
	}
	STATE->stage = 2;
}

// Make a child that runs on another CPU, makes no system calls, and increments words[6] all the
// time. Returns 0 if there is no other CPU.
static inline envid_t
conform_spawn_spinner(void)
{
	envid_t child;
	uint32_t i;

	STATE->stage = STATE->words[6] = STATE->words[7] = 0;
	child = conform_spawn(conform_spin);
	while (STATE->stage < 2) {
		for (i = 0; i < 100000 && STATE->stage < 2; i++)
			STATE->words[7]++;
		sys_yield();
	}
	if (STATE->stage == 3)
		return child;
	conform_wait(child);
	return 0;
}

// ---- Without free memory ----

// Take all free pages.
static inline void
conform_take_memory(void)
{
	char *va = TAKEN, *spare = SPARE;
	int r;

	while ((r = sys_page_alloc(0, va, PERM_WRITE)) == 0)
		va += PGSIZE;
	CHECK_EQ(r, -E_NO_MEM);
	// One page may be left, if the last sys_page_alloc needed a page table too.
	while ((r = sys_page_alloc(0, spare, PERM_WRITE)) == 0)
		spare += PGSIZE;
	CHECK_EQ(r, -E_NO_MEM);
	CHECK_EQ(count_free_pages(), 0);
}

// Free the pages that conform_take_memory took.
static inline void
conform_release_memory(void)
{
	char *va;

	for (va = TAKEN; conform_pte(va) & PTE_P; va += PGSIZE)
		sys_page_unmap(0, va);
	for (va = SPARE; conform_pte(va) & PTE_P; va += PGSIZE)
		sys_page_unmap(0, va);
}

#endif // JOS_USER_CONFORM_H
