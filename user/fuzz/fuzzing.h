#ifndef JOS_USER_FUZZING_H
#define JOS_USER_FUZZING_H

// The memory layout of the fuzzer's environments (fuzz.c), and random arguments for system calls,
// many of them wrong.
//
//	AREA	pages for system calls to map, send and unmap; parent and child share some of them
//	FRESH	from here on, every page that the fuzzer maps needs a new page table
//	CODE	one page, from which exofork is called, and where a child starts
//	SLOTS	in a parent: one page for each child, in which the child reports
//	MY_SLOT	in a child: the page in which it reports
//	VM86	in some children: a page below 1 MB (fuzzcode.h)
//	SCRATCH	where a parent maps a page of a child to fill it

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

// Counts so far
struct counts {
	uint32_t calls;
	uint32_t children; // Children that were made
	uint32_t killed;   // Children that the kernel destroyed
	uint32_t cpus;     // One bit for each CPU that ran them
};

// What can be wrong after a call: its result, or the mappings.
enum wrong { NOTHING_WRONG, WRONG_RESULT, WRONG_MAPPINGS };

// Reports of a child that runs the fuzzer's own code
struct slot {
	struct counts counts;
	uint32_t exiting; // The child is about to exit.
	uint32_t stop;    // Written by the parent: the child must end.
	uint32_t damaged; // A call may have changed the child's program: ignore its reports.
	uint32_t wrong;   // An enum wrong: what is wrong after this call, with this result
	struct call call;
	int32_t result;
	uint32_t parent_seq; // The parent adds 1 before and after it changes the child's mappings.
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
	// Below UTOP: a program may map pages here.
	0, PGSIZE, PTSIZE - PGSIZE, (uint32_t)UTEMP, PTSIZE + PGSIZE, 2 * PTSIZE - PGSIZE,
	UTEXT - PGSIZE, UTOP / 2, 0x80000000, USTACKTOP - 2 * PGSIZE, USTACKTOP,
	UXSTACKTOP - PGSIZE, UTOP - PGSIZE,
	// UTOP and higher: a program may not map pages here.
	UTOP, UTOP + PGSIZE, UPAGES - PGSIZE, UPAGES, UVPT, UVPT + (UVPT >> 10),
	UVPT + (KERNBASE >> 10), ULIM - PGSIZE, ULIM, ULIM + PGSIZE, MMIOLIM - PGSIZE, MMIOLIM,
	KSTACKTOP - PGSIZE, KSTACKTOP - KSTKSIZE - PGSIZE, KERNBASE, KERNBASE + EXTPHYSMEM,
	KERNBASE + IOPHYSMEM, 0xFFC00000, 0xFFFFF000
};

// Addresses of the program's code and stack, without which an environment cannot run
static const uint32_t vital_places[] = { UTEXT, UTEXT + PGSIZE, UTEXT + 2 * PGSIZE,
	UTEXT + 3 * PGSIZE, UTEXT + 4 * PGSIZE, UTEXT + 5 * PGSIZE, USTACKTOP - PGSIZE };

static inline uint32_t
area_page(void)
{
	return AREA + below(AREA_PAGES) * PGSIZE;
}

// An address for a page, in most cases on a page boundary
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

// The id of an environment, an old id, or a bad id. In half of the cases it is the caller's id.
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
		return envs[below(64)].env_id - 0x1000; // The previous id of this slot
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
