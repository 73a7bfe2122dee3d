// Measures how much CPU time an environment gets that computes all the time, while other
// environments do other things. The arguments are the number of time slices to run, and names of
// patterns of children (see patterns[]). For each child that computes or prints, the program prints
// its number of turns and its share of the time. tests/kernel/test_fair.py checks the shares.
//
// The program must run alone on one CPU: then the timer ticks are regular, and an environment can
// compute the time of the next tick.

#include <user/common/testing.h>

#define NO_PAGE ((void *)UTOP)
#define LINE    64 // Characters in a line
#define MOST    4  // Children in a pattern, at most

static uint32_t slices; // Number of slices that each pattern runs

// In a page that all environments share. Times are those of the time stamp counter.
static struct {
	uint64_t tick;        // The time of a tick
	uint32_t slice;       // The time from a tick to the next
	uint64_t end;         // The time at which all children stop
	envid_t ids[MOST];    // In the order of their slots
	uint32_t turns[MOST]; // Of the children that call note_run_time
	uint64_t run_time[MOST];
} *const shared = (void *)0x10000000;

// PART is what the kernel prints before it lets other environments run; `text` is much longer.
#define PART 1024
static char text[64 * PART];

static bool
is_time(uint64_t when)
{
	return (int64_t)(read_tsc() - when) >= 0;
}

// If the child had the CPU since the last call (env_runs is the same), add this time to its run
// time. Otherwise a new turn has begun: count it.
static void
note_run_time(int me)
{
	static uint32_t runs_before;
	static uint64_t before;
	uint32_t runs;
	uint64_t now;

	do {
		runs = env_of(shared->ids[me])->env_runs;
		now = read_tsc();
	} while (env_of(shared->ids[me])->env_runs != runs);
	if (runs == runs_before)
		shared->run_time[me] += now - before;
	else
		shared->turns[me]++;
	runs_before = runs;
	before = now;
}

static void
compute(int me)
{
	while (!is_time(shared->end))
		note_run_time(me);
	ipc_send(thisenv->env_parent_id, 0, NULL, 0);
}

// Compute until `left` thousandths of a slice are left before the next tick, or before the tick
// after it if fewer than `left` + 25 thousandths are left now.
static void
compute_until_tick(uint32_t left)
{
	uint64_t when = shared->tick - shared->slice / 1000 * left;

	while (is_time(when - shared->slice / 40))
		when += shared->slice;
	while (!is_time(when)) {
	}
}

static void
yield_at_once(int me)
{
	while (!is_time(shared->end))
		sys_yield();
}

static void
yield_before(uint32_t left)
{
	while (!is_time(shared->end)) {
		compute_until_tick(left);
		sys_yield();
	}
}

static void
yield_before_tick(int me)
{
	yield_before(50);
}

static void
yield_before_half(int me)
{
	yield_before(550);
}

static void
yield_after_half(int me)
{
	yield_before(450);
}

// Yield at once in every second turn, and keep the CPU as long as possible in the others.
static void
yield_every_other_time(int me)
{
	while (!is_time(shared->end)) {
		sys_yield();
		uint32_t runs = env_of(shared->ids[me])->env_runs;
		while (env_of(shared->ids[me])->env_runs == runs) {
		}
	}
}

// Try to use more than a slice: yield just before a second tick ends the turn.
static void
yield_before_second_tick(int me)
{
	while (!is_time(shared->end)) {
		compute_until_tick(50);
		compute_until_tick(50);
		sys_yield();
	}
}

// Answer each message.
static void
serve(int me)
{
	envid_t from;

	for (;;) {
		ipc_recv(&from, NULL, NULL);
		sys_ipc_send(from, 0, NO_PAGE, 0); // Ignore the error if the sender is gone.
	}
}

// Answer each message with ipc_call, which also waits for the next message.
static void
serve_by_call(int me)
{
	envid_t from;

	ipc_recv(&from, NULL, NULL);
	for (;;)
		ipc_call(from, 0, NULL, 0, &from, NULL, NULL);
}

