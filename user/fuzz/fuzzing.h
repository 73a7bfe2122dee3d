#ifndef JOS_USER_FUZZING_H
#define JOS_USER_FUZZING_H

// What all of the fuzzer's files need (fuzz.c says what it is): where things are in its
// environments, and arguments for system calls that are likely to be the wrong ones.
//
//	AREA	pages to try things with. A child that has been given some shares them with its
//		parent.
//	FRESH	from here on, each page that is mapped needs a page table of its own
//	CODE	one page, from which exofork is called, and where a child begins
//	SLOTS	a parent's view of what its children report, a page each,
//	MY_SLOT	and a child's view of its own
//	VM86	below 1 MB: one page, of some children: see fuzzcode.h
//	SCRATCH	for filling a page of somebody else's

#include <user/common/random.h>
#include <user/common/testing.h>

#define VM86         0x2000
#define AREA         0x10000000
#define AREA_PAGES   8
#define CODE         0x11000000
#define SLOTS        0x11100000
#define MY_SLOT      ((volatile struct slot *)0x11200000)
#define SCRATCH      ((uint8_t *)0x11300000)
#define FRESH        0x20000000
#define FRESH_TABLES 64

#define MAX_CALL_ARGS 5

struct call {
	uint32_t number, args[MAX_CALL_ARGS];
};

// What has been done so far.
struct counts {
	uint32_t calls;
	uint32_t children; // That have been made,
	uint32_t killed;   // and those of them that the kernel ended
	uint32_t cpus;     // That they were seen on, a bit each
};

// What can be wrong with a call: what it returned, or what it did to mappings.
enum wrong { NOTHING_WRONG, WRONG_RESULT, WRONG_MAPPINGS };

// What a child that runs the fuzzer's own code reports to its parent.
struct slot {
	struct counts counts;
	uint32_t leaves;  // It is about to end by itself
	uint32_t stop;    // It shall come to an end: written by the parent
	uint32_t damaged; // Its memory is no longer what it was: no word of it can be relied on
	uint32_t wrong;   // It has seen something that must not be, an enum wrong:
	struct call call; // this call
	int32_t result;   // returned that
	uint32_t interference; // Calls that the parent has begun and ended to change its memory
};

#define PICK(table) ((table)[below(ARRAY_SIZE(table))])

// ---- Numbers ----

static const uint32_t edges[] = { 0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 255, 256, 1023, 1024, 4095,
	PGSIZE, PGSIZE + 1, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000,
	0x80000001, 0xFFFFF000, 0xFFFFFFFC, 0xFFFFFFFE, 0xFFFFFFFF };

static inline uint32_t
any_word(void)
{
	return one_in(2) ? PICK(edges) : random();
}

// ---- Addresses ----

static const uint32_t places[] = {
	// The user's own to map, though that may be the last thing it does
	0, PGSIZE, PTSIZE - PGSIZE, (uint32_t)UTEMP, PTSIZE + PGSIZE, 2 * PTSIZE - PGSIZE,
	UTEXT - PGSIZE, UTOP / 2, 0x80000000, USTACKTOP - 2 * PGSIZE, USTACKTOP,
	UXSTACKTOP - PGSIZE, UTOP - PGSIZE,
	// From here on not
	UTOP, UTOP + PGSIZE, UPAGES - PGSIZE, UPAGES, UVPT, UVPT + (UVPT >> 10),
	UVPT + (KERNBASE >> 10), ULIM - PGSIZE, ULIM, ULIM + PGSIZE, MMIOLIM - PGSIZE, MMIOLIM,
	KSTACKTOP - PGSIZE, KSTACKTOP - KSTKSIZE - PGSIZE, KERNBASE, KERNBASE + EXTPHYSMEM,
	KERNBASE + IOPHYSMEM, 0xFFC00000, 0xFFFFF000
};

// Where something is mapped that an environment cannot live without.
static const uint32_t vital_places[] = { UTEXT, UTEXT + PGSIZE, UTEXT + 2 * PGSIZE,
	UTEXT + 3 * PGSIZE, UTEXT + 4 * PGSIZE, UTEXT + 5 * PGSIZE, USTACKTOP - PGSIZE };

static inline uint32_t
area_page(void)
{
	return AREA + below(AREA_PAGES) * PGSIZE;
}

// An address that a call may be given for a page, mostly on a boundary.
static inline uint32_t
any_va(void)
{
	static const uint32_t offsets[] = { 1, 4, 0x800, PGSIZE - 4, PGSIZE - 1, -1U, -4U };
	uint32_t kind = below(32), va;

	if (kind < 1)
		va = PICK(vital_places);
	else if (kind < 8)
		va = PICK(places);
	else if (kind < 12)
		va = FRESH + below(FRESH_TABLES) * PTSIZE;
	else if (kind < 14)
		va = ROUNDDOWN(random(), PGSIZE);
	else if (kind < 15)
		va = any_word();
	else
		va = area_page();
	return one_in(16) ? va + PICK(offsets) : va;
}

// ---- Other arguments ----

static inline uint32_t
any_perm(void)
{
	static const uint32_t good[] = { PERM_READ, PERM_WRITE, PERM_WRITE, PERM_READ | PTE_COW,
		PERM_WRITE | PTE_SHARE, PTE_SYSCALL };

	if (!one_in(4))
		return PICK(good);
	switch (below(4)) {
	case 0:
		return PERM_WRITE | 1U << below(32);
	case 1:
		return PICK(good) & ~(1U << below(3));
	case 2:
		return ~PTE_SYSCALL;
	default:
		return any_word();
	}
}

// Some environment's id, or what was one, or is none. Half of the time it is the caller's.
static inline uint32_t
any_env(void)
{
	uint32_t self = thisenv->env_id;

	switch (below(12)) {
	case 0:
		return thisenv->env_parent_id;
	case 1:
		return envs[below(64)].env_id;
	case 2:
		return envs[below(NENV)].env_id;
	case 3:
		return envs[below(64)].env_id - 0x1000; // That of the one before it
	case 4:
		return self ^ 1U << below(32);
	case 5:
		return any_word();
	case 6:
	case 7:
	case 8:
		return self;
	default:
		return 0;
	}
}

static inline uint32_t
any_status(void)
{
	return one_in(4) ? any_word() : ENV_FREE + below(6);
}

static inline uint32_t
any_trapno(void)
{
	return one_in(8) ? any_word() : below(T_SIMDERR + 3);
}

#endif // JOS_USER_FUZZING_H
