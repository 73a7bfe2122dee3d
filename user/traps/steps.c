// A single-stepped child counts its steps in a handler. The number of steps must be the same
// whether or not its parent stops and starts it all the time.

#include <user/common/testing.h>

#define ROUNDS 5000

// In a page that parent and child share
#define SHARED ((volatile struct shared *)0x20000000)

struct shared {
	bool stop;         // The parent is about to stop and start the child.
	uint32_t steps[2]; // Number of steps without and with stops
};

static uint32_t steps;

static void
count_step(struct UTrapframe *utf)
{
	steps++;
}

static uint32_t
count_steps(void)
{
	uint32_t left = ROUNDS;

	steps = 0;
	__asm__ volatile(
	    "pushfl; orl %1, (%%esp); popfl\n"
	    "1:\tnop; nop; decl %0; jnz 1b\n\t"
	    "pushfl; andl %2, (%%esp); popfl"
	    : "+r"(left)
	    : "i"(FL_TF), "i"(~FL_TF)
	    : "cc", "memory");
	return steps;
}

// Run by the child until it is destroyed.
static void
run_stepped(void)
{
	SHARED->steps[0] = count_steps();
	while (!SHARED->stop)
		sys_yield();
	SHARED->steps[1] = count_steps();
	for (;;)
		sys_yield();
}

static void
spin(int rounds)
{
	for (volatile int i = 0; i < rounds; i++)
		continue;
}

void
umain(int argc, char **argv)
{
	int stops = 0;

	share_memory((void *)SHARED, PGSIZE);
	must(set_exception_handler(T_DEBUG, count_step), "set_exception_handler");
	envid_t child = must_fork();
	if (child == 0)
		run_stepped();
	while (SHARED->steps[0] == 0)
		sys_yield();
	for (SHARED->stop = true; SHARED->steps[1] == 0; stops++) {
		must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "stop");
		spin(300);
		must(sys_env_set_status(child, ENV_RUNNABLE), "start");
		spin(3000);
	}
	must(sys_env_destroy(child), "destroy");
	if (SHARED->steps[0] < 4 * ROUNDS || SHARED->steps[1] != SHARED->steps[0])
		panic("%u steps, but %u when it was stopped %d times", SHARED->steps[0],
		    SHARED->steps[1], stops);
	cprintf("steps: ok\n");
}
