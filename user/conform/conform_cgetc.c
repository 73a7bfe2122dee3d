// Tests sys_cgetc and sys_cgetc_wait while no key is pressed: sys_cgetc returns 0 at once;
// sys_cgetc_wait sleeps until its caller is made runnable or destroyed.

#include "conform.h"

static void
read_key(void)
{
	STATE->words[0] = sys_cgetc_wait();
	STATE->stage = 1;
}

// Make a child that waits for a key.
static envid_t
start_reader(void)
{
	STATE->stage = STATE->words[0] = 0;
	envid_t child = conform_spawn(read_key);

	while (envs[ENVX(child)].env_status != ENV_NOT_RUNNABLE || envs[ENVX(child)].env_oncpu)
		sys_yield();
	return child;
}

static void
returns_at_once(void)
{
	for (int i = 0; i < 10; i++)
		CHECK_EQ(sys_cgetc(), 0);
}

// A caller that polls does not wake a caller that sleeps.
static void
polls_beside_sleeper(void)
{
	envid_t child = start_reader();

	returns_at_once();
	CHECK_EQ(envs[ENVX(child)].env_status, ENV_NOT_RUNNABLE);
	CHECK_EQ(sys_env_destroy(child), 0);
	conform_wait(child);
}

static void
sleeps(void)
{
	envid_t child = start_reader();
	uint32_t runs = envs[ENVX(child)].env_runs;

	for (int i = 0; i < 100; i++)
		sys_yield();
	CHECK_EQ(envs[ENVX(child)].env_runs, runs);
	CHECK_EQ(envs[ENVX(child)].env_status, ENV_NOT_RUNNABLE);
	CHECK_EQ(STATE->stage, 0);

	CHECK_EQ(sys_env_set_status(child, ENV_RUNNABLE), 0);
	conform_wait(child);
	CHECK_EQ(STATE->stage, 1);
	CHECK_EQ(STATE->words[0], -E_UNSPECIFIED);
}

static void
ends(void)
{
	struct conform_snapshot before = conform_snapshot();
	envid_t first = start_reader(), second = start_reader(), third = start_reader();

	// From the middle, the end and the start of the queue
	CHECK_EQ(sys_env_destroy(second), 0);
	CHECK_EQ(sys_env_destroy(third), 0);
	CHECK_EQ(sys_env_destroy(first), 0);
	CHECK_EQ(STATE->stage, 0);
	conform_check_unchanged(&before, __LINE__, "children that waited for a key");
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_cgetc");
	returns_at_once();
	polls_beside_sleeper();
	sleeps();
	ends();
	conform_end();
}
