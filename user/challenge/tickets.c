// Shows how the scheduler divides the CPU's time between children that compute all the time. In a
// kernel that was built with DEFS=-DSTRIDE, each child gets turns in proportion to its tickets.
// Otherwise (round robin) all children get the same number of turns.

#include <inc/lib.h>

#include <user/common/testing.h>

#define CHILDREN 4
#define TURNS    20 // Turns of the first child

#define PARENT_TURNS 10

// In a page that all environments share
static struct {
	volatile bool go;
	volatile uint32_t loops[CHILDREN];
} *const shared = (void *)0x10000000;

#if defined(CHALLENGES) && defined(STRIDE)
static void
set_tickets(envid_t child, uint32_t tickets)
{
	if (sys_env_set_tickets(child, 0) != -E_INVAL ||
	    sys_env_set_tickets(child, 1001) != -E_INVAL ||
	    sys_env_set_tickets(child + NENV, 1) != -E_BAD_ENV)
		panic("sys_env_set_tickets does not refuse a wrong argument");
	must(sys_env_set_tickets(child, tickets), "sys_env_set_tickets");
}
#else
static void
set_tickets(envid_t child, uint32_t tickets)
{
}
#endif

// The first child sends a message after TURNS turns. The others compute until they are destroyed.
static void
compute(int me)
{
	while (!shared->go)
		sys_yield();
	uint32_t last = me == 0 ? thisenv->env_runs + TURNS : 0;
	while (thisenv->env_runs != last)
		shared->loops[me]++;
	ipc_send(thisenv->env_parent_id, 0, NULL, 0);
}

// Return the number of turns that all children except the first have had.
static uint32_t
turns_of_others(const envid_t *ids)
{
	uint32_t sum = 0;

	for (int i = 1; i < CHILDREN; i++)
		sum += env_of(ids[i])->env_runs;
	return sum;
}

// The parent has slept for long. Now it computes. Count the turns of the children meanwhile.
static void
wake_up(const envid_t *ids)
{
	uint32_t before = turns_of_others(ids), last = thisenv->env_runs + PARENT_TURNS;

	while (thisenv->env_runs != last) {
		// Empty: only uses time.
	}
	cprintf("tickets: %u turns of the others during %d of the parent\n",
	    turns_of_others(ids) - before, PARENT_TURNS);
}

void
umain(int argc, char **argv)
{
	envid_t ids[CHILDREN];
	uint32_t before[CHILDREN];
	bool equal = argc > 1; // With an argument, no child gets other tickets than at its start.

	share_memory(shared, sizeof(*shared));
	for (int i = 0; i < CHILDREN; i++) {
		ids[i] = must_fork();
		if (ids[i] == 0) {
			compute(i);
			exit();
		}
		if (!equal)
			set_tickets(ids[i], 10 * (i + 1));
	}
	for (int i = 0; i < CHILDREN; i++)
		before[i] = env_of(ids[i])->env_runs;
	shared->go = true;
	ipc_recv(NULL, NULL, NULL);
	for (int i = 0; i < CHILDREN; i++)
		cprintf("tickets: %d tickets: %u turns, %u loops\n", equal ? 10 : 10 * (i + 1),
		    env_of(ids[i])->env_runs - before[i], shared->loops[i]);
	wake_up(ids);
	for (int i = 1; i < CHILDREN; i++)
		sys_env_destroy(ids[i]);
}
