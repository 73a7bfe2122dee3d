// Children that count in their own memory, and yield all the time. An environment that
// two CPUs ran at once would lose counts. Each says at the end on which CPU it was.

#include <inc/lib.h>

#define CHILDREN 20
#define ROUNDS   10
#define COUNTS   10000 // A round

static volatile int counter;

// Wait until a child was on a CPU, so that all CPUs get something to do before the
// first child is done.
static void
wait_until_run(envid_t child)
{
	while (envs[ENVX(child)].env_runs == 0)
		sys_yield();
}

static void
wait_without_yielding(envid_t parent)
{
	while (envs[ENVX(parent)].env_id == parent && envs[ENVX(parent)].env_status != ENV_FREE)
		cpu_pause();
}

static void
count(void)
{
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		sys_yield();
		for (j = 0; j < COUNTS; j++)
			counter++;
	}
	if (counter != ROUNDS * COUNTS)
		panic("ran on two CPUs at once (counter is %d)", counter);
	cprintf("[%08x] stresssched on CPU %d\n", thisenv->env_id, thisenv->env_cpunum);
}

void
umain(int argc, char **argv)
{
	envid_t parent = sys_getenvid(), children[CHILDREN];
	int i;

	USED(argc);
	USED(argv);
	for (i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] < 0)
			panic("fork: %e", children[i]);
		if (children[i] == 0) {
			wait_without_yielding(parent);
			count();
			return;
		}
	}
	for (i = 0; i < CHILDREN; i++)
		wait_until_run(children[i]);
}
