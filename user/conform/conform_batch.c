// Tests sys_batch: each call in a batch has its usual effect, some calls are refused in a batch,
// and the batch stops after the right call. Also tests the library's functions that collect calls.
// conform_batcharray.c tests arrays that the caller may not write to.

#include "batches.h"

// ---- The calls ----

static void
make_allowed_calls(void)
{
	envid_t child = sys_exofork();
	uint32_t va = (uint32_t)SPARE;
	const struct BatchCall all[] = {
		make(SYS_getenvid, 0, 0, 0, 0, 0),
		make(SYS_page_alloc, 0, va, PERM_WRITE, 0, 0),
		make(SYS_page_map, 0, va, child, va, PERM_READ),
		make(SYS_page_unmap, 0, va, 0, 0, 0),
		make(SYS_page_map, child, va, 0, va, PERM_WRITE),
		make(SYS_env_set_pgfault_upcall, child, 0x1234, 0, 0, 0),
		make(SYS_env_set_exception_upcall, child, T_DIVIDE, 0x5678, 0, 0),
		make(SYS_env_set_status, child, ENV_NOT_RUNNABLE, 0, 0, 0),
		make(SYS_ipc_try_send, child, 1, UTOP, 0, 0),
	};
	static const int32_t results[] = { 0, 0, 0, 0, -E_INVAL, 0, 0, 0, -E_IPC_NOT_RECV };

	conform_must(child, "sys_exofork");
	memcpy(CALLS, all, sizeof(all));
	CHECK_EQ(sys_batch(CALLS, ARRAY_SIZE(all), 0), ARRAY_SIZE(all));
	CHECK_EQ(CALLS[0].result, thisenv->env_id);
	for (uint32_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (i > 0)
			conform_count_with(i, __LINE__, "result", results[i], CALLS[i].result);
		CHECK_EQ(memcmp(&CALLS[i], &all[i], offsetof(struct BatchCall, result)), 0);
	}
	CHECK_EQ(conform_pte(SPARE), 0);
	CHECK(conform_page_of(child, SPARE) != 0);
	CHECK_EQ(env_of(child)->env_pgfault_upcall, 0x1234);
	CHECK_EQ(env_of(child)->env_upcalls[T_DIVIDE], 0x5678);
	CHECK_EQ(sys_env_destroy(child), 0);
}

static void
refuse_other_calls(void)
{
	static const uint32_t numbers[] = {
		SYS_cputs,
		SYS_cgetc,
		SYS_cgetc_wait,
		SYS_env_destroy,
		SYS_exofork,
		SYS_yield,
		SYS_ipc_recv,
		SYS_ipc_send,
		SYS_ipc_call,
		SYS_batch,
		NSYSCALLS,
		31,
		32,
		32 + SYS_getenvid,
		0x100 + SYS_getenvid,
		0x7FFFFFFF,
		0x80000000,
		0x80000000 + SYS_getenvid,
		0xFFFFFFFF,
	};
	int envs_before = count_envs();

	for (uint32_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		fill(CALLS, 3);
		CALLS[1].number = numbers[i];
		// The snapshot is taken with the results that the batch must store.
		CALLS[1].result = -E_INVAL;
		CALLS[0].result = CALLS[2].result = thisenv->env_id;
		struct conform_snapshot before = conform_snapshot();
		CALLS[1].result = UNTOUCHED;
		conform_count_with(numbers[i], __LINE__, "made", 3, sys_batch(CALLS, 3, 0));
		conform_check_unchanged(
		    &before, __LINE__, "a batch with a call that it must refuse");
		CHECK_EQ(count_envs(), envs_before);

		fill(CALLS, 3);
		CALLS[1].number = numbers[i];
		CHECK_EQ(sys_batch(CALLS, 3, BATCH_STOP), 2);
		CHECK_EQ(CALLS[1].result, -E_INVAL);
		CHECK_EQ(CALLS[2].result, UNTOUCHED);
	}
}

