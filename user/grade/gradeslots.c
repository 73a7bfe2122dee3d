// Tests the search for the next environment at both ends of envs[]: the first and the last slot
// yield to each other. All other slots are in use, but are not runnable.

#include <user/conform/conform.h>

#define TURNS 10

static envid_t children[NENV];

static void
take_turns(void)
{
	for (int i = 0; i < TURNS; i++) {
		STATE->words[0]++;
		sys_yield();
	}
}

void
umain(int argc, char **argv)
{
	int n = 0;

	conform_begin("gradeslots");
	while (n < NENV - 2)
		conform_must(children[n++] = sys_exofork(), "sys_exofork");
	envid_t last = conform_clone(take_turns);
	CHECK_EQ(ENVX(last), NENV - 1);
	CHECK_EQ(sys_exofork(), -E_NO_FREE_ENV);
	for (int i = 0; i < 3; i++)
		sys_yield();
	CHECK_EQ(STATE->words[0], 0);
	CHECK_EQ(sys_env_set_status(last, ENV_RUNNABLE), 0);
	for (int i = 0; i < 1000 && STATE->words[0] < TURNS; i++)
		sys_yield();
	conform_wait(last);
	CHECK_EQ(STATE->words[0], TURNS);
	while (n-- > 0)
		sys_env_destroy(children[n]);
	conform_end();
}
