#ifndef JOS_USER_TURNS_H
#define JOS_USER_TURNS_H

// Environments yield to each other, and write a log of their turns: which environment, which of its
// turns, and on which CPU. The log is in the first page of AREA.
//
// An environment writes into the log when it starts, and after each yield. If the whole log was
// written on one CPU, no other CPU ran an environment before its last turn, and the order must be
// exactly circular. If several CPUs took part, there is no expected order: then each environment
// must have had all its turns, in the order of their numbers.

#include "conform.h"

#define TURNS     10
#define MAX_TURNS 300
#define WORK      20000 // Iterations in a turn: long enough that sleeping CPUs wake up

struct turn {
	envid_t envid;
	uint32_t number; // Counts the turns of this environment, from 0
	int cpu;
};

struct turn_log {
	uint32_t used;
	struct turn turns[MAX_TURNS];
};
static_assert(sizeof(struct turn_log) <= PGSIZE);

#define TURN_LOG ((volatile struct turn_log *)AREA)

static inline void
turns_begin(void)
{
	conform_must(sys_page_alloc(0, AREA, PERM_WRITE), "sys_page_alloc");
}

// Take TURNS turns.
static inline void
turns_take(void)
{
	volatile uint32_t work;
	uint32_t i;

	for (i = 0; i < TURNS; i++) {
		uint32_t at = __sync_fetch_and_add(&TURN_LOG->used, 1);

		if (at < MAX_TURNS) {
			TURN_LOG->turns[at].envid = thisenv->env_id;
			TURN_LOG->turns[at].number = i;
			TURN_LOG->turns[at].cpu = thisenv->env_cpunum;
		}
		for (work = 0; work < WORK; work++)
			;
		sys_yield();
	}
}

// Returns the number of CPUs in the log.
static inline int
turns_count_cpus(void)
{
	uint32_t i;
	int cpu, n = 0;

	for (cpu = 0; cpu < NENV; cpu++) {
		for (i = 0; i < TURN_LOG->used && TURN_LOG->turns[i].cpu != cpu; i++)
			;
		n += i < TURN_LOG->used;
	}
	return n;
}

// Check that each of n environments had all its turns, each once, in order.
static inline void
turns_check_progress(const envid_t *ids, uint32_t n)
{
	uint32_t i, at, next;

	CHECK_EQ(TURN_LOG->used, n * TURNS);
	for (i = 0; i < n; i++) {
		next = 0;
		for (at = 0; at < TURN_LOG->used; at++) {
			if (TURN_LOG->turns[at].envid == ids[i])
				CHECK_EQ(TURN_LOG->turns[at].number, next++);
		}
		CHECK_EQ(next, TURNS);
	}
}

// If only one CPU took part, check that the turns were circular, in the order of `ids`.
static inline void
turns_check_order(const envid_t *ids, uint32_t n)
{
	uint32_t at;

	if (turns_count_cpus() != 1)
		return;
	for (at = 0; at < TURN_LOG->used; at++)
		CHECK_EQ(TURN_LOG->turns[at].envid, ids[at % n]);
}

#endif // JOS_USER_TURNS_H