// After a call that fails, the batch stops if BATCH_STOP is set, and otherwise goes on.
static void
stop_or_go_on(void)
{
	for (uint32_t bad = 0; bad < BATCH_MAX; bad++) {
		fill(CALLS, BATCH_MAX);
		CALLS[bad] = make(SYS_page_unmap, 0, UTOP, 0, 0, 0);
		CHECK_EQ(sys_batch(CALLS, BATCH_MAX, BATCH_STOP), bad + 1);
		CHECK_EQ(CALLS[bad].result, -E_INVAL);
		CALLS[bad].result = UNTOUCHED;
		CHECK_EQ(count_made(CALLS, BATCH_MAX), bad);
		CHECK_EQ(sys_batch(CALLS, BATCH_MAX, 0), BATCH_MAX);
		CHECK_EQ(CALLS[bad].result, -E_INVAL);
		CALLS[bad].result = thisenv->env_id;
		CHECK_EQ(count_made(CALLS, BATCH_MAX), BATCH_MAX);
	}
}

static void
run_out_of_memory(void)
{
	static struct BatchCall calls[4];

	fill(calls, 4); // Before memory is taken: this write may need a page (copy-on-write).
	calls[1] = make(SYS_page_alloc, 0, (uint32_t)FRESH, PERM_WRITE, 0, 0);
	conform_take_memory();
	CHECK_EQ(sys_batch(calls, 4, 0), 4);
	CHECK_EQ(calls[1].result, -E_NO_MEM);
	CHECK_EQ(calls[3].result, thisenv->env_id);
	CHECK_EQ(sys_batch(calls, 4, BATCH_STOP), 2);
	CHECK_EQ(conform_pte(FRESH), 0);
}

// ---- The arguments of sys_batch ----

static void
refuse_arguments(void)
{
	fill(CALLS, 1);
	for (uint32_t flag = BATCH_STOP << 1; flag != 0; flag <<= 1) {
		CHECK_REFUSED_WITH(flag, sys_batch(CALLS, 1, flag), E_INVAL);
		CHECK_REFUSED_WITH(flag, sys_batch(CALLS, 1, flag | BATCH_STOP), E_INVAL);
	}
	CHECK_REFUSED(sys_batch(CALLS, 1, -1), E_INVAL);
	CHECK_REFUSED(sys_batch((void *)KERNBASE, 1, -1), E_INVAL);
	for (uint32_t off = 1; off < sizeof(uint32_t); off++) {
		CHECK_REFUSED_WITH(off, sys_batch((void *)CALLS + off, 1, 0), E_INVAL);
		CHECK_REFUSED_WITH(off, sys_batch((void *)off, 1, 0), E_INVAL);
		CHECK_REFUSED_WITH(off, sys_batch((void *)KERNBASE + off, 1, 0), E_INVAL);
	}
}

// Of more than BATCH_MAX calls, the first BATCH_MAX are made.
static void
limit_number(void)
{
	static const uint32_t many[] = { BATCH_MAX + 1, 100, 0x7FFFFFFF, 0x80000000, 0x92492493,
		0xFFFFFFFF };

	for (uint32_t n = 0; n <= BATCH_MAX; n++) {
		fill(CALLS, BATCH_MAX + 1);
		CHECK_EQ(sys_batch(CALLS, n, BATCH_STOP), n);
		CHECK_EQ(count_made(CALLS, BATCH_MAX + 1), n);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(many); i++) {
		fill(CALLS, BATCH_MAX + 1);
		CHECK_EQ(sys_batch(CALLS, many[i], 0), BATCH_MAX);
		CHECK_EQ(count_made(CALLS, BATCH_MAX + 1), BATCH_MAX);
	}
	// With 0 calls, the array is not used.
	CHECK_EQ(sys_batch(NULL, 0, 0), 0);
	CHECK_EQ(sys_batch((void *)KERNBASE, 0, BATCH_STOP), 0);
}

// An array at each word near the boundary between two pages, and an array at the end of a page
// before a read-only page.
static void
cross_page_boundaries(void)
{
	for (uint32_t off = 0; off <= 2 * sizeof(struct BatchCall); off += sizeof(uint32_t)) {
		struct BatchCall *calls = (void *)AREA + PGSIZE - off;
		fill(calls, 2);
		CHECK_EQ(sys_batch(calls, 2, 0), 2);
		CHECK_EQ(count_made(calls, 2), 2);
	}
	struct BatchCall *last = (struct BatchCall *)READONLY - BATCH_MAX;
	fill(last, BATCH_MAX);
	CHECK_EQ(sys_batch(last, BATCH_MAX, 0), BATCH_MAX);
	CHECK_EQ(count_made(last, BATCH_MAX), BATCH_MAX);
}

// ---- A caller that stops itself ----

