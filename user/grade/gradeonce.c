// Tests that an environment never runs on two CPUs at once, even if all other CPUs have nothing to
// do. The environment counts in a register and in memory. A second CPU that ran the same
// environment would also count in the memory, so the two counts would differ.

#include <user/conform/conform.h>

#define ROUNDS 20
#define COUNTS 20000

// words[0] is the count in memory, words[1] the number of differences.
static void
count(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		STATE->words[0] = 0;
		for (uint32_t own = 0; own < COUNTS; own++) {
			if (STATE->words[0] != own)
				STATE->words[1]++;
			STATE->words[0] = own + 1;
		}
		sys_yield();
	}
}

void
umain(int argc, char **argv)
{
	conform_begin("gradeonce");
	count();
	conform_count(STATE->words[1] == 0, __LINE__,
	    "differences, because another CPU ran the same environment", 0, STATE->words[1]);
	CHECK_EQ(thisenv->env_status, ENV_RUNNING);
	conform_end();
}
