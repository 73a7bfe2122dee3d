// Stride scheduling (Waldspurger and Weihl, 1995), an alternative to round robin. The kernel uses
// it if it is built with DEFS=-DSTRIDE. Each environment has a number of tickets, and gets turns in
// proportion to them.
//
// Each environment has a pass, a position on an imaginary line. The runnable environment with the
// smallest pass gets the next turn. Then its pass moves forward by its stride, which is inversely
// proportional to its tickets:
//
//	tickets  stride  turns (each * is one)
//	   1       6     *           *           *
//	   2       3     *     *     *     *     *
//	   3       2     *   *   *   *   *   *   *
//
// An environment that wakes up has a pass in the past. It would get all turns until it has caught
// up. So its pass is moved forward to the pass of the last turn (`now`).

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/challenge/challenge.h>
#include <kern/env.h>
#include <kern/spinlock.h>

#define STRIDE_OF_ONE   (1 << 20) // The stride of an environment with one ticket
#define DEFAULT_TICKETS 10
#define MAX_TICKETS     1000

// The big lock protects these variables. An entry belongs to environment `id`. If another
// environment is in its slot, the entry is old.
static struct Share {
	envid_t id;
	uint32_t tickets;
	uint64_t pass;
} shares[NENV];

static uint64_t now; // The pass of the environment that got the last turn, before that turn

// Return the entry of the environment in a slot, with its pass moved forward to `now`.
static struct Share *
share_of(uint32_t slot)
{
	struct Share *s = &shares[slot];

	if (s->id != envs[slot].env_id) {
		s->id = envs[slot].env_id;
		s->tickets = DEFAULT_TICKETS;
		s->pass = now;
	}
	s->pass = MAX(s->pass, now);
	return s;
}

int
stride_first(void)
{
	struct Share *first = NULL;

	assert(kernel_locked());
	for (uint32_t words = runq_words; words; words &= words - 1) {
		uint32_t word = __builtin_ctz(words);
		for (uint32_t bits = runq[word]; bits; bits &= bits - 1) {
			struct Share *s = share_of(word * 32 + __builtin_ctz(bits));
			if (!first || s->pass < first->pass)
				first = s;
		}
	}
	if (!first)
		return -1;
	now = first->pass;
	first->pass += STRIDE_OF_ONE / first->tickets;
	return first - shares;
}

int
sys_env_set_tickets(envid_t envid, uint32_t tickets)
{
	struct Env *e = env_named(curenv, envid);

	if (!e)
		return -E_BAD_ENV;
	if (tickets < 1 || tickets > MAX_TICKETS)
		return -E_INVAL;
	share_of(ENVX(e->env_id))->tickets = tickets;
	return 0;
}
