// Tests floating point, with SSE (user/Makefrag has the flag for this program) and with the x87.
// Each environment has its own registers and rounding mode, while other environments compute, and
// when it moves to another CPU. A new environment starts with clean registers, a child of fork with
// its parent's registers. An x87 exception reaches its handler.
//
// The computation is chaotic: one wrong bit changes the result completely. The results are
// compared, bit by bit, with those of the same computation when no other environment computed.

#include <user/common/testing.h>

#define WORKERS  8
#define TURNS    8    // Turns of a worker while it computes, at least
#define STEPS    5000 // Of a computation
#define X87_SIZE 10   // Bytes of a long double that hold its value

#define CONTROL_DEFAULT 0x037F // x87 control word: all exceptions masked
#define CONTROL_DIVIDE  0x0004 // x87 control word: division by zero masked
#define MXCSR_DEFAULT   0x1F80
#define CPUID_EDX_SSE2  (1 << 26)
#define STACK_ALIGNMENT 16 // GCC relies on this alignment.

// The format of fxsave: Intel, volume 1, section 10.5.1.
struct fxsave_area {
	uint16_t control, status;
	uint8_t tags, reserved1; // tags: one bit for each register that is in use
	uint16_t opcode;
	uint32_t instruction[2], operand[2];
	uint32_t mxcsr, mxcsr_mask;
	uint8_t st[8][16];
	uint8_t xmm[8][16];
	uint8_t reserved2[224];
} __attribute__((aligned(16)));
static_assert(sizeof(struct fxsave_area) == 512);

struct results {
	double sse[2];
	uint8_t x87[3][X87_SIZE];
};

// In a page that all environments share
static struct {
	struct fxsave_area childs;
	struct results alone[WORKERS];
	volatile bool good[WORKERS];
} *const shared = (void *)0x10000000;

static inline void
read_state(struct fxsave_area *state)
{
	__asm__ volatile("fxsave %0" : "=m"(*state));
}

// ---- The registers of a new environment ----

