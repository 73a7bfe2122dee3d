// In virtual-8086 mode, QEMU's iret gives a program flags that no program may have. With each of
// these flags, this program tries each way to enter the kernel from that mode. The kernel must
// either destroy the environment, or return to it with IF set and IOPL 0, so that it cannot use I/O
// ports.
//
// A child makes each attempt. If it survives, it stores in *survived whether its flags are allowed.

#include "vm86.h"

#define ALL_FLAGS        (FL_NT | FL_AC | FL_DF | FL_OF | FL_RF | FL_VIF | FL_VIP | FL_ID)
#define PORT_INSTRUCTION 2 // Length of inb and outb with a constant port
#define CODE_SIZE        5 // Longest code that is tried

enum { ENDED, BACK, WRONG };

// In a page that the parent and its children share
static volatile uint32_t *const survived = (void *)0x20000000;

static volatile uint32_t refused; // I/O instructions

static void
ignore_step(struct UTrapframe *utf)
{
}

static void
skip_port_instruction(struct UTrapframe *utf)
{
	uint8_t opcode = *(const uint8_t *)utf->utf_eip;

	if (opcode != 0xE4 && opcode != 0xE6)
		exit();
	utf->utf_eip += PORT_INSTRUCTION;
	refused++;
}

// With SMAP, QEMU reads the stack words of this iret as kernel accesses, which is a page fault.
static void
leave(struct UTrapframe *utf)
{
	exit();
}

// Whether a program may have these flags, and cannot use I/O ports.
static bool
is_harmless(uint32_t eflags)
{
	refused = 0;
	__asm__ volatile("inb $0x71, %%al; outb %%al, $0x80" : : : "eax");
	return refused == 2 && (eflags & (FL_VM | FL_IOPL_MASK | FL_IF)) == FL_IF;
}

// Let a child execute code with these flags and eax. Returns ENDED or BACK.
static uint32_t
try(const char *code, uint32_t eax, uint32_t flags)
{
	struct vm86_result result;

	*survived = ENDED;
	envid_t child = must_fork();
	if (child == 0) {
		set_pgfault_handler(leave);
		vm86_set_code(code, CODE_SIZE);
		vm86_enter(eax, FL_VM | flags, &result);
		*survived = is_harmless(result.eflags) ? BACK : WRONG;
		exit();
	}
	wait_until_gone(child);
	if (*survived == WRONG)
		panic("code %02x %02x, eax %x, flags %x: returned with forbidden flags",
		    (uint8_t)code[0], (uint8_t)code[1], eax, flags);
	return *survived;
}

// System calls by sysenter, with each flag, and with all flags
static void
try_sysenter(void)
{
	static const char sysenter[CODE_SIZE + 1] = "\x0F\x34";
	static const uint32_t calls[] = { SYS_getenvid, SYS_yield, SYS_env_set_status, ~0U };
	static const uint32_t others[] = { 0, FL_TF, FL_NT, FL_AC, FL_DF, FL_OF, FL_RF, FL_VIF,
		FL_VIP, FL_ID, ALL_FLAGS };
	uint32_t back = 0, ended = 0;

	for (uint32_t flags = 0; flags <= FL_IOPL_3; flags += FL_IOPL_1) {
		for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
			for (size_t j = 0; j < 2 * ARRAY_SIZE(calls); j++) {
				uint32_t all = flags | others[i] | (j % 2 ? FL_IF : 0);
				if (try(sysenter, calls[j / 2], all) == BACK)
					back++;
				else
					ended++;
			}
		}
	}
	cprintf("vm86flags: sysenter: %u came back, %u ended\n", back, ended);
}

static const char ways[][CODE_SIZE + 1] = {
	"\xCD\x30\x0F\x34",     // int $T_SYSCALL; sysenter
	"\xFA\xCD\x30\x0F\x34", // cli; int $T_SYSCALL; sysenter
	"\xCD\x30\xEB\xFC",     // int $T_SYSCALL, in a loop
	"\xCC\x0F\x34",         // int3; sysenter
	"\xCE\x0F\x34",         // into; sysenter
	"\xE4\x71\x0F\x34",     // inb $0x71, %al; sysenter
	"\xE6\x80\x0F\x34",     // outb %al, $0x80; sysenter
	"\xFA\xE4\x71\x0F\x34", // cli; inb $0x71, %al; sysenter
	"\xF4\x0F\x34",         // hlt; sysenter
	"\x0F\x0B",             // ud2
};

// All other ways end the child, if the CPU has let it enter the mode.
static void
try_other_ways(void)
{
	static const uint32_t calls[] = { SYS_getenvid, SYS_yield, SYS_env_set_status };
	uint32_t back = 0, ended = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		for (uint32_t bits = 0; bits < 8; bits++) {
			uint32_t flags = (bits & 1 ? FL_IF : 0) | (bits & 2 ? FL_IOPL_3 : 0) |
					 (bits & 4 ? ALL_FLAGS : FL_OF);
			uint32_t call = calls[bits % ARRAY_SIZE(calls)];
			if (try(ways[i], call, flags) == BACK)
				back++;
			else
				ended++;
		}
	}
	cprintf("vm86flags: other ways: %u came back, %u ended\n", back, ended);
}

void
umain(int argc, char **argv)
{
	share_memory((void *)survived, PGSIZE);
	must(set_exception_handler(T_DEBUG, ignore_step), "set_exception_handler");
	must(set_exception_handler(T_GPFLT, skip_port_instruction), "set_exception_handler");
	vm86_prepare();
	if (!is_harmless(read_eflags()))
		panic("forbidden flags at the start");
	if (has_sysenter())
		try_sysenter();
	try_other_ways();
	cprintf("vm86flags: ok\n");
}
