// Tests that an environment never runs on two CPUs at once, even if all other CPUs have nothing to
// do. The environment counts in a register and in memory. A second CPU that ran the same
// environment would also count in the memory, so the two counts would differ.

#include <user/conform/conform.h>

#define ROUNDS 20
#define COUNTS 20000

static void
count(void)
{
	volatile uint32_t *memory = &STATE->words[0];

	for (int round = 0; round < ROUNDS; round++) {
		uint32_t local = *memory = 0;
		for (int i = 0; i < COUNTS; i++)
			*memory = ++local == *memory + 1 ? local : local + 1000000;
		STATE->words[1] += *memory != COUNTS;
		sys_yield();
	}
}

void
umain(int argc, char **argv)
{
	conform_begin("gradeonce");
	count();
	conform_count(STATE->words[1] == 0, __LINE__,
	    "rounds in which another CPU ran the same environment", 0, STATE->words[1]);
	CHECK_EQ(thisenv->env_status, ENV_RUNNING);
	conform_end();
}
