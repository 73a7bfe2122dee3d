// Tests sys_getenvid, and the members of an environment in envs[].

#include "conform.h"

static void
check_self(void)
{
	envid_t self = sys_getenvid();
	const volatile struct Env *e = &envs[ENVX(self)];

	CHECK(self > 0);
	CHECK_EQ(e->env_id, self);
	CHECK_EQ(thisenv, e);
	CHECK_EQ(e->env_status, ENV_RUNNING);
	CHECK_EQ(e->env_type, ENV_TYPE_USER);
	CHECK(e->env_runs > 0);
	sys_yield();
	CHECK_EQ(sys_getenvid(), self);
	CHECK_EQ(e->env_status, ENV_RUNNING);
}

static void
check_child(void)
{
	check_self();
	CHECK_EQ(thisenv->env_parent_id, STATE->envid);
	STATE->words[0] = sys_getenvid();
}

void
umain(int argc, char **argv)
{
	envid_t child;

	conform_begin("conform_getenvid");
	CHECK_EQ(sys_getenvid(), 0x1000);
	CHECK_EQ(thisenv->env_parent_id, 0);
	check_self();
	STATE->envid = sys_getenvid();
	child = conform_spawn(check_child);
	conform_wait(child);
	CHECK_EQ(STATE->words[0], child);
	CHECK(child != sys_getenvid());
	conform_end();
}
