#ifndef JOS_USER_CONFORM_H
#define JOS_USER_CONFORM_H

// What the conformance programs share: each of them, conform_NAME, tries one system
// call in every way that it allows and every way that it must refuse. It makes
// many small checks and prints one line at the end, or one for each check that
// fails before that. Nothing else may run beside it.
//
// A refused call must leave everything as it was. So before and after each one, all
// of the caller's mappings, the contents of AREA and the number of free
// pages are compared.
//
// Much needs a second environment. conform_clone and conform_spawn make one which is
// a copy of this one, and runs a function. These pages are not copied but the same in both:
//
//	STATE	one page: what has been checked, and words for telling each other things
//	AREA	the pages that are tried things with, while they are mapped
//
// The rest of the address space that is used:
//
//	SPARE	pages that have a page table already, since STATE and AREA use it too
//	FRESH	4 MB in which nothing may be mapped that stays: it has no page table
//	HOARD	where all of memory is put to see what happens without any
//	UTEMP	for looking at other environments' pages

#include <user/common/testing.h>

#define STATE      ((struct conform_state *)0x10000000)
#define AREA       ((char *)0x10001000)
#define AREA_PAGES 8
#define SPARE      ((char *)0x10100000)
#define FRESH      ((char *)0x20000000)
#define HOARD      ((char *)0x30000000)

// The bits of a page table entry that the CPU sets by itself.
#define PTE_BY_CPU (PTE_A | PTE_D)

struct conform_state {
	const char *name; // Of the program
	int checks;       // Made so far, by all environments
	int failures;     // So many of them went wrong
	// Whatever a program needs two environments to know.
	volatile envid_t envid;
	volatile uint32_t stage;
	volatile uint32_t words[8];
};

// ---- Checking ----

// Count a check. What it is about is told if it went wrong.
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

// The same, for a check that is made for each of a table's values.
static inline void
conform_count_with(uint32_t value, int line, const char *what, int expected, int got)
{
	char text[160];

	snprintf(text, sizeof(text), "%s, with %08x", what, value);
	conform_count(expected == got, line, text, expected, got);
}

// Macros, because they tell the line and the text of what is checked.
#define CHECK_EQ(expr, expected)                                                    \
	do {                                                                        \
		int got_ = (int)(expr), expected_ = (int)(expected);                \
		conform_count(got_ == expected_, __LINE__, #expr, expected_, got_); \
	} while (0)
#define CHECK(expr) CHECK_EQ(!!(expr), 1)

// That a call returns an error, and leaves everything as it was. The second tells
// the value of a table that it is made with.
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

// This environment's page table entry for va, 0 if there is no page table.
static inline pte_t
conform_pte(const volatile void *va)
{
	return pte_of(PGNUM(va));
}

// The physical address and the permissions of what is mapped at va.
static inline physaddr_t
conform_page(const volatile void *va)
{
	return PTE_ADDR(conform_pte(va));
}

static inline int
conform_perm(const volatile void *va)
{
	return conform_pte(va) & 0xFFF & ~PTE_BY_CPU;
}

// How many mappings there are of a physical page.
static inline int
conform_refs(physaddr_t pa)
{
	return pages[PGNUM(pa)].pp_ref;
}

// What a refused call must not change.
struct conform_snapshot {
	uint32_t mappings; // A sum over all mappings below UTOP, and
	uint32_t contents; // one over what AREA contains
	int free_pages;
};

static inline uint32_t
conform_sum(uint32_t sum, uint32_t word)
{
	return (sum ^ word) * 0x01000193; // FNV-1a, by words
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

	snprintf(text, sizeof(text), "%s, unchanged %s", what, changed);
	if (now.free_pages != before->free_pages)
		conform_count(false, line, text, before->free_pages, now.free_pages);
	else if (now.mappings != before->mappings)
		conform_count(false, line, text, before->mappings, now.mappings);
	else
		conform_count(now.contents == before->contents, line, text, before->contents,
			      now.contents);
}

// The physical address of envid's page at va; 0 if there is none.
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

// To be called first.
static inline void
conform_begin(const char *name)
{
	int r = sys_page_alloc(0, STATE, PERM_WRITE);

	if (r == 0) // Make sure there is a page table.
		r = sys_page_alloc(0, UTEMP, PERM_READ);
	if (r < 0)
		panic("%s: sys_page_alloc: %e", name, r);
	sys_page_unmap(0, UTEMP);
	STATE->name = name;
}

// To be called last.
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

// Give the child a page of ours: the same if it is shared or cannot be written, else
// a copy of it.
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

// What a child runs. Not a local variable: the child's stack is copied when its parent has
// long gone on, and may have put something else in its place.
static void (*conform_body)(void);

// Make a child which, once it is made runnable, runs a function and exits.
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

// The same, runnable at once.
static inline envid_t
conform_spawn(void (*run)(void))
{
	envid_t child = conform_clone(run);

	conform_must(sys_env_set_status(child, ENV_RUNNABLE), "sys_env_set_status");
	return child;
}

// Wait until an environment and all that it had is gone, its stopped children, too, which are
// dying when the environment itself is gone.
static inline void
conform_wait(envid_t envid)
{
	wait_until_gone(envid);
	for (int i = 0; i < NENV; i++) {
		while (envs[i].env_status == ENV_DYING)
			sys_yield();
	}
	// The CPU that frees it may still have the big lock. So make a call that takes that lock:
	// a yield does not, if no environment is runnable.
	sys_cputs("", 0);
}

// Wait until another environment says that things have come so far.
static inline void
conform_wait_stage(uint32_t stage)
{
	while (STATE->stage < stage)
		sys_yield();
}

// Run a function in a child, wait for its end, and check that nothing was lost by it.
static inline void
conform_in_child(void (*run)(void))
{
	struct conform_snapshot before = conform_snapshot();

	conform_wait(conform_spawn(run));
	conform_check_unchanged(&before, __LINE__, "a child that came and went");
}

// The same for a function that must not live to its end: `survived` is words[0].
#define CHECK_KILLED(run)                     \
	do {                                  \
		STATE->words[0] = 0;          \
		conform_in_child(run);        \
		CHECK_EQ(STATE->words[0], 0); \
	} while (0)

// What a child of conform_spawn_spinner runs. It can tell that it has a CPU of its own when
// it sees its parent do something while it does not yield. Only then may it never yield again.
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

// Make a child that runs on another CPU and never enters the kernel by itself. It counts
// in words[6]. 0 if there is no other CPU.
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

// ---- Memory that runs out ----

// Take all the pages that there are.
static inline void
conform_hoard(void)
{
	char *va = HOARD, *spare = SPARE;
	int r;

	while ((r = sys_page_alloc(0, va, PERM_WRITE)) == 0)
		va += PGSIZE;
	CHECK_EQ(r, -E_NO_MEM);
	// One may be left, where it took two because of a new page table.
	while ((r = sys_page_alloc(0, spare, PERM_WRITE)) == 0)
		spare += PGSIZE;
	CHECK_EQ(r, -E_NO_MEM);
	CHECK_EQ(count_free_pages(), 0);
}

// Give back what conform_hoard took.
static inline void
conform_release_hoard(void)
{
	char *va;

	for (va = HOARD; conform_pte(va) & PTE_P; va += PGSIZE)
		sys_page_unmap(0, va);
	for (va = SPARE; conform_pte(va) & PTE_P; va += PGSIZE)
		sys_page_unmap(0, va);
}

#endif // JOS_USER_CONFORM_H
