// How long environments wait for their turns, counted in turns of others (env_wait). Children
// do at random what makes an environment leave its CPU and become runnable again: compute
// to the end of a time slice, yield, wait to send, to receive, for both, or for a key. Their
// parent stops some and starts them again, which also ends waits for what never comes.
//
// The rule is that of kern/sched.c: while an environment is runnable, each other one gets at most
// one turn. So env_wait is never more than the number of the other environments.

#include <inc/lib.h>

#include <user/common/random.h>
#include <user/common/testing.h>

#define SEED     2026
#define CHILDREN 20
#define BUSY     2     // So many of the children compute all the time
#define TURNS    100   // At least so many of each child, and
#define ROUNDS   200   // so many of the parent
#define LOOPS    20000 // At most, in a step
#define NO_PAGE  ((void *)UTOP)

// One page for all of them.
static struct {
	envid_t ids[CHILDREN];
	volatile bool go; // All are there.
	volatile uint32_t turns[CHILDREN];
	volatile uint32_t longest; // The longest wait of all
	volatile uint32_t cpus;    // A bit for each CPU that one of them was on
} *const shared = (void *)0x10000000;

static void
compute(uint32_t loops)
{
	for (volatile uint32_t left = loops; left > 0; left--) {
		// Only time must pass.
	}
}

static void
note_longest(uint32_t wait)
{
	uint32_t longest = shared->longest;

	while (wait > longest && !__atomic_compare_exchange_n(&shared->longest, &longest, wait,
				     false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
	}
}

// Note how long this environment has waited, if it has got another turn. (Or if it has been run in
// the turn of a caller: then the wait is still that of its last turn.)
static void
note_wait(int me)
{
	static uint32_t runs;

	if (runs == thisenv->env_runs)
		return;
	runs = thisenv->env_runs;
	shared->turns[me]++;
	note_longest(thisenv->env_wait);
	__atomic_fetch_or(&shared->cpus, 1U << thisenv->env_cpunum, __ATOMIC_SEQ_CST);
}

static void
do_something(void)
{
	envid_t other = shared->ids[BUSY + below(CHILDREN - BUSY)];

	switch (below(6)) {
	case 0:
		compute(below(LOOPS));
		break;
	case 1:
		sys_yield();
		break;
	case 2:
		sys_ipc_send(other, 0, NO_PAGE, 0);
		break;
	case 3:
		sys_ipc_recv(NO_PAGE);
		break;
	case 4:
		sys_ipc_call(other, 0, NO_PAGE, 0, NO_PAGE);
		break;
	case 5:
		if (one_in(20))
			sys_cgetc_wait();
		break;
	}
}

static void
be_child(int me)
{
	random_state = SEED + me;
	while (!shared->go) // Not by a message, which a child may take from another child.
		sys_yield();
	for (;;) {
		if (me >= BUSY)
			do_something();
		note_wait(me);
	}
}

// Whether all children have had their turns.
static bool
is_enough(void)
{
	for (int i = 0; i < CHILDREN; i++) {
		if (shared->turns[i] < TURNS)
			return false;
	}
	return true;
}

// Stop a child, or start one: a wait that it is in ends with an error then.
static void
disturb_one(void)
{
	envid_t child = shared->ids[below(CHILDREN)];

	if (one_in(8))
		must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "stop");
	compute(below(LOOPS / 10));
	must(sys_env_set_status(child, ENV_RUNNABLE), "start");
	if (env_of(child)->env_status == ENV_NOT_RUNNABLE)
		must(sys_env_set_status(child, ENV_RUNNABLE), "start what waits");
}

static int
count_bits(uint32_t bits)
{
	int n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

void
umain(int argc, char **argv)
{
	random_state = SEED - 1;
	share_memory(shared, sizeof(*shared));
	for (int i = 0; i < CHILDREN; i++) {
		envid_t child = must_fork();
		if (child == 0)
			be_child(i);
		shared->ids[i] = child;
	}
	shared->go = true;
	for (int round = 0; round < ROUNDS || !is_enough(); round++) {
		for (int i = 0; i < CHILDREN / 2; i++)
			disturb_one();
		sys_yield();
		note_longest(thisenv->env_wait);
	}
	for (int i = 0; i < CHILDREN; i++)
		must(sys_env_destroy(shared->ids[i]), "destroy");
	cprintf("fairwait: %d environments on %d CPU(s) waited for at most %u turns of others\n",
	    CHILDREN + 1, count_bits(shared->cpus), shared->longest);
	if (shared->longest > CHILDREN)
		panic("more than %d turns", CHILDREN);
}