static void
stop_self(void)
{
	fill(CALLS, 3);
	CALLS[1] = make(SYS_env_set_status, 0, ENV_NOT_RUNNABLE, 0, 0, 0);
	CHECK_EQ(sys_batch(CALLS, 3, 0), 2);
	CHECK_EQ(CALLS[0].result, thisenv->env_id);
	CHECK_EQ(CALLS[1].result, 0);
	CHECK_EQ(CALLS[2].result, UNTOUCHED);
}

static void
check_self_stop(void)
{
	envid_t child = conform_spawn(stop_self);

	wait_until_asleep(child);
	CHECK_EQ(sys_env_set_status(child, ENV_RUNNABLE), 0);
	conform_wait(child);
}

// ---- Collecting calls ----

// More calls than fit into a batch are made in order: each call maps the page that the call before
// it mapped.
static void
collect_many(void)
{
	struct Batch b = { 0 };
	char *va;

	CHECK_EQ(batch_flush(&b), 0);
	CHECK_EQ(batch_page_alloc(&b, 0, SPARE, PERM_WRITE), 0);
	for (va = SPARE; va < SPARE + 100 * PGSIZE; va += PGSIZE) {
		CHECK_EQ(batch_page_map(&b, 0, va, 0, va + PGSIZE, PERM_WRITE), 0);
		CHECK_EQ(batch_page_unmap(&b, 0, va), 0);
	}
	CHECK_EQ(batch_flush(&b), 0);
	CHECK_EQ(b.count, 0);
	CHECK_EQ(conform_perm(va), PERM_WRITE);
	CHECK_EQ(conform_pte(va - PGSIZE), 0);
	CHECK_EQ(batch_page_unmap(&b, 0, va), 0);
	CHECK_EQ(batch_flush(&b), 0);
}

// Calls after a failing call are not made, wherever in the batch the failing call is.
static void
collect_and_fail(void)
{
	for (uint32_t bad = 0; bad < 2 * BATCH_MAX; bad++) {
		struct Batch b = { 0 };
		uint32_t added = 0;
		int r = 0;
		for (; added < 2 * BATCH_MAX && r == 0; added++)
			r = added == bad ? batch_page_map(&b, 0, NOTHING, 0, SPARE, PERM_READ)
					 : batch_page_map(&b, 0, READONLY, 0,
					       SPARE + added * PGSIZE, PERM_READ);
		if (r == 0)
			r = batch_flush(&b);
		CHECK_EQ(r, -E_INVAL);
		CHECK_EQ(b.count, 0);
		CHECK_EQ(conform_refs(conform_page(READONLY)), 1 + bad);
		for (uint32_t i = 0; i < bad; i++)
			CHECK_EQ(sys_page_unmap(0, SPARE + i * PGSIZE), 0);
	}
}

static void
collect_other_calls(void)
{
	struct Batch b = { 0 };
	envid_t child = sys_exofork();

	conform_must(child, "sys_exofork");
	CHECK_EQ(batch_env_set_exception_upcall(&b, child, T_PGFLT, (void *)0x4321), 0);
	CHECK_EQ(batch_env_set_exception_upcall(&b, child, T_ILLOP, (void *)0x8765), 0);
	CHECK_EQ(batch_env_set_status(&b, child, ENV_NOT_RUNNABLE), 0);
	CHECK_EQ(batch_flush(&b), 0);
	CHECK_EQ(env_of(child)->env_pgfault_upcall, 0x4321);
	CHECK_EQ(env_of(child)->env_upcalls[T_ILLOP], 0x8765);
	CHECK_EQ(batch_env_set_status(&b, child, ENV_DYING), 0);
	CHECK_EQ(batch_flush(&b), -E_INVAL);
	CHECK_EQ(batch_env_set_status(&b, 0, ENV_RUNNABLE), 0);
	CHECK_EQ(batch_env_set_status(&b, child + 0x1000, ENV_RUNNABLE), 0);
	CHECK_EQ(batch_flush(&b), -E_BAD_ENV);
	CHECK_EQ(sys_env_destroy(child), 0);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_batch");
	set_up();
	make_allowed_calls();
	refuse_other_calls();
	stop_or_go_on();
	conform_in_child(run_out_of_memory);
	refuse_arguments();
	limit_number();
	cross_page_boundaries();
	check_self_stop();
	collect_many();
	collect_and_fail();
	collect_other_calls();
	conform_end();
}
