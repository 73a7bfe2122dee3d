// Recovers from invalid opcodes: the handler emulates an instruction. In this program, ud2 and a
// byte after it mean: load the byte into eax.

#include <user/common/testing.h>

#define TIMES    1000
#define UD2_SIZE 2

static volatile uint32_t handled;

static void
handler(struct UTrapframe *utf)
{
	const uint8_t *code = (const uint8_t *)utf->utf_eip;

	if (utf->utf_fault_va != T_ILLOP || utf->utf_err != 0)
		panic("vector %d, err %x", utf->utf_fault_va, utf->utf_err);
	if (code[0] != 0x0F || code[1] != 0x0B)
		panic("invalid opcode %02x %02x at %08x", code[0], code[1], utf->utf_eip);
	handled++;
	utf->utf_regs.reg_eax = code[UD2_SIZE];
	utf->utf_eip += UD2_SIZE + 1;
}

static uint32_t
execute_ud2(void)
{
	uint32_t number;

	__asm__ volatile("ud2; .byte 42" : "=a"(number));
	return number;
}

static void
recover(void)
{
	handled = 0;
	for (int i = 0; i < TIMES; i++) {
		uint32_t number = execute_ud2();
		if (number != 42)
			panic("eax is %u, not 42", number);
	}
	assert(handled == TIMES);
	cprintf("[%08x] recovered from %u invalid opcodes\n", sys_getenvid(), handled);
}

static void
provoke(void)
{
	execute_ud2();
}

void
umain(int argc, char **argv)
{
	try_handler(T_ILLOP, handler, recover, provoke);
}
