// A program that does what no program should: `fuzz,SEED,CALLS` makes so many system calls
// with arguments that are likely to be wrong, and has children that execute what they may
// not, with stacks, handlers, segments and flags that make no sense. In the end all are gone,
// and the kernel is as it was; whoever runs this sees to that. Nothing may wait for ever, no
// call may return what it must not: that is a line with "WRONG" in it.
//
// All is decided by numbers from the seed, which is printed. With one CPU whose clock counts
// instructions, the same happens each time. Several of these may run at a time.
//
// A parent makes children, calls the same things with them as their victims, and replaces
// those that have ended. It never does what could end itself, or damage its own memory: else
// nobody could end its children any more. They are of three kinds:
//
//	CALLER		makes calls, most of them for itself, until one of them is the end of it
//	NONSENSE	executes a page of code that makes no sense (fuzzcode.h), and has no other
//	PARENT		a parent in its turn

#include "fuzzchildren.h"

#define CALLS        20000
#define PARENT_CALLS 3000
#define CALLER_CALLS 1000

// How often a child may have been put on a CPU since it was last seen to make progress.
static const uint32_t patience[] = { [CALLER] = 2, [NONSENSE] = 1 };

// ---- A caller ----

static bool
is_suicide(const struct call *c)
{
	return c->number == SYS_env_destroy &&
	       (c->args[0] == 0 || c->args[0] == (uint32_t)thisenv->env_id);
}

// Make a call, and say what is wrong with it, if this is known.
static enum wrong
try_call(const struct call *c, int32_t *r)
{
	struct view before;

	before.interference = MY_SLOT->interference;
	take_view(&before, c);
	*r = make_call(c);
	if (MY_SLOT->damaged)
		return NOTHING_WRONG;
	if (!is_result_good(c, *r))
		return WRONG_RESULT;
	bool good = are_mappings_good(c, *r, &before);
	if (before.interference % 2 || before.interference != MY_SLOT->interference)
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
		if (is_suicide(&c))
			MY_SLOT->leaves = 1;
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
	MY_SLOT->leaves = 1;
}

// ---- Looking after children ----

// Add to our counts what a child has done since.
static void
take_calls(struct child *c)
{
	volatile struct slot *slot = slot_of(c);

	if (c->kind == NONSENSE)
		return;
	uint32_t calls = slot->counts.calls - c->calls_seen;
	if (calls > 0)
		c->runs_seen = env_of(c->id)->env_runs;
	counts.calls += calls;
	c->calls_seen += calls;
	if (slot->wrong)
		tell_wrong(slot->wrong, &slot->call, slot->result);
	slot->wrong = 0;
}

static void
bury(struct child *c)
{
	volatile struct slot *slot = slot_of(c);

	take_calls(c);
	if (c->kind == PARENT) {
		counts.children += slot->counts.children;
		counts.killed += slot->counts.killed;
		counts.cpus |= slot->counts.cpus;
	}
	if (!c->doomed && (c->kind == NONSENSE || !slot->leaves))
		counts.killed++;
	if (c->kind == PARENT && !slot->leaves)
		cprintf("fuzz: WRONG: %08x, a parent, has been ended\n", c->id);
	c->id = 0;
}

static void
destroy(struct child *c)
{
	c->doomed = sys_env_destroy(c->id) == 0;
}

// Make a call with a child as its victim, and see what it does to our own mappings.
static int32_t
attack(struct child *c, const struct call *call)
{
	struct view before;

	take_view(&before, call);
	slot_of(c)->interference++;
	int32_t r = make_call(call);
	slot_of(c)->interference++;
	if (!are_parents_mappings_good(call, r, &before))
		tell_wrong(WRONG_MAPPINGS, call, r);
	return r;
}

// Do something about a child that is not runnable.
static void
wake(struct child *c)
{
	switch (c->kind == PARENT ? 0 : below(4)) {
	case 0:
	case 1:
		sys_env_set_status(c->id, ENV_RUNNABLE);
		break;
	case 2:
		attack(c, &(struct call){
			      SYS_ipc_try_send, { c->id, random(), any_page(), any_perm() } });
		break;
	default:
		destroy(c);
	}
}

static void
look_after(struct child *c, bool closing)
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
		bury(c);
	else if (c->doomed)
		return;
	else if (e->env_status == ENV_NOT_RUNNABLE)
		wake(c);
	else if (c->kind == PARENT)
		slot_of(c)->stop = closing;
	else if (closing || e->env_runs - c->runs_seen > patience[c->kind])
		destroy(c);
}

// ---- Children as victims ----

// A call that does something with a child, and nothing with our own memory but let a child
// have a page of AREA. False: another one.
static bool
turn_against(struct call *call, const struct child *c)
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
harass(struct child *c)
{
	struct call call = any_call();

	if (c->id == 0 || c->doomed || !turn_against(&call, c))
		return;
	if (c->kind == CALLER && is_dangerous(&call))
		slot_of(c)->damaged = 1;
	int32_t r = attack(c, &call);
	counts.calls++;
	// Whether it is still there, or receives, we cannot know.
	int32_t deserved = 0;
	for (int i = 0; i < MAX_CALL_ARGS; i++) {
		if (is_argument_bad(call_table[call.number].kinds[i], call.args[i]))
			deserved = -E_INVAL;
	}
	bool good = deserved && call.number != SYS_ipc_try_send
			? r == deserved || r == -E_BAD_ENV
			: r == 0 || r == -E_BAD_ENV || r == -E_INVAL || r == -E_NO_MEM ||
			      r == -E_IPC_NOT_RECV;
	if (!good)
		tell_wrong(WRONG_RESULT, &call, r);
}

// ---- A parent ----

// What a parent needs before it has children. False: there is no memory for it.
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

static bool
look_after_all(bool closing)
{
	bool any = false;

	for (int i = 0; i < MAX_CHILDREN; i++) {
		look_after(&children[i], closing);
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
		look_after_all(false);
		for (int i = below(8); i > 0; i--)
			harass(&PICK(children));
		if (depth > 0)
			*(struct counts *)&MY_SLOT->counts = counts;
	}
	while (look_after_all(true))
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
	MY_SLOT->leaves = 1;
}

static void
begin_child(void)
{
	thisenv = &envs[ENVX(sys_getenvid())];
	random_state = born_with;
	if (born_as == CALLER)
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
	// Children get a copy of our floating-point state with exofork. Later, when there is no
	// memory for it, to use it for the first time would be the end of us.
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
