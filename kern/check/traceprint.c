// Print records of the trace (trace.c): the monitor's command `trace`, and the last records of a
// CPU that panics.

#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/syscall.h>
#include <inc/trap.h>

#include <kern/check/arguments.h>
#include <kern/check/commands.h>
#include <kern/check/kdebug.h>
#include <kern/check/trace.h>
#include <kern/cpu.h>
#include <kern/probe.h>

#define SHOWN       20 // Records that `trace` prints
#define PANIC_SHOWN 10 // Records that a panic prints

static const char *const kinds[] = {
	[PROBE_ENTER] = "enter",
	[PROBE_LEAVE] = "leave",
	[PROBE_LOCK_WAIT] = "lock_wait",
	[PROBE_LOCK_SLEEP] = "lock_sleep",
	[PROBE_LOCK_TAKEN] = "lock_taken",
	[PROBE_LOCK_DROP] = "lock_drop",
	[PROBE_RUN] = "run",
	[PROBE_IDLE] = "idle",
	[PROBE_HALT] = "halt",
	[PROBE_IPI] = "ipi",
	[PROBE_MESSAGE] = "message",
	[PROBE_INTERRUPT] = "interrupt",
	[PROBE_BLOCK] = "block",
	[PROBE_FORK] = "fork",
	[PROBE_DESTROY] = "destroy",
	[PROBE_FAULT] = "fault",
};

#define X(name, nargs) [SYS_##name] = #name,
static const char *const calls[] = { SYSCALLS(X) };
#undef X

#define X(number, name, text) [number] = text,
static const char *const traps[IRQ_OFFSET] = { TRAPS(X) };
#undef X

static const char *const blocks[] = {
	[BLOCK_RECEIVE] = "until a message comes",
	[BLOCK_SEND] = "until its message is received",
	[BLOCK_KEY] = "until a key is pressed",
};

// ---- One record ----

static const struct TraceRecord *
record_at(int cpu, uint32_t n)
{
	return &trace.rings[cpu].pages[n / TRACE_PAGE % trace.ring_pages][n % TRACE_PAGE];
}

static void
print_trap(uint32_t argument)
{
	uint32_t vector = argument & 0xFF, call = argument >> 8;

	if (vector == T_SYSCALL && call < ARRAY_SIZE(calls))
		cprintf(" %s", calls[call]);
	else if (vector < IRQ_OFFSET && traps[vector])
		cprintf(" %s", traps[vector]);
	else
		cprintf(" %s %u", vector == T_SYSCALL ? "call" : "vector",
		    vector == T_SYSCALL ? call : vector);
}

static void
print_argument(const struct TraceRecord *r)
{
	switch (r->kind) {
	case PROBE_ENTER:
	case PROBE_INTERRUPT:
		print_trap(r->argument);
		break;
	case PROBE_IPI:
		cprintf(" CPU %u vector %u", r->argument >> 8, r->argument & 0xFF);
		break;
	case PROBE_BLOCK:
		cprintf(" %s", blocks[r->argument]);
		break;
	case PROBE_MESSAGE:
	case PROBE_FORK:
	case PROBE_DESTROY:
	case PROBE_FAULT:
		cprintf(" %08x", r->argument);
		break;
	}
}

// Print a record. Its time is given in ticks before `last`.
static void
print_record(int cpu, const struct TraceRecord *r, uint64_t last)
{
	const char *function = r->kind == PROBE_ENTER ? NULL : kdebug_function(r->place);

	cprintf(
	    "%10lld CPU %-2d [%08x] %-10s", (int64_t)(r->time - last), cpu, r->env, kinds[r->kind]);
	print_argument(r);
	if (function)
		cprintf(" in %s\n", function);
	else
		cprintf(" at %08x\n", r->place);
}

// ---- The last records ----

// How many records of a CPU are still in its ring.
static uint32_t
kept(int cpu)
{
	return MIN(trace.rings[cpu].next, (uint32_t)(trace.ring_pages * TRACE_PAGE));
}

// The records to print: for each CPU i from `first` to `last`, the records from[i] to to[i] - 1.
struct Range {
	int first, last;
	uint32_t from[NCPU], to[NCPU];
};

// Return the CPU whose newest record outside the range is the newest; -1 if no ring has another.
static int
newest_cpu(const struct Range *range)
{
	uint64_t newest = 0;
	int cpu = -1;

	for (int i = range->first; i <= range->last; i++) {
		if (range->to[i] - range->from[i] == kept(i))
			continue;
		uint64_t time = record_at(i, range->from[i] - 1)->time;
		if (cpu < 0 || time > newest) {
			newest = time;
			cpu = i;
		}
	}
	return cpu;
}

// Return the CPU that has the oldest record in the range; -1 if the range is empty.
static int
oldest_cpu(const struct Range *range)
{
	uint64_t oldest = 0;
	int cpu = -1;

	for (int i = range->first; i <= range->last; i++) {
		if (range->from[i] == range->to[i])
			continue;
		uint64_t time = record_at(i, range->from[i])->time;
		if (cpu < 0 || time < oldest) {
			oldest = time;
			cpu = i;
		}
	}
	return cpu;
}

// Print the last `count` records of the CPUs from `first` to `last`, in the order of their times.
static void
print_last(int first, int last, uint32_t count)
{
	struct Range range = { .first = first, .last = last };
	uint64_t newest = 0;
	int cpu;

	for (int i = first; i <= last; i++)
		range.from[i] = range.to[i] = trace.rings[i].next;
	for (; count > 0 && (cpu = newest_cpu(&range)) >= 0; count--)
		newest = MAX(newest, record_at(cpu, --range.from[cpu])->time);
	cprintf("Times in ticks of the time stamp counter, before the last event:\n");
	while ((cpu = oldest_cpu(&range)) >= 0)
		print_record(cpu, record_at(cpu, range.from[cpu]++), newest);
}

static void
print_state(void)
{
	cprintf("The trace is %s.\n", probe_listeners & 1 << LISTENER_TRACE ? "on" : "off");
	for (uint32_t i = 0; i < trace.cpus; i++)
		cprintf("CPU %u: %u records, the first %u of them overwritten\n", i,
		    trace.rings[i].next, trace.rings[i].next - kept(i));
}

int
mon_trace(int argc, char **argv, struct Trapframe *tf)
{
	uint32_t count = SHOWN;

	if (argc == 2 && strcmp(argv[1], "on") == 0) {
		trace_on(TRACE_PAGES);
	} else if (argc == 2 && strcmp(argv[1], "off") == 0) {
		trace_off();
	} else if (argc > 2 || (argc == 2 && !count_argument(argv[1], &count))) {
		return COMMAND_USAGE;
	} else {
		print_state();
		print_last(0, (int)trace.cpus - 1, count);
	}
	return 0;
}

void
trace_print_panic(void)
{
	if (!trace.ring_pages)
		return;
	cprintf("The last events on this CPU. ");
	print_last(cpunum(), cpunum(), PANIC_SHOWN);
}
