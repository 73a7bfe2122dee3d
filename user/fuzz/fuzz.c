// `fuzz,SEED,CALLS` makes CALLS system calls with random arguments, many of them wrong. Its
// children also execute forbidden instructions, with random stacks, handlers, segments and flags.
// A call that returns a wrong result, or changes mappings wrongly, is reported in a line with
// "WRONG". At the end all environments must be gone and all memory free, and no environment may
// wait without end: tools/check/fuzz.py and the kernel's audit check this.
//
// The seed is printed, and decides everything on one CPU whose clock counts instructions. Several
// copies of this program may run at the same time.
//
// A parent makes children, makes calls that change its children, and replaces children that have
// ended. It makes no call that could end it or damage its own memory, because then no environment
// could end its children. There are three kinds of children:
//
//	CALLER		makes system calls, most of them for itself, until it ends
//	RANDOM_CODE	executes a page of random code (fuzzcode.h)
//	PARENT		is a parent itself

#include "fuzzchildren.h"

#define CALLS        20000
#define PARENT_CALLS 3000
#define CALLER_CALLS 1000

// How many turns a child may have without progress before its parent destroys it
static const uint32_t max_turns[] = { [CALLER] = 2, [RANDOM_CODE] = 1 };

// ---- A caller ----

static bool
destroys_caller(const struct call *c)
{
	return c->number == SYS_env_destroy &&
	       (c->args[0] == 0 || c->args[0] == (uint32_t)thisenv->env_id);
}

// Make a call. Returns what is wrong with its effects, as far as the caller can know.
static enum wrong
try_call(const struct call *c, int32_t *r)
{
	struct view before;

	before.parent_seq = MY_SLOT->parent_seq;
	take_view(&before, c);
	*r = make_call(c);
	if (MY_SLOT->damaged)
		return NOTHING_WRONG;
	if (!is_result_good(c, *r))
		return WRONG_RESULT;
	bool good = are_mappings_good(c, *r, &before);
	if (before.parent_seq % 2 || before.parent_seq != MY_SLOT->parent_seq)
		return NOTHING_WRONG;
	return good ? NOTHING_WRONG : WRONG_MAPPINGS;
}

static void
run_caller(void)
{
	for (int left = below(CALLER_CALLS); left > 0; left--) {
		struct call c = any_call();
		if (is_dangerous(&c))
			MY_SLOT->damaged = 1;
		if (destroys_caller(&c))
			MY_SLOT->exiting = 1;
		MY_SLOT->counts.calls++;
		int32_t r;
		enum wrong wrong = try_call(&c, &r);
		if (wrong) {
			*(struct call *)&MY_SLOT->call = c;
			MY_SLOT->result = r;
			MY_SLOT->wrong = wrong;
			break;
		}
	}
	MY_SLOT->exiting = 1;
}

// ---- The parent watches its children ----

// Add a child's new calls to the counts, and report what is wrong.
static void
take_calls(struct child *c)
{
	volatile struct slot *slot = slot_of(c);

	if (c->kind == RANDOM_CODE)
		return;
	uint32_t calls = slot->counts.calls - c->calls_seen;
	if (calls > 0)
		c->runs_seen = env_of(c->id)->env_runs;
	counts.calls += calls;
	c->calls_seen += calls;
	if (slot->wrong)
		report_wrong(slot->wrong, &slot->call, slot->result);
	slot->wrong = 0;
}

// Count a child that has ended.
static void
reap(struct child *c)
{
	volatile struct slot *slot = slot_of(c);

	take_calls(c);
	if (c->kind == PARENT) {
		counts.children += slot->counts.children;
		counts.killed += slot->counts.killed;
		counts.cpus |= slot->counts.cpus;
	}
	if (!c->destroyed && (c->kind == RANDOM_CODE || !slot->exiting))
		counts.killed++;
	if (c->kind == PARENT && !slot->exiting)
		cprintf("fuzz: WRONG: the kernel destroyed %08x, a parent\n", c->id);
	c->id = 0;
}

static void
destroy(struct child *c)
{
	c->destroyed = sys_env_destroy(c->id) == 0;
}

// Make a call that changes a child, and check that it does not change the parent's mappings.
static int32_t
call_for_child(struct child *c, const struct call *call)
{
	struct view before;

	take_view(&before, call);
	slot_of(c)->parent_seq++;
	int32_t r = make_call(call);
	slot_of(c)->parent_seq++;
	if (!are_parents_mappings_good(call, r, &before))
		report_wrong(WRONG_MAPPINGS, call, r);
	return r;
}

// Make a child that is not runnable run again, or destroy it.
static void
wake(struct child *c)
{
	switch (c->kind == PARENT ? 0 : below(4)) {
	case 0:
	case 1:
		sys_env_set_status(c->id, ENV_RUNNABLE);
		break;
	case 2:
		call_for_child(c, &(struct call){ SYS_ipc_try_send,
				      { c->id, random(), any_page(), any_perm() } });
		break;
	default:
		destroy(c);
	}
}

// Make, wake, destroy or count a child, as its state requires. closing: make no new children, and
// end the others.
static void
watch(struct child *c, bool closing)
{
	const volatile struct Env *e = env_of(c->id);

	if (c->id == 0) {
		if (!closing)
			make_child(c);
		return;
	}
	counts.cpus |= 1U << e->env_cpunum;
	take_calls(c);
	if (!is_alive(c->id))
		reap(c);
	else if (c->destroyed)
		return;
	else if (e->env_status == ENV_NOT_RUNNABLE)
		wake(c);
	else if (c->kind == PARENT)
		slot_of(c)->stop = closing;
	else if (closing || e->env_runs - c->runs_seen > max_turns[c->kind])
		destroy(c);
}

