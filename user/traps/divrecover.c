// Recovers from divide errors: the handler changes the divisor in the register, and the division is
// executed again.

#include <user/common/testing.h>

#define TIMES 1000

static volatile uint32_t handled;

static void
handler(struct UTrapframe *utf)
{
	if (utf->utf_fault_va != T_DIVIDE || utf->utf_err != 0)
		panic("vector %d, err %x", utf->utf_fault_va, utf->utf_err);
	handled++;
	utf->utf_regs.reg_ecx = 2;
}

// Divide by ecx, which the handler sets to 2.
static void
divide(uint32_t high, uint32_t low, uint32_t divisor)
{
	uint32_t quotient = low, remainder = high;

	__asm__ volatile("divl %%ecx" : "+a"(quotient), "+d"(remainder), "+c"(divisor) : : "cc");
	uint64_t check = (uint64_t)quotient * divisor + remainder;
	if (divisor != 2 || check != ((uint64_t)high << 32 | low))
		panic("%x:%x / %x is not %x", high, low, divisor, quotient);
}

static void
recover(void)
{
	handled = 0;
	for (uint32_t i = 0; i < TIMES; i++)
		divide(0, i, 0);
	divide(1, 0, 1); // The quotient has 33 bits: this is a divide error too.
	assert(handled == TIMES + 1);
	cprintf("[%08x] recovered from %u divide errors\n", sys_getenvid(), handled);
}

static void
provoke(void)
{
	divide(0, 1, 0);
}

void
umain(int argc, char **argv)
{
	try_handler(T_DIVIDE, handler, recover, provoke);
}
