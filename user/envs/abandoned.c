// Tests the children of an environment that ends. A child that is stopped ends too, even if it also
// waits for something; so does a child that stops itself later. Other children continue: their
// env_parent_id is 0, and no environment has rights over them.

#include <user/common/testing.h>

#define SHARED ((volatile uint32_t *)0x10000000) // A page that all environments share

enum { CHILD, GO_ON, COUNT }; // Words of SHARED: the child's id, a signal to it, and its counter

static int envs_before, pages_before;

static void
stop_self(void)
{
	sys_env_set_status(0, ENV_NOT_RUNNABLE);
	panic("an orphan that stopped itself runs");
}

static void
stop_self_in_batch(void)
{
	struct BatchCall calls[3] = {
		{ SYS_getenvid, { 0 }, 1 },
		{ SYS_env_set_status, { 0, ENV_NOT_RUNNABLE }, 1 },
		{ SYS_getenvid, { 0 }, 1 },
	};

	sys_batch(calls, 3, 0);
	panic("an orphan that stopped itself runs");
}

static void
wait_for_message(void)
{
	sys_ipc_recv((void *)UTOP);
	panic("received a message");
}

static void
wait_to_send(void)
{
	sys_ipc_send(thisenv->env_parent_id, 0, (void *)UTOP, 0);
}

static void
count_until_destroyed(void)
{
	for (;;)
		SHARED[COUNT]++;
}

static void
stop_with_stopped_children(void)
{
	envid_t child = must_fork();

	if (child == 0)
		stop_self();
	if (must(sys_exofork(), "exofork") == 0)
		panic("a child that was never started runs");
	wait_until_asleep(child);
	sys_env_set_status(0, ENV_NOT_RUNNABLE);
}

static void
run_as_orphan(void)
{
	while (!SHARED[GO_ON])
		sys_yield();
	if (thisenv->env_parent_id != 0)
		panic("the parent of an orphan is %08x", thisenv->env_parent_id);
}

static void
stop_as_orphan(void)
{
	run_as_orphan();
	stop_self();
}

static void
stop_in_batch_as_orphan(void)
{
	run_as_orphan();
	stop_self_in_batch();
}

// Run `run` in a grandchild. Its parent calls `before_end`, and ends. Returns the grandchild's id.
static envid_t
make_orphan(void (*run)(void), void (*before_end)(envid_t child))
{
	SHARED[GO_ON] = SHARED[CHILD] = 0;
	envid_t parent = must_fork();

	if (parent == 0) {
		envid_t child = must_fork();
		if (child == 0) {
			run();
			exit();
		}
		SHARED[CHILD] = child;
		before_end(child);
		exit();
	}
	wait_until_gone(parent);
	return SHARED[CHILD];
}

static void
wait_until_all_are_gone(const char *what)
{
	while (count_envs() != envs_before)
		sys_yield();
	sys_cputs("", 0); // Wait until the CPU that frees the last environment drops the lock.
	if (count_free_pages() != pages_before)
		panic("%s: %d pages are free, not %d", what, count_free_pages(), pages_before);
	cprintf("abandoned: %s\n", what);
}

// ---- Before the parent ends ----

static void
nothing(envid_t child)
{
}

static void
wait_for_sleep(envid_t child)
{
	wait_until_asleep(child);
}

static void
stop_asleep(envid_t child)
{
	wait_until_asleep(child);
	must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "stop");
}

static void
stop_running(envid_t child)
{
	must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "stop");
}

static const struct {
	const char *what;
	void (*run)(void);
	void (*before_end)(envid_t child);
} ends[] = {
	{ "stopped itself before", stop_self, wait_for_sleep },
	{ "stopped itself before, by a batch", stop_self_in_batch, wait_for_sleep },
	{ "stopped while it waited for a message", wait_for_message, stop_asleep },
	{ "stopped while it waited to send one", wait_to_send, stop_asleep },
	{ "stopped while it ran", count_until_destroyed, stop_running },
	{ "stopped, with stopped children", stop_with_stopped_children, wait_for_sleep },
	{ "perhaps stops itself at the same time", stop_self, nothing },
};

static const struct {
	const char *what;
	void (*run)(void);
} later[] = {
	{ "continued, and exited", run_as_orphan },
	{ "stopped itself later", stop_as_orphan },
	{ "stopped itself later, by a batch", stop_in_batch_as_orphan },
};

void
umain(int argc, char **argv)
{
	share_memory((void *)SHARED, PGSIZE);
	if (must_fork() == 0) // The first fork allocates pages that stay.
		exit();
	while (count_envs() > 1)
		sys_yield();
	envs_before = count_envs();
	pages_before = count_free_pages();
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
			make_orphan(ends[i].run, ends[i].before_end);
			wait_until_all_are_gone(ends[i].what);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		envid_t orphan = make_orphan(later[i].run, nothing);
		if (env_of(orphan)->env_id != orphan || env_of(orphan)->env_parent_id != 0)
			panic("%08x is not an orphan", orphan);
		if (sys_env_set_status(orphan, ENV_NOT_RUNNABLE) != -E_BAD_ENV ||
		    sys_page_unmap(orphan, UTEMP) != -E_BAD_ENV)
			panic("an environment has rights over an orphan");
		SHARED[GO_ON] = 1;
		wait_until_all_are_gone(later[i].what);
	}
	cprintf("abandoned: ok\n");
}
