// What becomes of the children of an environment that ends. One that is stopped, whatever else it
// waits for, ends, too; and so does one that stops itself later. The others go on, their
// env_parent_id is 0, and no environment has rights over them.

#include <user/common/testing.h>

#define SHARED ((volatile uint32_t *)0x10000000) // The same page in all of them

enum { CHILD, GO_ON, SLOTS }; // Words of SHARED: an id, and what the child waits for

static int envs_before, pages_before;

static void
stop_oneself(void)
{
	sys_env_set_status(0, ENV_NOT_RUNNABLE);
	panic("an orphan that stopped itself runs");
}

static void
stop_oneself_in_a_batch(void)
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
	panic("a message came");
}

static void
wait_to_send(void)
{
	sys_ipc_send(thisenv->env_parent_id, 0, (void *)UTOP, 0);
}

static void
count_for_ever(void)
{
	for (;;)
		SHARED[SLOTS]++;
}

static void
have_stopped_children(void)
{
	envid_t child = must_fork();

	if (child == 0)
		stop_oneself();
	if (must(sys_exofork(), "exofork") == 0)
		panic("a child that was never started runs");
	wait_until_asleep(child);
	sys_env_set_status(0, ENV_NOT_RUNNABLE);
}

static void
be_an_orphan(void)
{
	while (!SHARED[GO_ON])
		sys_yield();
	if (thisenv->env_parent_id != 0)
		panic("the parent of an orphan is %08x", thisenv->env_parent_id);
}

static void
stop_as_an_orphan(void)
{
	be_an_orphan();
	stop_oneself();
}

static void
stop_in_a_batch_as_an_orphan(void)
{
	be_an_orphan();
	stop_oneself_in_a_batch();
}

// Run `life` in a child of a child, which ends after `before_end`.
static envid_t
leave(void (*life)(void), void (*before_end)(envid_t child))
{
	SHARED[GO_ON] = SHARED[CHILD] = 0;
	envid_t parent = must_fork();

	if (parent == 0) {
		envid_t child = must_fork();
		if (child == 0) {
			life();
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
wait_for_all_to_be_gone(const char *what)
{
	while (count_envs() != envs_before)
		sys_yield();
	sys_cputs("", 0); // The CPU that freed the last one has dropped the lock after that.
	if (count_free_pages() != pages_before)
		panic("%s: %d pages are free, not %d", what, count_free_pages(), pages_before);
	cprintf("abandoned: %s\n", what);
}

// ---- What a parent does before it ends ----

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
	void (*life)(void);
	void (*before_end)(envid_t child);
} ends[] = {
	{ "stopped itself before", stop_oneself, wait_for_sleep },
	{ "stopped itself before, by a batch", stop_oneself_in_a_batch, wait_for_sleep },
	{ "stopped while it waited for a message", wait_for_message, stop_asleep },
	{ "stopped while it waited to send one", wait_to_send, stop_asleep },
	{ "stopped while it ran", count_for_ever, stop_running },
	{ "stopped, with stopped children", have_stopped_children, wait_for_sleep },
	{ "perhaps just stopping itself", stop_oneself, nothing },
};

static const struct {
	const char *what;
	void (*life)(void);
} later[] = {
	{ "went on, and exited", be_an_orphan },
	{ "stopped itself later", stop_as_an_orphan },
	{ "stopped itself later, by a batch", stop_in_a_batch_as_an_orphan },
};

void
umain(int argc, char **argv)
{
	share_memory((void *)SHARED, PGSIZE);
	if (must_fork() == 0) // So that what the first fork takes is there.
		exit();
	while (count_envs() > 1)
		sys_yield();
	envs_before = count_envs();
	pages_before = count_free_pages();
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
			leave(ends[i].life, ends[i].before_end);
			wait_for_all_to_be_gone(ends[i].what);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		envid_t orphan = leave(later[i].life, nothing);
		if (env_of(orphan)->env_id != orphan || env_of(orphan)->env_parent_id != 0)
			panic("%08x is no orphan", orphan);
		if (sys_env_set_status(orphan, ENV_NOT_RUNNABLE) != -E_BAD_ENV ||
		    sys_page_unmap(orphan, UTEMP) != -E_BAD_ENV)
			panic("its parent's parent has rights over an orphan");
		SHARED[GO_ON] = 1;
		wait_for_all_to_be_gone(later[i].what);
	}
	cprintf("abandoned: ok\n");
}
