// Recovers from general protection faults: the handler continues after the instruction that
// faulted. The instructions are for the kernel only, or use a wrong segment or vector, which is
// then in the error code.

#include <user/common/testing.h>

#define TIMES 200

static volatile uint32_t handled, last_err;
static uintptr_t resume_at;

static void
handler(struct UTrapframe *utf)
{
	if (utf->utf_fault_va != T_GPFLT)
		panic("vector %d, err %x", utf->utf_fault_va, utf->utf_err);
	handled++;
	last_err = utf->utf_err;
	utf->utf_eip = resume_at;
}

// Execute an instruction that must fault with this error code. This is a macro, because the
// instruction is a part of the assembly string.
#define MUST_FAULT(instruction, err)                                                              \
	do {                                                                                      \
		uint32_t before_ = handled;                                                       \
		__asm__ volatile(                                                                 \
		    "movl $1f, %0\n"                                                              \
		    "\t" instruction "\n1:"                                                       \
		    : "=m"(resume_at)                                                             \
		    :                                                                             \
		    : "eax", "edx", "memory", "cc");                                              \
		if (handled != before_ + 1 || last_err != (err))                                  \
			panic("%s: %u faults, err %x", instruction, handled - before_, last_err); \
	} while (0)

static void
recover(void)
{
	handled = 0;
	for (int i = 0; i < TIMES; i++) {
		MUST_FAULT("hlt", 0);
		MUST_FAULT("cli", 0);
		MUST_FAULT("inb $0x60, %%al", 0);
		MUST_FAULT("movl %%cr3, %%eax", 0);
		MUST_FAULT("movw $0x28, %%ax; movw %%ax, %%ds", 0x28);
		MUST_FAULT("movw $0xFFFF, %%ax; movw %%ax, %%es", 0xFFFC);
		MUST_FAULT("int $14", 14 * 8 + 2);
	}
	assert(handled == 7 * TIMES);
	cprintf("[%08x] recovered from %u general protection faults\n", sys_getenvid(), handled);
}

static void
provoke(void)
{
	__asm__ volatile("hlt");
}

void
umain(int argc, char **argv)
{
	try_handler(T_GPFLT, handler, recover, provoke);
}
