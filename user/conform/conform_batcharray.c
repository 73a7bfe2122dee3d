// Tests sys_batch with an array that the caller may not write to, and with an array that is
// unmapped by a call in it: the kernel must destroy the caller, and no memory may be lost.

#include "batches.h"

// ---- An array that the caller may not write to ----

static struct BatchCall *bad_array;
static uint32_t bad_number;

static void
call_with_bad_array(void)
{
	sys_batch(bad_array, bad_number, 0);
	STATE->words[0] = 1;
}

static void
report_running(void)
{
	STATE->words[1] = 1;
}

// Calls in a read-only array are not made: a child that the call would make runnable stays stopped,
// and ends with its parent.
static void
call_with_readonly_array(void)
{
	envid_t child = conform_clone(report_running);

	conform_must(sys_page_alloc(0, SPARE, PERM_WRITE), "sys_page_alloc");
	*(struct BatchCall *)SPARE = make(SYS_env_set_status, child, ENV_RUNNABLE, 0, 0, 0);
	conform_must(sys_page_map(0, SPARE, 0, SPARE, PERM_READ), "sys_page_map");
	STATE->envid = child;
	sys_batch((struct BatchCall *)SPARE, 1, 0);
	STATE->words[0] = 1;
}

static void
make_none_of_readonly(void)
{
	STATE->words[1] = 0;
	CHECK_KILLED(call_with_readonly_array);
	conform_wait(STATE->envid);
	CHECK_EQ(STATE->words[1], 0);
}

static void
kill_callers(void)
{
	static const struct {
		uintptr_t va;
		uint32_t n;
	} bad[] = {
		{ 0, 1 },
		{ UTEXT - 4, 1 },
		{ UTEXT, 1 }, // The program's text
		{ USTACKTOP - 4, 1 },
		{ USTACKTOP, 1 },
		{ UTOP - 4, 1 },
		{ UENVS, 1 },
		{ UPAGES, 1 },
		{ UVPT, 1 },
		{ UVPT + ((uintptr_t)AREA >> 10), 1 },
		{ UVPT + (UVPT >> 10), 1 },
		{ ULIM - 4, 1 },
		{ ULIM, 1 },
		{ MMIOLIM, 1 },
		{ KSTACKTOP - 64, 2 },
		{ KERNBASE, 1 },
		{ KERNBASE + 0x100000, 3 },
		{ 0xFFFFFFFC, 1 },
		{ 0xFFFFFFE4, 2 },
		{ (uintptr_t)READONLY, 1 },
		{ (uintptr_t)READONLY - 4, 1 },
		{ (uintptr_t)READONLY - sizeof(struct BatchCall), 2 },
		{ (uintptr_t)READONLY - sizeof(struct BatchCall), 0xFFFFFFFF },
		{ (uintptr_t)READONLY - (BATCH_MAX - 1) * sizeof(struct BatchCall), 0x92492493 },
		{ (uintptr_t)NOTHING, 1 },
		{ (uintptr_t)NOTHING - 4, 2 },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fill((struct BatchCall *)READONLY - BATCH_MAX, BATCH_MAX);
		bad_array = (struct BatchCall *)bad[i].va;
		bad_number = bad[i].n;
		STATE->words[0] = 0;
		conform_in_child(call_with_bad_array);
		conform_count_with(bad[i].va, __LINE__, "survived", 0, STATE->words[0]);
		CHECK_EQ(count_made((struct BatchCall *)READONLY - BATCH_MAX, BATCH_MAX), 0);
	}
}

// ---- An array that a call in it unmaps ----

// Make a batch of two calls, in a page at SPARE. The first call changes the mapping at SPARE. The
// page stays mapped at ALIAS.
#define ALIAS (SPARE + PGSIZE)

static void
call_over_array(struct BatchCall first)
{
	struct BatchCall *calls = (struct BatchCall *)SPARE;

	conform_must(sys_page_alloc(0, ALIAS, PERM_WRITE), "sys_page_alloc");
	conform_must(sys_page_map(0, ALIAS, 0, SPARE, PERM_WRITE), "sys_page_map");
	fill(calls, 2);
	calls[0] = first;
	STATE->words[1] = sys_batch(calls, 2, 0);
	STATE->words[0] = 1;
}

static void
unmap_array(void)
{
	call_over_array(make(SYS_page_unmap, 0, (uint32_t)SPARE, 0, 0, 0));
}

static void
make_array_readonly(void)
{
	call_over_array(make(SYS_page_map, 0, (uint32_t)SPARE, 0, (uint32_t)SPARE, PERM_READ));
}

static void
make_array_cow(void)
{
	call_over_array(
	    make(SYS_page_map, 0, (uint32_t)SPARE, 0, (uint32_t)SPARE, PERM_READ | PTE_COW));
}

// The first call maps another page at SPARE. The results are stored at the same address, in the new
// page; but the calls that are made are those of the old page.
static void
replace_array(void)
{
	struct BatchCall *now = (struct BatchCall *)SPARE, *old = (struct BatchCall *)ALIAS;

	fill(CALLS, 3);
	CALLS[1].number = SYS_env_destroy;
	call_over_array(make(SYS_page_map, 0, (uint32_t)AREA, 0, (uint32_t)SPARE, PERM_WRITE));
	CHECK_EQ(STATE->words[1], 2);
	CHECK_EQ(conform_page(SPARE), conform_page(AREA));
	CHECK_EQ(now[0].number, SYS_getenvid);
	CHECK_EQ(now[0].result, 0);
	CHECK_EQ(now[1].number, SYS_env_destroy);
	CHECK_EQ(now[1].result, thisenv->env_id);
	CHECK_EQ(now[2].result, UNTOUCHED);
	CHECK_EQ(old[0].result, UNTOUCHED);
	CHECK_EQ(old[1].result, UNTOUCHED);
}

static void
lose_array(void)
{
	CHECK_KILLED(unmap_array);
	CHECK_KILLED(make_array_readonly);
	CHECK_KILLED(make_array_cow);
	STATE->words[0] = 0;
	conform_wait(conform_spawn(replace_array));
	CHECK_EQ(STATE->words[0], 1);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_batcharray");
	set_up();
	kill_callers();
	make_none_of_readonly();
	lose_array();
	conform_end();
}