// ---- The parent attacks its children ----

// Change a call so that it affects a child, and affects the parent's memory only by sharing a page
// of AREA. Returns false if that is not possible.
static bool
set_target(struct call *call, const struct child *c)
{
	switch (call->number) {
	case SYS_env_set_status:
		call->args[0] = c->id;
		return true;
	case SYS_page_map:
		call->args[2] = c->id;
		if (one_in(2)) {
			call->args[0] = 0;
			call->args[1] = area_page();
			break;
		} // fall through
	case SYS_page_alloc:
	case SYS_page_unmap:
	case SYS_env_set_pgfault_upcall:
	case SYS_env_set_exception_upcall:
		call->args[0] = c->id;
		break;
	case SYS_ipc_try_send:
		call->args[0] = c->id;
		call->args[2] = one_in(2) ? area_page() : UTOP;
		break;
	default:
		return false;
	}
	return c->kind != PARENT;
}

static void
attack(struct child *c)
{
	struct call call = any_call();

	if (c->id == 0 || c->destroyed || !set_target(&call, c))
		return;
	if (c->kind == CALLER && is_dangerous(&call))
		slot_of(c)->damaged = 1;
	int32_t r = call_for_child(c, &call);
	counts.calls++;
	// The parent cannot know whether the child still exists or receives.
	int32_t expected = 0;
	for (int i = 0; i < MAX_CALL_ARGS; i++) {
		if (is_argument_bad(call_table[call.number].kinds[i], call.args[i]))
			expected = -E_INVAL;
	}
	bool good = expected && call.number != SYS_ipc_try_send
			? r == expected || r == -E_BAD_ENV
			: r == 0 || r == -E_BAD_ENV || r == -E_INVAL || r == -E_NO_MEM ||
			      r == -E_IPC_NOT_RECV;
	if (!good)
		report_wrong(WRONG_RESULT, &call, r);
}

// ---- A parent ----

// Map the pages that a parent needs. Returns false if there is not enough memory.
static bool
prepare(void)
{
	bool good = sys_page_alloc(0, (void *)CODE, PERM_WRITE) == 0;

	for (int i = 0; i < MAX_CHILDREN && good; i++)
		good = sys_page_alloc(0, (void *)(SLOTS + i * PGSIZE), PERM_WRITE) == 0;
	for (int i = 0; i < AREA_PAGES && good; i++)
		good = sys_page_alloc(0, (void *)(AREA + i * PGSIZE),
			   i < AREA_PAGES / 2 ? PERM_WRITE : PERM_READ) == 0;
	if (good)
		memcpy((void *)CODE, "\xCD\x30\xC3", 3); // int $T_SYSCALL; ret
	return good;
}

// Watch all children once. Returns whether any is left.
static bool
watch_all(bool closing)
{
	bool any = false;

	for (int i = 0; i < MAX_CHILDREN; i++) {
		watch(&children[i], closing);
		any |= children[i].id != 0;
	}
	counts.cpus |= 1U << thisenv->env_cpunum;
	sys_yield();
	return any;
}

static void
run_parent(uint32_t calls)
{
	while (counts.calls < calls && !(depth > 0 && MY_SLOT->stop)) {
		watch_all(false);
		for (int i = below(8); i > 0; i--)
			attack(&PICK(children));
		if (depth > 0)
			*(struct counts *)&MY_SLOT->counts = counts;
	}
	while (watch_all(true))
		;
}

static void
run_inner_parent(void)
{
	depth++;
	counts = (struct counts){ 0 };
	memset(children, 0, sizeof(children));
	if (prepare())
		run_parent(below(PARENT_CALLS));
	*(struct counts *)&MY_SLOT->counts = counts;
	MY_SLOT->exiting = 1;
}

static void
begin_child(void)
{
	thisenv = &envs[ENVX(sys_getenvid())];
	random_state = child_seed;
	if (child_kind == CALLER)
		run_caller();
	else
		run_inner_parent();
	exit();
}

void
umain(int argc, char **argv)
{
	uint32_t seed = argc > 1 ? (uint32_t)strtol(argv[1], NULL, 0) : (uint32_t)read_tsc();
	char cpus[32 * 3 + 1] = "";
	uint32_t calls = argc > 2 ? (uint32_t)strtol(argv[2], NULL, 0) : CALLS;
	random_state = seed ? seed : 1;
	cprintf("fuzz: seed %u, %u calls\n", random_state, calls);
	if (!prepare())
		panic("out of memory");
	// make_child uses the FPU, and exofork copies its state. The first use of the FPU needs
	// memory: without free memory, the kernel would destroy this environment. So use it now.
	__asm__ volatile("fninit");
	seed = random_state;
	run_parent(calls);
	for (int i = 0, at = 0; i < 32; i++) {
		if (counts.cpus & 1U << i)
			at += snprintf(cpus + at, sizeof(cpus) - at, " %d", i);
	}
	cprintf("\nfuzz: seed %u: %u calls, %u children, %u ended by the kernel, CPUs used:%s\n",
	    seed, counts.calls, counts.children, counts.killed, cpus);
}
