// Mistakes to be made on purpose. The kernel claims to notice some of its own: each of
// these functions makes one, on the boot CPU, when the command line says selftest=NAME.
// What has noticed it panics. Only tests want this.

#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/trap.h>

#include <kern/console.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/pmap.h>
#include <kern/sched.h>
#include <kern/selftest.h>
#include <kern/spinlock.h>
#include <kern/wait.h>

// ---- Locks ----

static void
take_big_lock_twice(void)
{
	lock_kernel();
}

static void
take_lock_twice(void)
{
	spin_lock(&cons_lock);
	spin_lock(&cons_lock);
}

static void
drop_free_lock(void)
{
	spin_unlock(&cons_lock);
}

// Drop the big lock while, if there is another CPU, that has it.
static void
drop_lock_of_another(void)
{
	unlock_kernel();
	while (ncpu > 1 && kernel_lock.cpu <= 0)
		lapic_ipi(1, T_IPI_WAKE); // It takes the lock to see what there is to do.
	unlock_kernel();
}

static void
allocate_page_without_lock(void)
{
	unlock_kernel();
	page_alloc(0);
}

static void
map_page_without_lock(void)
{
	struct PageInfo *pp = page_alloc(0);

	unlock_kernel();
	page_insert(kern_pgdir, pp, UTEMP, 0);
}

static void
change_status_without_lock(void)
{
	unlock_kernel();
	env_set_status(&envs[0], ENV_RUNNABLE);
}

static void
wake_without_lock(void)
{
	unlock_kernel();
	sched_wake();
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "take_big_lock_twice", take_big_lock_twice },
	{ "take_lock_twice", take_lock_twice },
	{ "drop_free_lock", drop_free_lock },
	{ "drop_lock_of_another", drop_lock_of_another },
	{ "allocate_page_without_lock", allocate_page_without_lock },
	{ "map_page_without_lock", map_page_without_lock },
	{ "change_status_without_lock", change_status_without_lock },
	{ "wake_without_lock", wake_without_lock },
};

bool
selftest_run(const char *name)
{
	size_t len = strfind(name, ' ') - name;

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		if (strlen(tests[i].name) != len || strncmp(tests[i].name, name, len) != 0)
			continue;
		tests[i].run();
		cprintf("selftest: %s was not noticed\n", tests[i].name);
		return true;
	}
	return false;
}
