// The trace writes a record of each event that a probe (kern/probe.h) reports into a ring in
// memory. Each CPU has its own ring, so no CPU waits. If a ring is full, the CPU overwrites its
// oldest record. The monitor's command `trace` and a panic print the last records (traceprint.c).
// `make trace-NAME` reads the rings from the emulator while the kernel runs (tools/see/), and
// finds the records that it has missed by their numbers.
//
// The rings are allocated when the trace is first started, so without the trace they take no
// memory. They are never freed: `trace` also prints the records after `trace off`.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/syscall.h>
#include <inc/x86.h>

#include <kern/check/audit.h>
#include <kern/check/trace.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/wait.h>

#define MAX_PAGES (PGSIZE / sizeof(struct TraceRecord *)) // The addresses fit into one page.
#define PAGES     64                                      // The default: 8192 records

#define SLICES_PER_SECOND 100
#define MAX_CALL          0xFFFFFF // A larger number of a system call is recorded as this.

struct Trace trace;

static bool in_monitor; // The big lock protects it.

// ---- Recording ----

static void
record(uint32_t kind, uint32_t env, uint32_t argument, uintptr_t place)
{
	struct TraceRing *ring = &trace.rings[cpunum()];
	uint32_t n = ring->next;

	ring->pages[n / TRACE_PAGE % trace.ring_pages][n % TRACE_PAGE] = (struct TraceRecord){
		.time = read_tsc(),
		.number = n,
		.kind = kind,
		.env = env,
		.argument = argument,
		.place = place,
	};
	// A reader that sees the new `next` must also see the record.
	__atomic_store_n(&ring->next, n + 1, __ATOMIC_RELEASE);
}

static void
record_trap(uint32_t kind, uint32_t env, const struct Trapframe *tf)
{
	uint32_t argument = tf->tf_trapno;

	if (argument == T_SYSCALL)
		argument |= MIN(tf->tf_regs.reg_eax, (uint32_t)MAX_CALL) << 8;
	record(kind, env, argument, tf->tf_eip);
}

static uint32_t
block_reason(const struct EnvQueue *queue)
{
	if (!queue)
		return BLOCK_RECEIVE;
	return queue == &cons_readers ? BLOCK_KEY : BLOCK_SEND;
}

static void
trace_event(enum ProbeKind kind, uint32_t argument, uintptr_t place)
{
	const struct Env *e = curenv;
	envid_t env = e ? e->env_id : 0;

	switch (kind) {
	case PROBE_STOP:
	case PROBE_GO:
		in_monitor = kind == PROBE_STOP;
		break;
	case PROBE_INTERRUPT:
		if (in_monitor && kernel_locked()) // A key for the monitor
			break;
		// Fall through
	case PROBE_ENTER:
		record_trap(kind, env, (const struct Trapframe *)argument);
		break;
	case PROBE_BLOCK:
		record(kind, env, block_reason((const struct EnvQueue *)argument), place);
		break;
	case PROBE_MESSAGE: // The sender may have waited, and be on no CPU.
		record(kind, envs[ENVX(argument)].env_ipc_from, argument, place);
		break;
	case PROBE_SPIN:
	case PROBE_FLUSH:
	case PROBE_FLUSHED:
		break;
	default:
		record(kind, env, argument, place);
	}
}

// ---- Starting and stopping ----

// Return a page for the rings, or NULL if there is no memory.
static void *
ring_page(void)
{
	struct PageInfo *pp = page_alloc(ALLOC_ZERO);

	if (!pp)
		return NULL;
	pp->pp_ref++;
	audit_reserve(pp);
	return page2kva(pp);
}

// Allocate the pages of a ring that are still missing. Returns false if there is no memory.
static bool
fill_ring(struct TraceRing *ring, uint32_t pages)
{
	if (!ring->pages && !(ring->pages = ring_page()))
		return false;
	for (uint32_t i = 0; i < pages; i++) {
		if (!ring->pages[i] && !(ring->pages[i] = ring_page()))
			return false;
	}
	return true;
}

// Allocate the rings, if there are none yet. Returns false if there is not enough memory. Then the
// rings keep the pages that were already allocated.
static bool
make_rings(uint32_t pages)
{
	if (trace.ring_pages)
		return true;
	if (page_free_count() <= (pages + 1) * ncpu)
		return false;
	for (int i = 0; i < ncpu; i++) {
		if (!fill_ring(&trace.rings[i], pages))
			return false;
	}
	trace.cpus = ncpu;
	trace.ticks_per_second = (uint64_t)time_slice * SLICES_PER_SECOND;
	// Last, because a reader that sees ring_pages must also see the rings (tools/see/rings.py).
	__atomic_store_n(&trace.ring_pages, pages, __ATOMIC_RELEASE);
	return true;
}

void
trace_on(uint32_t pages)
{
	if (probe_listeners & 1 << LISTENER_TRACE)
		return;
	if (!make_rings(pages)) {
		cprintf("trace: too little memory for %u pages on each CPU\n", pages);
		return;
	}
	// This CPU already has the lock. With this record, every drop of the lock follows a take.
	trace_event(PROBE_LOCK_TAKEN, 0, (uintptr_t)__builtin_return_address(0));
	probe_listen(LISTENER_TRACE, trace_event, true);
}

void
trace_off(void)
{
	probe_listen(LISTENER_TRACE, trace_event, false);
}

bool
trace_set(const char *value)
{
	long pages = TRACE_PAGES;
	char *end = (char *)value;

	if (*value == '=')
		pages = value[1] >= '1' && value[1] <= '9' ? strtol(value + 1, &end, 10) : 0;
	if ((*end && *end != ' ') || end - value > 5 || pages < 1 || pages > (long)MAX_PAGES ||
	    (pages & (pages - 1)))
		return false;
	trace_on(pages);
	return true;
}