static bool
all_zero(const void *start, size_t size)
{
	const uint8_t *bytes = start;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static void
check_clean(const struct fxsave_area *state)
{
	if (state->control != CONTROL_DEFAULT || state->status != 0 || state->tags != 0 ||
	    state->mxcsr != MXCSR_DEFAULT)
		panic("not clean: control %04x, status %04x, tags %02x, mxcsr %08x", state->control,
		    state->status, state->tags, state->mxcsr);
	if (!all_zero(state->st, sizeof(state->st)) || !all_zero(state->xmm, sizeof(state->xmm)))
		panic("not clean: a register is not 0");
	cprintf("[%08x] floats: began with clean registers\n", sys_getenvid());
}

// Load a value into each register.
static inline void
fill_registers(void)
{
	static const uint16_t control = 0x0B7F; // Round up.
	static const uint32_t mxcsr = 0x3F80;   // Round down.

	__asm__ volatile(
	    "fldcw %0; ldmxcsr %1\n\t"
	    "fldpi; fldl2e; fldl2t; fldlg2; fldln2; fld1; fldpi; fldl2e\n\t"
	    "movd %%esp, %%xmm0; pshufd $0, %%xmm0, %%xmm0\n\t"
	    "movdqa %%xmm0, %%xmm1; paddd %%xmm0, %%xmm1\n\t"
	    "movdqa %%xmm1, %%xmm2; paddd %%xmm0, %%xmm2\n\t"
	    "movdqa %%xmm2, %%xmm3; paddd %%xmm0, %%xmm3\n\t"
	    "movdqa %%xmm3, %%xmm4; paddd %%xmm0, %%xmm4\n\t"
	    "movdqa %%xmm4, %%xmm5; paddd %%xmm0, %%xmm5\n\t"
	    "movdqa %%xmm5, %%xmm6; paddd %%xmm0, %%xmm6\n\t"
	    "movdqa %%xmm6, %%xmm7; paddd %%xmm0, %%xmm7"
	    :
	    : "m"(control), "m"(mxcsr)
	    : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
}

static inline void
reset_registers(void)
{
	static const uint32_t mxcsr = MXCSR_DEFAULT;

	__asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

// This compares the registers after fork, because fork itself is compiled without SSE and the x87.
static void
try_fork(void)
{
	static struct fxsave_area before, after;

	fill_registers();
	read_state(&before);
	envid_t child = fork();
	if (child == 0) {
		read_state(&shared->childs);
		exit();
	}
	read_state(&after);
	reset_registers();
	must(child, "fork");
	wait_until_gone(child);
	if (memcmp(&before, &after, sizeof(before)) != 0)
		panic("fork changed the parent's registers");
	if (memcmp(&before, &shared->childs, sizeof(before)) != 0)
		panic("fork did not copy the registers");
	cprintf("floats: fork copied the registers\n");
}

// ---- Computing ----

// Set one of the four rounding modes, in both units.
static void
set_rounding(uint32_t way)
{
	uint16_t control = CONTROL_DEFAULT | way << 10;
	uint32_t mxcsr = MXCSR_DEFAULT | way << 13;

	__asm__ volatile("fldcw %0; ldmxcsr %1" : : "m"(control), "m"(mxcsr) : "memory");
}

// Compute the logistic map. Each worker has its own starting points and rounding mode.
static __attribute__((noinline)) void
compute(int worker, struct results *r)
{
	double a = (worker + 1) / 64.0, b = a + 0.25; // Exact in all rounding modes
	long double x = a, y = b, z = a + 0.5;

	set_rounding(worker % 4);
	for (int step = 0; step < STEPS; step++) {
		a = 3.99 * a * (1 - a);
		b = 3.98 * b * (1 - b);
		x = 3.99L * x * (1 - x);
		y = 3.98L * y * (1 - y);
		z = 3.97L * z * (1 - z);
	}
	memset(r, 0, sizeof(*r));
	r->sse[0] = a;
	r->sse[1] = b;
	memcpy(r->x87[0], &x, X87_SIZE);
	memcpy(r->x87[1], &y, X87_SIZE);
	memcpy(r->x87[2], &z, X87_SIZE);
}

static void
work(int worker)
{
	uint32_t until = thisenv->env_runs + TURNS;
	struct results r;
	bool good = true;

	do {
		compute(worker, &r);
		good &= memcmp(&r, &shared->alone[worker], sizeof(r)) == 0;
	} while (thisenv->env_runs < until);
	shared->good[worker] = good;
}

static void
try_workers(void)
{
	envid_t workers[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		compute(i, &shared->alone[i]);
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = must_fork();
		if (workers[i] == 0) {
			work(i);
			exit();
		}
	}
	for (int i = 0; i < WORKERS; i++) {
		wait_until_gone(workers[i]);
		if (!shared->good[i])
			panic("%08x computed other results than alone", workers[i]);
	}
	cprintf("floats: %d environments computed what each had computed alone\n", WORKERS);
}

// ---- The stack, and exceptions ----

// Code that is compiled for SSE relies on the alignment of the stack, also in handlers.
static __attribute__((noinline)) void
check_stack(const char *where)
{
	uint8_t local[STACK_ALIGNMENT] __attribute__((aligned(STACK_ALIGNMENT)));
	uint8_t *volatile at = local; // volatile: otherwise the compiler assumes the alignment.

	if ((uintptr_t)at % STACK_ALIGNMENT != 0)
		panic("the stack is not aligned %s: %p", where, at);
}

static volatile uint32_t handled;

static void
handler(struct UTrapframe *utf)
{
	check_stack("in a handler");
	if (utf->utf_fault_va != T_FPERR)
		panic("vector %d", utf->utf_fault_va);
	handled++;
	reset_registers();
}

static void
pgfault_handler(struct UTrapframe *utf)
{
	check_stack("in a page-fault handler");
	handled++;
	must(sys_page_alloc(0, ROUNDDOWN((void *)utf->utf_fault_va, PGSIZE), PERM_WRITE),
	    "sys_page_alloc");
}

static void
try_exceptions(void)
{
	uint16_t control = CONTROL_DEFAULT & ~CONTROL_DIVIDE;

	must(set_exception_handler(T_FPERR, handler), "set_exception_handler");
	__asm__ volatile("fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(control));
	set_pgfault_handler(pgfault_handler);
	*(volatile int *)0xA0000000 = 0;
	if (handled != 2)
		panic("%u exceptions were handled, not 2", handled);
	cprintf("floats: exceptions were handled\n");
}

// Not inlined into umain: the compiler could use FPU registers before umain has read them.
static __attribute__((noinline)) void
try_all(void)
{
	share_memory(shared, sizeof(*shared));
	check_stack("in umain");
	try_fork();
	try_workers();
	try_exceptions();
}

void
umain(int argc, char **argv)
{
	static struct fxsave_area first;
	uint32_t features;

	read_state(&first); // Before the compiler uses any of the registers.
	cpuid(1, NULL, NULL, NULL, &features);
	if (!(features & CPUID_EDX_SSE2))
		panic("this CPU has no SSE2");
	check_clean(&first);
	try_all();
}
