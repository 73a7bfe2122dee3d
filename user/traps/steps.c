// A child that is single-stepped counts its steps in a handler. There are as many while its
// parent stops it and lets it run, all the time, as there are when it does not.

#include <user/common/testing.h>

#define ROUNDS 5000

// What both see.
#define SHARED ((volatile struct shared *)0x20000000)

struct shared {
	bool stop;         // The parent is about to begin.
	uint32_t steps[2]; // How many there were without that, and with it
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
	__asm__ volatile("pushfl; orl %1, (%%esp); popfl\n"
			 "1:\tnop; nop; decl %0; jnz 1b\n\t"
			 "pushfl; andl %2, (%%esp); popfl"
			 : "+r"(left)
			 : "i"(FL_TF), "i"(~FL_TF)
			 : "cc", "memory");
	return steps;
}

// Until it is destroyed.
static void
be_stepped(void)
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
		be_stepped();
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
