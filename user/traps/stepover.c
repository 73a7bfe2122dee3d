// Stops at a breakpoint. tests/kernel/test_step.py steps through the instructions that follow,
// whose labels it knows: ordinary instructions, flags on the stack, a system call, a page fault
// with a handler. Without steps, the program works as well.

#include <user/common/testing.h>

#define NO_SYSCALL 1000
#define FAULT_VA   0x20000000

static void
handler(struct UTrapframe *utf)
{
	must(sys_page_alloc(0, (void *)FAULT_VA, PTE_P | PTE_U | PTE_W), "sys_page_alloc");
}

void
umain(int argc, char **argv)
{
	uint32_t pushed, kept, result;

	set_pgfault_handler(handler);
	__asm__ volatile(
	    "step_0: int3\n"
	    "step_1: nop\n"
	    "step_2: pushfl\n"
	    "step_3: popl %0\n"
	    "step_4: pushfl\n"
	    "step_5: popfl\n"
	    "step_6: movl %3, %%eax\n"
	    "step_7: int %4\n"
	    "step_8: movl %%eax, %2\n"
	    "step_9: incl %5\n"
	    "step_10: pushfl\n"
	    "step_11: popl %1\n"
	    "step_12: nop\n"
	    : "=&b"(pushed), "=&S"(kept), "=&D"(result)
	    : "i"(NO_SYSCALL), "i"(T_SYSCALL), "m"(*(uint32_t *)FAULT_VA)
	    : "eax", "cc", "memory");
	if ((pushed | kept) & FL_TF)
		panic("the trap flag is visible: %x %x", pushed, kept);
	if ((int)result != -E_INVAL || *(uint32_t *)FAULT_VA != 1)
		panic("result %d, word %u", result, *(uint32_t *)FAULT_VA);
	cprintf("stepover: ok\n");
}
