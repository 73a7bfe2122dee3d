// Children count in their own memory, and yield often. If two CPUs ran one environment at the same
// time, that environment would lose counts. At the end, each child prints a CPU: the first child
// that ran on a CPU prints that CPU, and the other children print the CPU on which they end. So
// every CPU that ran a child is printed, even if no child ends there. An optional argument is the
// number of CPUs: with this argument, the children start to count only after every CPU has run a
// child.

#include <inc/lib.h>

#define CHILDREN 20
#define ROUNDS   10
#define COUNTS   10000 // Number of counts in each round

static volatile int counter;

// One bit per CPU that a child will print. Placed in a page that all environments share.
static volatile uint32_t *const claimed = (volatile uint32_t *)0x10000000;

// Wait until a child has run, so that all CPUs have work before the first child is done.
static void
wait_until_run(envid_t child)
{
	while (envs[ENVX(child)].env_runs == 0)
		sys_yield();
}

// If no child will print the current CPU yet, claim this CPU and return its number. Otherwise
// return -1.
static int
claim_cpu(void)
{
	int cpu = thisenv->env_cpunum;
	uint32_t bit = 1U << cpu;

	if ((*claimed & bit) || (__atomic_fetch_or(claimed, bit, __ATOMIC_SEQ_CST) & bit))
		return -1;
	return cpu;
}

// Wait until the parent ends. Returns the CPU to print, or -1.
static int
wait_without_yielding(envid_t parent)
{
	int cpu = -1;

	while (envs[ENVX(parent)].env_id == parent && envs[ENVX(parent)].env_status != ENV_FREE) {
		if (cpu < 0)
			cpu = claim_cpu();
		cpu_pause();
	}
	return cpu;
}

static void
count(int cpu)
{
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		sys_yield();
		for (j = 0; j < COUNTS; j++)
			counter++;
	}
	if (counter != ROUNDS * COUNTS)
		panic("ran on two CPUs at once (counter is %d)", counter);
	if (cpu < 0)
		cpu = thisenv->env_cpunum;
	cprintf("[%08x] stresssched on CPU %d\n", thisenv->env_id, cpu);
}

static void
wait_until_claimed(long cpus)
{
	while (~*claimed & ~0U >> (32 - cpus))
		sys_yield();
}

void
umain(int argc, char **argv)
{
	envid_t parent = sys_getenvid(), children[CHILDREN];
	int i, r;

	r = sys_page_alloc(0, (void *)claimed, PTE_P | PTE_U | PTE_W | PTE_SHARE);
	if (r < 0)
		panic("sys_page_alloc: %e", r);
	for (i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] < 0)
			panic("fork: %e", children[i]);
		if (children[i] == 0) {
			count(wait_without_yielding(parent));
			return;
		}
	}
	for (i = 0; i < CHILDREN; i++)
		wait_until_run(children[i]);
	if (argc > 1)
		wait_until_claimed(strtol(argv[1], NULL, 10));
}
