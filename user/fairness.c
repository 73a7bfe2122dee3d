// Tests that each environment gets turns, and that no environment gets two turns before every other
// environment has had one.
//
// First, several environments compute and never yield: the timer ends their turns. On one CPU, the
// environments must run in circular order, the order of their slots in envs[]. env_runs counts the
// turns of each environment. In its turn number t, each environment checks repeatedly that the
// environments before it in this order (the parent is the first) have had t turns, and that the
// environments after it have had t - 1 turns. On several CPUs there is no such order, but this
// program ends only if each environment gets its turns.
//
// Second, several environments repeatedly send to one receiver. After a message of a sender is
// received, the next message of that sender must wait until every other sender has had a turn. The
// lab's ipc_send, which tries again and again, does not guarantee this: with an argument
// (fairness,computing), this part is left out.

#include <user/common/testing.h>

#define COMPUTING 6  // Environments that compute, including the parent
#define SENDING   4  // Children that send
#define TURNS     10 // Turns of each environment that computes

// Placed in a page that all environments share.
static struct {
	envid_t ids[COMPUTING];   // In the order of their turns: the parent is the first
	uint32_t runs[COMPUTING]; // env_runs at the start
	volatile bool started;
	volatile uint32_t cpus;   // One bit per CPU that ran one of the environments
	volatile uint32_t errors; // Number of checks that found a wrong number of turns
} *const shared = (void *)0x10000000;

// ---- Environments that compute ----

// Read how many turns each environment has had since the start. The loop repeats if the caller has
// lost the CPU meanwhile. So on one CPU, all numbers are from the same moment.
static void
read_turns(int me, uint32_t turns[COMPUTING])
{
	const volatile uint32_t *my_runs = &env_of(shared->ids[me])->env_runs;
	uint32_t before;

	do {
		before = *my_runs;
		for (int i = 0; i < COMPUTING; i++)
			turns[i] = env_of(shared->ids[i])->env_runs - shared->runs[i];
	} while (*my_runs != before);
}

static void
check_turns(int me)
{
	uint32_t turns[COMPUTING];

	read_turns(me, turns);
	for (int i = 0; i < COMPUTING; i++) {
		bool before_me = me == 0 || (i > 0 && i <= me);
		if (turns[i] != turns[me] - !before_me)
			__atomic_fetch_add(&shared->errors, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_fetch_or(&shared->cpus, 1U << thisenv->env_cpunum, __ATOMIC_SEQ_CST);
}

static void
compute(void)
{
	int me = 1;

	while (!shared->started) {
	}
	while (shared->ids[me] != thisenv->env_id)
		me++;
	for (;;)
		check_turns(me);
}

static uint32_t
fewest_turns(void)
{
	uint32_t turns[COMPUTING], fewest;

	read_turns(0, turns);
	fewest = turns[0];
	for (int i = 1; i < COMPUTING; i++)
		fewest = MIN(fewest, turns[i]);
	return fewest;
}

// Returns whether environment a has its turn before environment b, in circular order from `first`
// on.
static bool
is_before(envid_t a, envid_t b, envid_t first)
{
	return ENVX(a - first) < ENVX(b - first);
}

// Insert a child into shared->ids, which holds n ids in the order of the turns.
static void
insert_child(envid_t child, int n)
{
	while (n > 1 && is_before(child, shared->ids[n - 1], shared->ids[0])) {
		shared->ids[n] = shared->ids[n - 1];
		n--;
	}
	shared->ids[n] = child;
}

static int
count_cpus(void)
{
	int count = 0;

	for (uint32_t cpus = shared->cpus; cpus; cpus &= cpus - 1)
		count++;
	return count;
}

static void
try_computing(void)
{
	uint32_t runs[COMPUTING];

	shared->ids[0] = sys_getenvid();
	for (int i = 1; i < COMPUTING; i++) {
		envid_t child = must_fork();
		if (child == 0)
			compute();
		insert_child(child, i);
	}
	read_turns(0, runs);
	memcpy(shared->runs, runs, sizeof(runs));
	shared->started = true;
	while (fewest_turns() < TURNS)
		check_turns(0);

	int cpus = count_cpus();
	uint32_t errors = shared->errors;
	for (int i = 1; i < COMPUTING; i++) {
		must(sys_env_destroy(shared->ids[i]), "sys_env_destroy");
		wait_until_gone(shared->ids[i]);
	}
	if (cpus == 1 && errors > 0)
		panic("%u turns were out of order", errors);
	cprintf("fairness: %d environments computed on %d CPU(s), %s\n", COMPUTING, cpus,
	    cpus == 1 ? "each in its turn" : "none was left out");
}

// ---- Environments that send ----

static void
send_repeatedly(int number)
{
	for (;;)
		must(ipc_send_checked(thisenv->env_parent_id, number, NULL, 0), "ipc_send");
}

static void
try_sending(void)
{
	envid_t children[SENDING];

	for (int i = 0; i < SENDING; i++) {
		children[i] = must_fork();
		if (children[i] == 0)
			send_repeatedly(i);
		wait_until_asleep(children[i]);
	}
	for (int i = 0; i < TURNS * SENDING; i++) {
		int number = ipc_recv(NULL, NULL, NULL);
		if (number != i % SENDING)
			panic("received from %d in the turn of %d", number, i % SENDING);
		wait_until_asleep(children[number]); // The sender is in the receiver's queue again.
	}
	for (int i = 0; i < SENDING; i++)
		must(sys_env_destroy(children[i]), "sys_env_destroy");
	cprintf("fairness: %d environments sent, each in its turn\n", SENDING);
}

void
umain(int argc, char **argv)
{
	share_memory(shared, sizeof(*shared));
	try_computing();
	if (argc == 1)
		try_sending();
}
