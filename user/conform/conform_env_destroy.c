// Tests sys_env_destroy: which environments it destroys, which it must refuse, and that all their
// memory is freed.

#include "refusals.h"

static void
run_until_destroyed(void)
{
	int i;

	for (;;) {
		STATE->stage = 1;
		for (i = 0; i < 100000; i++)
			cpu_pause();
		sys_yield();
	}
}

// Destroy a child that never ran, a child that yields, and a child that runs on another CPU.
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
	child = conform_spawn(run_until_destroyed);
	conform_wait_stage(1);
	CHECK_EQ(sys_env_destroy(child), 0);
	conform_wait(child);
	conform_check_unchanged(&before, __LINE__, "a child that ran");
	CHECK_REFUSED(sys_env_destroy(child), E_BAD_ENV);

	child = conform_spawn_spinner();
	if (child > 0) {
		CHECK_EQ(sys_env_destroy(child), 0);
		CHECK_EQ(sys_env_destroy(child), -E_BAD_ENV); // Even if the child still runs
		conform_wait(child);
		conform_check_unchanged(&before, __LINE__, "a child on another CPU");
	}
}

static void
destroy_self(void)
{
	sys_env_destroy(0);
	STATE->words[0] = 1;
}

static void
destroy_self_by_id(void)
{
	sys_env_destroy(thisenv->env_id);
	STATE->words[0] = 1;
}

static void
wait_for_stage_2(void)
{
	conform_wait_stage(2);
}

// Make a child, and exit: the child is then an orphan.
static void
leave_orphan(void)
{
	STATE->envid = conform_spawn(wait_for_stage_2);
	STATE->stage = 1;
}

// No environment has rights over an orphan, not even one that gets its parent's slot.
static void
refuse_orphans(void)
{
	struct conform_snapshot before = conform_snapshot();
	envid_t parent, orphan;

	STATE->stage = 0;
	parent = conform_spawn(leave_orphan);
	conform_wait(parent);
	orphan = STATE->envid;
	CHECK_REFUSED(sys_env_destroy(orphan), E_BAD_ENV);
	CHECK_EQ(envs[ENVX(orphan)].env_parent_id, 0);
	CHECK(is_alive(orphan));
	STATE->stage = 2;
	conform_wait(orphan);
	conform_check_unchanged(&before, __LINE__, "an orphan");
}

// The caller has no rights over the orphan, even in the slot of the orphan's parent.
static void
try_to_destroy_orphan(void)
{
	CHECK_REFUSED(sys_env_destroy(STATE->envid), E_BAD_ENV);
	STATE->words[0] = ENVX(thisenv->env_id) == STATE->words[1];
}

// Start environments until one has the slot of the dead parent. Each tries to destroy the orphan.
static void
reuse_parents_slot(void)
{
	static envid_t placeholders[8];
	envid_t parent, orphan;
	int i, n = 0;

	STATE->stage = STATE->words[0] = 0;
	parent = conform_spawn(leave_orphan);
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
	CHECK_KILLED(destroy_self);
	CHECK_KILLED(destroy_self_by_id);
	refuse_orphans();
	reuse_parents_slot();
	conform_end();
}
