// Tests how long environments wait for their turns, counted in turns of other environments
// (env_wait). Children do at random what makes an environment leave its CPU: compute until the end
// of a time slice, yield, wait to send or to receive, or wait for a key. Their parent stops and
// starts some of them, which also ends waits for events that never happen.
//
// The rule (kern/sched.c): while an environment is runnable, each other environment gets at most
// one turn. So env_wait is at most the number of other environments.

#include <inc/lib.h>

#include <user/common/random.h>
#include <user/common/testing.h>

#define SEED     2026
#define CHILDREN 20
#define BUSY     2     // Number of children that compute all the time
#define TURNS    100   // Least number of turns of each child
#define ROUNDS   200   // Least number of rounds of the parent
#define LOOPS    20000 // Most iterations of a computation
#define NO_PAGE  ((void *)UTOP)

// In a page that all environments share
static struct {
	envid_t ids[CHILDREN];
	volatile bool go; // All children have been made.
	volatile uint32_t turns[CHILDREN];
	volatile uint32_t longest; // The longest wait of all environments
	volatile uint32_t cpus;    // One bit for each CPU that ran a child
} *const shared = (void *)0x10000000;

static void
compute(uint32_t loops)
{
	for (volatile uint32_t left = loops; left > 0; left--) {
		// Empty: only uses time.
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

// If this environment has got a new turn, note how long it waited. (env_runs also changes when the
// environment runs in the turn of a caller: then env_wait is still that of its last turn.)
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
run_child(int me)
{
	random_state = SEED + me;
	while (!shared->go) // Not a message: a child could receive another child's message.
		sys_yield();
	for (;;) {
		if (me >= BUSY)
			do_something();
		note_wait(me);
	}
}

static bool
all_had_turns(void)
{
	for (int i = 0; i < CHILDREN; i++) {
		if (shared->turns[i] < TURNS)
			return false;
	}
	return true;
}

// Start a child, and sometimes stop it first. If the child waits, its wait ends with an error.
static void
disturb_child(void)
{
	envid_t child = shared->ids[below(CHILDREN)];

	if (one_in(8))
		must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "stop");
	compute(below(LOOPS / 10));
	must(sys_env_set_status(child, ENV_RUNNABLE), "start");
	if (env_of(child)->env_status == ENV_NOT_RUNNABLE)
		must(sys_env_set_status(child, ENV_RUNNABLE), "end the wait");
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
			run_child(i);
		shared->ids[i] = child;
	}
	shared->go = true;
	for (int round = 0; round < ROUNDS || !all_had_turns(); round++) {
		for (int i = 0; i < CHILDREN / 2; i++)
			disturb_child();
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
