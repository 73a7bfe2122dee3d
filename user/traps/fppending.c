// An x87 exception that is not masked stays pending in the floating-point unit until the next
// x87 instruction that waits. Environments that leave one there, in each way of leaving a CPU,
// disturb no other: each finds its own registers, and its own pending exception.
//
// On CPUs without FXSR, the kernel loads a state by such an instruction, frstor.

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

// Compute something with the x87, while others run.
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
leave_by_death(void)
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
leave_for_a_while(void)
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

// exofork copies the pending exception, too.
static void
leave_as_two(void)
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
	static void (*const ways[])(void) = { leave_by_exit, leave_by_death, leave_by_exception,
		leave_for_a_while, leave_as_two };
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
