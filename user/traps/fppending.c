// An unmasked x87 exception stays pending in the FPU until the next waiting x87 instruction. Here,
// environments leave the CPU with a pending exception, in each way in which an environment can
// leave a CPU. Other environments must not get this exception: each must find its own registers and
// its own pending exception.
//
// On CPUs without FXSR, the kernel loads a state by a waiting instruction, frstor.

#include <user/common/testing.h>

#define CONTROL_DIVIDE 0x037B // Of the x87: division by zero is not masked

static uint32_t handled;

// Divide by zero. The exception is pending afterwards.
static void
make_pending(void)
{
	static const uint16_t control = CONTROL_DIVIDE;

	__asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp" : : "m"(control));
}

static void
handler(struct UTrapframe *utf)
{
	if (utf->utf_fault_va != T_FPERR)
		panic("vector %u", utf->utf_fault_va);
	handled++;
	__asm__ volatile("fnclex");
}

// Compute with the x87, while other environments run.
static void
compute(void)
{
	uint32_t sum = 0;

	__asm__ volatile("fninit; fldz");
	for (int i = 0; i < 10; i++) {
		__asm__ volatile("fld1; faddp");
		sys_yield();
	}
	__asm__ volatile("fistpl %0" : "=m"(sum));
	if (sum != 10)
		panic("the x87 counted to %u, not 10", sum);
}

static void
leave_by_exit(void)
{
	make_pending();
}

static void
leave_by_fault(void)
{
	make_pending();
	__asm__ volatile("ud2");
}

static void
leave_by_exception(void)
{
	make_pending();
	__asm__ volatile("fwait");
}

static void
leave_by_yield(void)
{
	must(set_exception_handler(T_FPERR, handler), "set_exception_handler");
	make_pending();
	for (int i = 0; i < 10; i++)
		sys_yield();
	if (handled)
		panic("the exception was handled too early");
	__asm__ volatile("fwait");
	if (handled != 1)
		panic("%u exceptions were handled, not 1", handled);
}

// exofork copies the pending exception too.
static void
leave_by_fork(void)
{
	must(set_exception_handler(T_FPERR, handler), "set_exception_handler");
	make_pending();
	envid_t child = must_fork();
	__asm__ volatile("fwait");
	if (handled != 1)
		panic("%u exceptions were handled, not 1", handled);
	if (child > 0)
		wait_until_gone(child);
}

void
umain(int argc, char **argv)
{
	static void (*const ways[])(void) = { leave_by_exit, leave_by_fault, leave_by_exception,
		leave_by_yield, leave_by_fork };
	envid_t children[2 * ARRAY_SIZE(ways)];

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = must_fork();
		if (children[i] == 0) {
			ways[i % ARRAY_SIZE(ways)]();
			exit();
		}
		compute();
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		wait_until_gone(children[i]);
	compute();
	cprintf("fppending: ok\n");
}
