// Tests sys_env_set_status: what it allows, what it refuses, and what it does not change.

#include "refusals.h"

static int
start(envid_t envid)
{
	return sys_env_set_status(envid, ENV_RUNNABLE);
}

static int
stop(envid_t envid)
{
	return sys_env_set_status(envid, ENV_NOT_RUNNABLE);
}

static void
refuse_statuses(void)
{
	static const int statuses[] = {
		ENV_FREE,
		ENV_DYING,
		ENV_RUNNING,
		ENV_NOT_RUNNABLE + 1,
		ENV_NOT_RUNNABLE + 2,
		0x100 | ENV_RUNNABLE,
		0x10000 | ENV_NOT_RUNNABLE,
		INT32_MIN | ENV_RUNNABLE,
		-1,
		INT32_MAX,
		INT32_MIN,
	};
	envid_t child = sys_exofork();
	unsigned i;

	conform_must(child, "sys_exofork");
	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		int status = statuses[i];

		CHECK_REFUSED_WITH(status, sys_env_set_status(child, status), E_INVAL);
		CHECK_EQ(envs[ENVX(child)].env_status, ENV_NOT_RUNNABLE);
		CHECK_REFUSED_WITH(status, sys_env_set_status(0, status), E_INVAL);
		CHECK_EQ(thisenv->env_status, ENV_RUNNING);
	}
	CHECK_EQ(stop(child), 0);
	CHECK_EQ(envs[ENVX(child)].env_status, ENV_NOT_RUNNABLE);
	CHECK_EQ(envs[ENVX(child)].env_runs, 0);
	sys_env_destroy(child);
}

// Counts turns until stage is 1. If two CPUs ran this environment at the same time, a number would
// be counted twice. If a system call were lost when the environment is stopped, the call would not
// return the id.
static void
count_turns(void)
{
	envid_t me = sys_getenvid();
	uint32_t turn;

	for (turn = 0; STATE->stage == 0; turn++) {
		if (STATE->words[0]++ != turn)
			STATE->words[1]++;
		if (sys_getenvid() != me)
			STATE->words[2]++;
		sys_yield();
	}
}

// Returns how many turns the child counts while the caller yields 100 times.
static uint32_t
turns_meanwhile(void)
{
	uint32_t before = STATE->words[0];
	int i;

	for (i = 0; i < 100; i++)
		sys_yield();
	return STATE->words[0] - before;
}

// Start and stop a child several times.
static void
start_and_stop(void)
{
	envid_t child;
	int i, failed = 0;

	STATE->words[0] = STATE->words[1] = STATE->words[2] = STATE->stage = 0;
	child = conform_spawn(count_turns);
	for (i = 0; i < 5; i++) {
		uint32_t before = STATE->words[0];

		while (STATE->words[0] == before)
			sys_yield();
		CHECK_EQ(stop(child), 0);
		while (envs[ENVX(child)].env_oncpu)
			sys_yield();
		CHECK_EQ(envs[ENVX(child)].env_status, ENV_NOT_RUNNABLE);
		CHECK_EQ(turns_meanwhile(), 0);
		CHECK_EQ(stop(child), 0);
		CHECK_EQ(start(child), 0);
		CHECK_EQ(start(child), 0); // Even if the child runs now
	}
	// Start the child again so fast that it may still run on another CPU.
	for (i = 0; i < 1000; i++) {
		if (!envs[ENVX(child)].env_oncpu)
			sys_yield();
		failed += stop(child) != 0 || start(child) != 0;
	}
	CHECK_EQ(failed, 0);
	STATE->stage = 1;
	conform_wait(child);
	CHECK_EQ(STATE->words[1], 0);
	CHECK_EQ(STATE->words[2], 0);
}

// Stop a child that makes no system calls, if there is another CPU to run it.
static void
stop_a_spinner(void)
{
	envid_t child = conform_spawn_spinner();

	if (child == 0)
		return;
	CHECK_EQ(stop(child), 0);
	while (envs[ENVX(child)].env_oncpu)
		;
	STATE->words[0] = STATE->words[6];
	turns_meanwhile();
	CHECK_EQ(STATE->words[6], STATE->words[0]);
	CHECK_EQ(start(child), 0);
	while (STATE->words[6] == STATE->words[0])
		;
	CHECK_EQ(sys_env_destroy(child), 0);
	conform_wait(child);
}

// Stops itself. When the environment is started again, its call returns.
static void
stop_self(void)
{
	STATE->stage = 1;
	CHECK_EQ(stop(STATE->words[1] ? thisenv->env_id : 0), 0);
	STATE->stage = 2;
}

static void
stop_a_caller(bool by_id)
{
	envid_t child;

	STATE->stage = 0;
	STATE->words[1] = by_id;
	child = conform_spawn(stop_self);
	conform_wait_stage(1);
	while (envs[ENVX(child)].env_status != ENV_NOT_RUNNABLE)
		sys_yield();
	turns_meanwhile();
	CHECK_EQ(STATE->stage, 1);
	CHECK_EQ(start(child), 0);
	conform_wait(child);
	CHECK_EQ(STATE->stage, 2);
}

// Makes itself runnable while it runs, which changes nothing. If another CPU then ran it too, a
// number would be counted twice.
static void
start_self(void)
{
	uint32_t i;

	for (i = 0; i < 1000; i++) {
		if (STATE->words[0]++ != i)
			STATE->words[1]++;
		if (start(i % 2 ? 0 : thisenv->env_id) != 0)
			STATE->words[1]++;
		if (thisenv->env_status != ENV_RUNNING)
			STATE->words[1]++;
	}
}

static void
start_callers(void)
{
	STATE->words[0] = STATE->words[1] = 0;
	conform_in_child(start_self);
	CHECK_EQ(STATE->words[0], 1000);
	CHECK_EQ(STATE->words[1], 0);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_env_set_status");
	conform_refuse_envids(start);
	conform_refuse_envids(stop);
	refuse_statuses();
	start_and_stop();
	stop_a_spinner();
	stop_a_caller(false);
	stop_a_caller(true);
	start_callers();
	conform_end();
}