static void
ask(int me)
{
	while (!is_time(shared->end)) {
		sys_ipc_send(shared->ids[0], 0, NO_PAGE, 0);
		ipc_recv(NULL, NULL, NULL);
	}
}

static void
ask_by_call(int me)
{
	while (!is_time(shared->end))
		ipc_call(shared->ids[0], 0, NULL, 0, NULL, NULL, NULL);
}

static void
ask_before_tick(int me)
{
	while (!is_time(shared->end)) {
		compute_until_tick(50);
		sys_ipc_send(shared->ids[0], 0, NO_PAGE, 0);
		ipc_recv(NULL, NULL, NULL);
	}
}

// Fork and exit just before the tick, so that the child continues in the same way. A fork takes a
// twentieth of a slice.
static void
exit_before_tick(int me)
{
	while (!is_time(shared->end)) {
		compute_until_tick(125);
		if (must_fork() != 0)
			exit();
	}
}

static void
print(int me)
{
	while (!is_time(shared->end)) {
		note_run_time(me);
		sys_cputs(text, PART);
	}
}

static void
print_more(int me)
{
	while (!is_time(shared->end))
		sys_cputs(text, sizeof(text));
}

struct pattern {
	const char *name;
	void (*children[MOST])(int me);
};

static const struct pattern patterns[] = {
	{ "call", { serve, compute, ask_by_call, compute } },
	{ "calls", { serve_by_call, compute, ask_by_call, compute } },
	{ "send", { serve, compute, ask, compute } },
	{ "early", { yield_at_once, compute, compute } },
	{ "before", { yield_before_half, compute, compute } },
	{ "after", { yield_after_half, compute, compute } },
	{ "save", { yield_every_other_time, compute } },
	{ "twice", { yield_after_half, yield_before_second_tick, compute } },
	{ "late", { yield_before_tick, compute } },
	{ "wait", { serve, ask_before_tick, compute } },
	{ "exit", { exit_before_tick, compute } },
	{ "print", { print, print, compute } },
	{ "text", { print_more, print_more, compute } },
};

// Wait for the next tick, and return its time. The tick ends this environment's turn even if no
// other environment is runnable.
static uint64_t
next_tick(void)
{
	uint32_t runs = thisenv->env_runs;

	while (thisenv->env_runs == runs) {
	}
	return read_tsc();
}

static void
try_pattern(const struct pattern *pattern)
{
	uint64_t tick = next_tick();

	memset(shared->turns, 0, sizeof(shared->turns));
	memset(shared->run_time, 0, sizeof(shared->run_time));
	shared->tick = next_tick();
	shared->slice = shared->tick - tick;
	shared->end = shared->tick + (uint64_t)(slices + 1) * shared->slice;
	for (int i = 0; i < MOST && pattern->children[i]; i++) {
		envid_t child = must_fork();
		if (child == 0) {
			// Wait until all children have been made.
			ipc_recv(NULL, NULL, NULL);
			pattern->children[i](i);
			exit();
		}
		shared->ids[i] = child;
	}
	for (int i = 0; i < MOST && pattern->children[i]; i++)
		ipc_send(shared->ids[i], 0, NULL, 0);
	for (int i = 0; i < MOST; i++) {
		if (pattern->children[i] == compute)
			ipc_recv(NULL, NULL, NULL);
	}
	for (int i = 0; i < MOST && pattern->children[i]; i++)
		sys_env_destroy(shared->ids[i]); // Ignore the error if the child is gone.
	for (int i = 0; i < MOST; i++) {
		if (shared->turns[i])
			cprintf("shares: %s: child %d: %u turns, %u of 1000\n", pattern->name, i,
			    shared->turns[i],
			    (uint32_t)(shared->run_time[i] / slices) / (shared->slice / 1000));
	}
}

void
umain(int argc, char **argv)
{
	share_memory(shared, sizeof(*shared));
	memset(text, '.', sizeof(text));
	for (size_t i = LINE - 1; i < sizeof(text); i += LINE)
		text[i] = '\n';
	slices = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	for (int a = 2; a < argc; a++) {
		for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
			if (strcmp(patterns[i].name, argv[a]) == 0)
				try_pattern(&patterns[i]);
		}
	}
}
