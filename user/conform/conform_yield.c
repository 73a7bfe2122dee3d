// Tests sys_yield: the next runnable environment runs, in the circular order of envs[].

#include "turns.h"

static envid_t children[5];

// If no other environment is runnable, sys_yield returns at once.
static void
yield_alone(void)
{
	envid_t child = sys_exofork();
	int i;

	conform_must(child, "sys_exofork");
	for (i = 0; i < 10; i++) {
		sys_yield();
		CHECK_EQ(thisenv->env_status, ENV_RUNNING);
		CHECK_EQ(envs[ENVX(child)].env_runs, 0);
	}
	CHECK_EQ(sys_env_destroy(child), 0);
}

// Returns the result of sys_yield, which the library's function does not return.
static int
yield_result(void)
{
	int r;

	__asm__ volatile("int %1" : "=a"(r) : "i"(T_SYSCALL), "a"(SYS_yield) : "memory", "cc");
	return r;
}

static void
yield_until_told(void)
{
	while (STATE->stage == 0)
		CHECK_EQ(yield_result(), 0);
}

// The result is 0, whether or not another environment runs first.
static void
return_zero(void)
{
	envid_t child;
	int i;

	CHECK_EQ(yield_result(), 0);
	child = conform_spawn(yield_until_told);
	for (i = 0; i < 10; i++)
		CHECK_EQ(yield_result(), 0);
	STATE->stage = 1;
	conform_wait(child);
}

// Among the environments that take turns are the slots of a stopped child and of a destroyed child.
static void
skip_unrunnable(void)
{
	envid_t ids[4] = { sys_getenvid(), 0, 0, 0 };
	int i;

	for (i = 0; i < 5; i++)
		children[i] = conform_clone(turns_take);
	for (i = 0; i < 3; i++)
		ids[i + 1] = children[2 * i];
	CHECK_EQ(sys_env_destroy(children[3]), 0);
	for (i = 1; i <= 3; i++) {
		CHECK(ENVX(ids[i]) > ENVX(ids[i - 1]));
		CHECK_EQ(sys_env_set_status(ids[i], ENV_RUNNABLE), 0);
	}
	turns_take();
	for (i = 1; i <= 3; i++)
		conform_wait(ids[i]);
	turns_check_progress(ids, 4);
	turns_check_order(ids, 4);

	CHECK_EQ(envs[ENVX(children[1])].env_status, ENV_NOT_RUNNABLE);
	CHECK_EQ(envs[ENVX(children[1])].env_runs, 0);
	CHECK_EQ(sys_env_destroy(children[1]), 0);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_yield");
	yield_alone();
	return_zero();
	turns_begin();
	skip_unrunnable();
	conform_end();
}
