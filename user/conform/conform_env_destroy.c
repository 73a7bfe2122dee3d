// sys_env_destroy: whom it ends, whom it must not, and that nothing is left of them.

#include "refusals.h"

static void
run_for_ever(void)
{
	int i;

	for (;;) {
		STATE->stage = 1;
		for (i = 0; i < 100000; i++)
			cpu_pause();
		sys_yield();
	}
}

// One that never ran, one that runs now and then, and one that runs all the time on another CPU.
static void
destroy_children(void)
{
	struct conform_snapshot before = conform_snapshot();
	envid_t child = sys_exofork();

	conform_must(child, "sys_exofork");
	CHECK_EQ(sys_page_alloc(child, FRESH, PERM_WRITE), 0);
	CHECK_EQ(sys_env_destroy(child), 0);
	CHECK_EQ(envs[ENVX(child)].env_status, ENV_FREE);
	conform_check_unchanged(&before, __LINE__, "a child that never ran");
	CHECK_REFUSED(sys_env_destroy(child), E_BAD_ENV);

	STATE->stage = 0;
	child = conform_spawn(run_for_ever);
	conform_wait_stage(1);
	CHECK_EQ(sys_env_destroy(child), 0);
	conform_wait(child);
	conform_check_unchanged(&before, __LINE__, "a child that ran");
	CHECK_REFUSED(sys_env_destroy(child), E_BAD_ENV);

	child = conform_spawn_spinner();
	if (child > 0) {
		CHECK_EQ(sys_env_destroy(child), 0);
		CHECK_EQ(sys_env_destroy(child), -E_BAD_ENV); // Though it may not be gone yet
		conform_wait(child);
		conform_check_unchanged(&before, __LINE__, "a child on another CPU");
	}
}

static void
destroy_oneself(void)
{
	sys_env_destroy(0);
	STATE->words[0] = 1;
}

static void
destroy_oneself_by_id(void)
{
	sys_env_destroy(thisenv->env_id);
	STATE->words[0] = 1;
}

// Lives until told to end.
static void
wait_for_stage_2(void)
{
	conform_wait_stage(2);
}

// Leaves an orphan.
static void
have_a_child(void)
{
	STATE->envid = conform_spawn(wait_for_stage_2);
	STATE->stage = 1;
}

// No environment has rights over an orphan, not even one that gets its parent's slot.
static void
spare_orphans(void)
{
	struct conform_snapshot before = conform_snapshot();
	envid_t parent, orphan;

	STATE->stage = 0;
	parent = conform_spawn(have_a_child);
	conform_wait(parent);
	orphan = STATE->envid;
	CHECK_REFUSED(sys_env_destroy(orphan), E_BAD_ENV);
	CHECK_EQ(envs[ENVX(orphan)].env_parent_id, 0);
	CHECK(is_alive(orphan));
	STATE->stage = 2;
	conform_wait(orphan);
	conform_check_unchanged(&before, __LINE__, "an orphan");
}

// Whoever we are, the orphan is not our child.
static void
try_to_destroy_orphan(void)
{
	CHECK_REFUSED(sys_env_destroy(STATE->envid), E_BAD_ENV);
	STATE->words[0] = ENVX(thisenv->env_id) == STATE->words[1];
}

// Have each environment that could take the dead parent's place try.
static void
take_parents_place(void)
{
	static envid_t placeholders[8];
	envid_t parent, orphan;
	int i, n = 0;

	STATE->stage = STATE->words[0] = 0;
	parent = conform_spawn(have_a_child);
	conform_wait(parent);
	orphan = STATE->envid;
	STATE->words[1] = ENVX(parent);
	while (!STATE->words[0] && n < 8) {
		conform_wait(conform_spawn(try_to_destroy_orphan));
		conform_must(placeholders[n++] = sys_exofork(), "sys_exofork");
	}
	CHECK_EQ(STATE->words[0], 1);
	for (i = 0; i < n; i++)
		CHECK_EQ(sys_env_destroy(placeholders[i]), 0);
	STATE->stage = 2;
	conform_wait(orphan);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_env_destroy");
	conform_refuse_envids(sys_env_destroy);
	destroy_children();
	CHECK_KILLED(destroy_oneself);
	CHECK_KILLED(destroy_oneself_by_id);
	spare_orphans();
	take_parents_place();
	conform_end();
}
