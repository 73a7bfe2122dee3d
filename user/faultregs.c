// Loads each register with a different value, sets each flag that a program may set, and causes a
// page fault. The registers are checked twice: in the UTrapframe that the handler gets, and after
// the return from the handler. Then the whole test is repeated with each bit inverted.

#include <inc/lib.h>

#define PROBE 0xA0000000 // The address of the fault

#define FLAGS (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_DF | FL_OF | FL_NT | FL_AC | FL_ID)
// Bit 1 is always set. Interrupts stay as they are: on, or off before exercise 13 is answered.
#define FLAGS_ALWAYS ((read_eflags() & FL_IF) | 0x2)

#define STACK_WORDS 64

struct state {
	struct PushRegs regs; // reg_oesp is not used.
	uintptr_t eip;
	uint32_t eflags;
	uintptr_t esp;
};

// The assembly below uses these offsets.
static_assert(offsetof(struct state, eflags) == 36);
static_assert(offsetof(struct state, esp) == 40);

static struct state wanted, in_frame, afterwards;
static uint32_t other_stack[STACK_WORDS], our_esp;
static bool mismatch_in_frame, mismatch_afterwards;

extern const char faulting_instruction[], next_instruction[];

// Load `wanted` into the registers, cause a page fault, and store the registers in `afterwards`.
// Between loading and storing the flags, only mov is used, because mov does not change them.
static __attribute__((noinline)) void
fault_with_wanted_registers(void)
{
	__asm__ volatile(
	    "pushal\n\t"
	    "pushfl\n\t"
	    "movl %%esp, %c[our_esp]\n\t"
	    "movl %c[wanted] + 40, %%esp\n\t"
	    "pushl %c[wanted] + 36\n\t"
	    "popfl\n\t"
	    "movl %c[wanted] + 0, %%edi\n\t"
	    "movl %c[wanted] + 4, %%esi\n\t"
	    "movl %c[wanted] + 8, %%ebp\n\t"
	    "movl %c[wanted] + 16, %%ebx\n\t"
	    "movl %c[wanted] + 20, %%edx\n\t"
	    "movl %c[wanted] + 24, %%ecx\n\t"
	    "movl %c[wanted] + 28, %%eax\n"
	    "faulting_instruction:\n\t"
	    "movb $1, %c[probe]\n"
	    "next_instruction:\n\t"
	    "movl %%edi, %c[after] + 0\n\t"
	    "movl %%esi, %c[after] + 4\n\t"
	    "movl %%ebp, %c[after] + 8\n\t"
	    "movl %%ebx, %c[after] + 16\n\t"
	    "movl %%edx, %c[after] + 20\n\t"
	    "movl %%ecx, %c[after] + 24\n\t"
	    "movl %%eax, %c[after] + 28\n\t"
	    "movl $next_instruction, %c[after] + 32\n\t"
	    "movl %%esp, %c[after] + 40\n\t"
	    "pushfl\n\t"
	    "popl %c[after] + 36\n\t"
	    "movl %c[our_esp], %%esp\n\t"
	    "popfl\n\t"
	    "popal"
	    :
	    : [wanted] "i"(&wanted), [after] "i"(&afterwards), [our_esp] "i"(&our_esp),
	    [probe] "i"(PROBE)
	    : "memory", "cc");
}

static void
handler(struct UTrapframe *utf)
{
	int r;

	if (read_eflags() & FL_DF)
		panic("the direction flag is set in the handler: C code needs it clear");
	if (utf->utf_fault_va != PROBE)
		panic("page fault at va %08x, eip %08x", utf->utf_fault_va, utf->utf_eip);
	in_frame = (struct state){ utf->utf_regs, utf->utf_eip, utf->utf_eflags, utf->utf_esp };
	in_frame.eflags &= ~FL_RF; // The CPU sets RF in the flags that it pushes: Intel, 17.3.1.1.
	r = sys_page_alloc(0, (void *)PROBE, PTE_P | PTE_U | PTE_W);
	if (r < 0)
		panic("sys_page_alloc: %e", r);
}

// Print which registers differ. Returns whether any register differs.
static bool
differs(const char *where, const struct state *got, uintptr_t eip)
{
	const struct {
		const char *name;
		uint32_t got, wanted;
	} registers[] = {
#define REG(name) { #name, got->regs.reg_##name, wanted.regs.reg_##name }
		REG(edi),
		REG(esi),
		REG(ebp),
		REG(ebx),
		REG(edx),
		REG(ecx),
		REG(eax),
#undef REG
		{ "eip", got->eip, eip },
		{ "eflags", got->eflags, wanted.eflags },
		{ "esp", got->esp, wanted.esp },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		if (registers[i].got == registers[i].wanted)
			continue;
		cprintf("%s: %s is %08x, not %08x\n", where, registers[i].name, registers[i].got,
		    registers[i].wanted);
		any = true;
	}
	return any;
}

// xor with 0 keeps all bits; xor with all ones inverts them.
static void
try(uint32_t invert)
{
	wanted.regs = (struct PushRegs){
		.reg_edi = 0x01234567 ^ invert,
		.reg_esi = 0x89ABCDEF ^ invert,
		.reg_ebp = 0xDEADBEE5 ^ invert,
		.reg_ebx = 0x5A5AA5A5 ^ invert,
		.reg_edx = 0x00FF00FF ^ invert,
		.reg_ecx = 0x13579BDF ^ invert,
		.reg_eax = 0x02468ACE ^ invert,
	};
	wanted.eflags = (FLAGS & ~invert) | FLAGS_ALWAYS;
	wanted.esp = (uintptr_t)&other_stack[invert ? STACK_WORDS / 2 : STACK_WORDS];

	memset(&in_frame, 0, sizeof(in_frame));
	sys_page_unmap(0, (void *)PROBE);
	fault_with_wanted_registers();
	mismatch_in_frame |=
	    differs("in the UTrapframe", &in_frame, (uintptr_t)faulting_instruction);
	mismatch_afterwards |=
	    differs("after the page fault", &afterwards, (uintptr_t)next_instruction);
}

void
umain(int argc, char **argv)
{
	set_pgfault_handler(handler);
	try(0);
	try(~0U);
	cprintf("Registers in UTrapframe %s\n", mismatch_in_frame ? "MISMATCH" : "OK");
	cprintf("Registers after page-fault %s\n", mismatch_afterwards ? "MISMATCH" : "OK");
}
