#ifndef JOS_USER_FUZZCODE_H
#define JOS_USER_FUZZCODE_H

// Random programs of one page at CODE. A page has SNIPPETS pieces of SNIPPET_SIZE bytes:
//
//	snippet 0 ...    an instruction that programs may not execute, or with odd operands; then
//			 some random bytes; then nop instructions
//	snippet PROBE    where a sysenter in virtual-8086 mode continues: checks that the program
//			 has no more rights than any other
//	snippet LAST     ends the environment, by a fault on the unmapped page below the exception
//			 stack
//	snippet HANDLER  the exception handler: continues at snippet 1, the next time at snippet 2,
//			 and so on
//
// The first snippet starts at CODE + 2, after an exofork. `int $T_SYSCALL` and sysenter are removed
// from random bytes, because they could be an exofork (see fuzzcalls.h): put_call adds calls.

#include "fuzzing.h"

#define SNIPPET_SIZE 64
#define SNIPPETS     (PGSIZE / SNIPPET_SIZE)
#define PROBE        (SNIPPETS - 3)
#define LAST         (SNIPPETS - 2)
#define HANDLER      (SNIPPETS - 1)
#define PROBE_VA     (CODE + PROBE * SNIPPET_SIZE)
#define HANDLER_VA   (CODE + HANDLER * SNIPPET_SIZE)
#define HANDLED      (UXSTACKTOP - PGSIZE) // Address of the handler's counter

// Instructions, made by the assembler: each has a length, its bytes, and padding.
#define INSTRUCTION_ROOM 23

#define I(text) "	.byte 2f - 1f\n1:	" text "\n2:	.fill 23 - (2b - 1b), 1, 0x90\n"

struct instruction {
	uint8_t len, bytes[INSTRUCTION_ROOM];
};

extern const struct instruction instructions[], instructions_end[];

// If an operand is missing, the CPU takes the random bytes that follow.
// clang-format off
__asm__(".section .rodata\n"
	"instructions:\n"
	// Instructions for the kernel only
	I("hlt") I("cli") I("sti") I("clts") I("invd") I("wbinvd") I("rsm") I("invlpg (%eax)")
	I("inb %dx, %al") I("outl %eax, %dx") I("insb") I("rep outsl") I("inb $0x64, %al")
	I("outl %eax, $0xF4") I("lgdt (%eax)") I("lidt (%eax)") I("lldt %ax") I("ltr %ax")
	I("lmsw %ax") I("movl %cr0, %eax") I("movl %eax, %cr0") I("movl %eax, %cr3")
	I("movl %eax, %cr4") I("movl %db7, %eax") I("movl %eax, %db7")
	I(".byte 0x0F, 0x20") I(".byte 0x0F, 0x22") I("wrmsr") I("rdmsr") I("rdpmc")
	I("sysexit") I(".byte 0x0F, 0x05") I(".byte 0x0F, 0x07") // syscall, sysret
	I("vmcall") I("monitor") I("mwait") I("stac") I("xgetbv") I("xsetbv")
	I(".byte 0x0F, 0x01, 0xD8") I(".byte 0x0F, 0x01, 0xF8") // vmrun, swapgs
	// Invalid: undefined opcodes, a lock prefix that is not allowed, more than 15 bytes
	I("ud2") I(".byte 0x0F, 0xB9") I(".byte 0x0F, 0xFF") I(".byte 0xD6") I(".byte 0xF0, 0x90")
	I(".byte 0xF0, 0x0F, 0xC7, 0xC8") I(".fill 16, 1, 0x66; nop") I(".byte 0x8E, 0xC8")
	I(".byte 0xC4, 0xC0") I(".byte 0x62, 0xC0") I(".byte 0xFE, 0xF8")
	// Traps (into, bound, icebp, int) and divisions
	I("movb $0x7F, %al; addb $1, %al; into") I(".byte 0x62, 0x04, 0x24") I(".byte 0xF1")
	I(".byte 0xCD") I("xorl %ecx, %ecx; divl %ecx") I("aam $0")
	// Segments
	I("movw %ax, %ds") I("movw %bx, %es") I("movw %cx, %ss") I("movw %dx, %fs")
	I("movw %si, %gs") I("popl %ds") I("popl %es") I("popl %ss") I("popl %fs") I("popl %gs")
	I("lds (%ebx), %eax") I("les (%ebx), %eax") I("lss (%ebx), %eax") I("lfs (%ebx), %eax")
	I(".byte 0x9A") I(".byte 0xEA") I("lcall *(%esp)") I("ljmp *(%esp)") I("lret") I("iret")
	I(".byte 0x66, 0xCF") I(".byte 0x66, 0xCB") I("lar %ax, %eax") I("lsl %ax, %eax")
	I("verr %ax") I("verw %ax") I("arpl %ax, %bx") I("sgdt (%eax)") I("sidt (%eax)")
	I("sldt (%eax)") I("smsw (%eax)") I("str (%eax)")
	// Jumps, stacks, strings
	I("jmp *%eax") I("call *%ebx") I("ret") I("jmp *(%ecx)") I(".byte 0xE9") I(".byte 0xC8")
	I("pushal") I("popal") I("leave") I("rep movsb") I("rep stosl") I("std; rep movsl")
	I("popl (%eax)") I("pushl (%eax)")
	// Floating point: unmasked exceptions, odd states
	I("fninit; fldcw (%esp); fldz; fld1; fdivp; fwait")
	I("pushl $0; fldcw (%esp); fldz; fldz; fdivp; fld1")
	I("pushl $0; ldmxcsr (%esp); xorps %xmm0, %xmm0; divps %xmm0, %xmm0")
	I("pushl $-1; ldmxcsr (%esp)") I("fxrstor (%eax)") I("fxsave (%eax)") I("frstor (%eax)")
	I("fnsave (%eax)") I("fldenv (%eax)") I("emms") I("fwait") I("fincstp")
	I(".byte 0x0F, 0x6F")
	"instructions_end:\n"
	".text\n");
// clang-format on

// Flags for popfl and iret; programs may not set some of them.
static const uint32_t odd_flags[] = { FL_TF, FL_NT, FL_AC, FL_DF, FL_IOPL_3, FL_VM, FL_RF,
	FL_VIF | FL_VIP, FL_ID | FL_OF, FL_TF | FL_NT | FL_AC | FL_DF, ~0U, 0, ~FL_TF,
	FL_AC | FL_NT };

// One of odd_flags, or a random combination without VM, for which there are other snippets
static inline uint32_t
any_eflags(void)
{
	return one_in(2) ? PICK(odd_flags) : random() & ((FL_ID << 1) - 1) & ~FL_VM;
}

static const uint32_t odd_selectors[] = { 0, 1, 2, 3, 4, 7, GD_KT, GD_KT | 3, GD_KD, GD_KD | 3,
	GD_UT, GD_UT | 1, GD_UT | 3, GD_UT | 4, GD_UD, GD_UD | 2, GD_UD | 3, GD_UD | 7, GD_TSS0,
	GD_TSS0 | 3, GD_TSS0 + 8, GD_TSS0 + 31 * 8 + 3, GD_TSS0 + 32 * 8, 0xFFF8, 0xFFFF };

static const uint32_t odd_addresses[] = { 0, 1, 4, CODE + 1, CODE + 0x123, CODE + PGSIZE - 1, AREA,
	AREA + 2, USTACKTOP, USTACKTOP - 2, USTACKTOP - 1, USTACKTOP + 16, UXSTACKTOP,
	UXSTACKTOP - 1, UXSTACKTOP - 51, UXSTACKTOP - PGSIZE, UXSTACKTOP - PGSIZE + 8, UENVS,
	UENVS + 0x44, UPAGES, UVPT, UVPT + (UVPT >> 10), ULIM, MMIOBASE, MMIOLIM, KSTACKTOP - 64,
	KSTACKTOP - KSTKSIZE, KERNBASE, KERNBASE + 0x100020, 0xFFFFFFF0, ~0U };

// ---- Writing a page of code ----

struct writer {
	uint8_t *at;
};

static inline void
put(struct writer *w, const void *bytes, size_t len)
{
	memcpy(w->at, bytes, len);
	w->at += len;
}

// An instruction of a byte and a word
static inline void
put_word(struct writer *w, uint8_t opcode, uint32_t word)
{
	put(w, &opcode, 1);
	put(w, &word, sizeof(word));
}

#define OP_PUSH    0x68
#define OP_MOV_EAX 0xB8 // The registers follow in the order of their numbers, up to edi.
#define OP_MOV_EDI 0xBF
#define OP_MOV_ESP 0xBC
#define OP_MOV_EBP 0xBD
#define OP_MOV_ESI 0xBE

static inline uint32_t
any_register_value(void)
{
	switch (below(4)) {
	case 0:
		return PICK(odd_selectors);
	case 1:
		return PICK(odd_addresses);
	case 2:
		return area_page() + below(PGSIZE);
	default:
		return any_word();
	}
}

// pushl random flags; popfl
static inline void
put_flags(struct writer *w)
{
	put_word(w, OP_PUSH, any_eflags());
	put(w, "\x9D", 1);
}

// iret or lret, with a random frame
static inline void
put_far_return(struct writer *w)
{
	put_word(w, OP_PUSH, PICK(odd_selectors)); // ss and esp, in case the CPU pops them
	put_word(w, OP_PUSH, PICK(odd_addresses));
	put_word(w, OP_PUSH, any_eflags());
	put_word(w, OP_PUSH, one_in(2) ? GD_UT | 3 : PICK(odd_selectors));
	put_word(w, OP_PUSH, PICK(odd_addresses));
	put(w, one_in(2) ? "\xCF" : "\xCB", 1);
}

static inline void
put_segment_load(struct writer *w)
{
	uint8_t mov[] = { 0x8E, 0xC0 | below(6) << 3 }; // movw %ax, %es, %cs, %ss ...

	put_word(w, OP_MOV_EAX, PICK(odd_selectors));
	put(w, mov, sizeof(mov));
}

static inline void
put_instruction(struct writer *w)
{
	const struct instruction *in = instructions + below(instructions_end - instructions);

	if (one_in(4))
		put_word(w, OP_MOV_EAX + below(8), any_register_value());
	if (one_in(4))
		put_flags(w);
	put(w, in->bytes, in->len);
}

// `int` with any vector except breakpoint, which would stop the machine in the monitor
static inline void
put_int(struct writer *w)
{
	uint8_t bytes[] = { 0xCD, below(256) };

	if (bytes[1] == T_BRKPT)
		bytes[1] = T_OFLOW;
	put(w, bytes, 2);
}

static inline void
put_random(struct writer *w, size_t len)
{
	for (; len > 0; len--) {
		uint8_t byte = random() >> 8;
		put(w, &byte, 1);
	}
}

// Change the random bytes that are system calls or breakpoints.
static inline void
remove_calls(uint8_t *page)
{
	for (int i = 0; i + 1 < PGSIZE; i++) {
		if (page[i] == 0xCD && (page[i + 1] == T_SYSCALL || page[i + 1] == T_BRKPT))
			page[i + 1]++;
		if (page[i] == 0x0F && page[i + 1] == 0x34)
			page[i + 1]++; // sysexit
		if (page[i] == 0xCC)
			page[i] = 0x90;
	}
}

// A system call with an odd stack pointer: any except exofork and calls that wait for a key
static inline void
put_call(struct writer *w)
{
	static const uint8_t numbers[] = { SYS_cputs, SYS_getenvid, SYS_page_alloc, SYS_page_map,
		SYS_page_unmap, SYS_env_set_status, SYS_yield, SYS_ipc_try_send, SYS_ipc_recv,
		SYS_ipc_send, SYS_ipc_call, SYS_batch, SYS_env_set_exception_upcall, NSYSCALLS };

	put_word(w, OP_MOV_ESP, PICK(odd_addresses));
	for (uint8_t op = OP_MOV_EAX + 1; op <= OP_MOV_EDI; op++) {
		if (op != OP_MOV_ESP)
			put_word(w, op, any_register_value());
	}
	put_word(w, OP_MOV_EAX, PICK(numbers));
	if (one_in(2)) {
		put(w, "\xCD\x30", 2);
		return;
	}
	// By sysenter, which in most cases returns to the next instruction
	if (one_in(2))
		put_flags(w);
	if (!one_in(4))
		put_word(w, OP_MOV_ESI, CODE + PGOFF(w->at) + 5 + 2);
	put(w, "\x0F\x34", 2);
}

// ---- Virtual-8086 mode ----

// QEMU's iret lets a program enter virtual-8086 mode, with any flags. The page at VM86 has 16-bit
// code for this mode: pieces of VM86_SIZE bytes, each of which enters the kernel in another way.
// Each ends with sysenter or ud2, so that it cannot loop.
#define VM86_SIZE    16
#define VM86_TEXT    "fuzz: WRONG: a program has flags that no program may have\n"
#define VM86_TEXT_VA (VM86 + PGSIZE - sizeof(VM86_TEXT))

static const char vm86_ways[][VM86_SIZE + 1] = {
	"\x0F\x34",                                 // sysenter
	"\xFA\x0F\x34",                             // cli; sysenter
	"\xFB\x0F\x34",                             // sti; sysenter
	"\xCD\x30\x0F\x34",                         // int $T_SYSCALL; sysenter
	"\xFA\xCD\x30\x0F\x34",                     // cli; int $T_SYSCALL; sysenter
	"\xCC\x0F\x34",                             // int3; sysenter
	"\xCE\x0F\x34",                             // into; sysenter
	"\xE4\x71\x0F\x34",                         // inb $0x71, %al; sysenter
	"\xE6\x80\x0F\x34",                         // outb %al, $0x80; sysenter
	"\xF4\x0F\x34",                             // hlt; sysenter
	"\x0F\x0B",                                 // ud2
	"\x9C\x5A\x81\xCA\xFF\x7F\x52\x9D\x0F\x34", // or $0x7FFF to the flags; sysenter
	"\x9C\x5A\x83\xE2\x01\x52\x9D\x0F\x34",     // and $1 to the flags; sysenter
	"\x8E\xDA\x8E\xC2\x8E\xE2\x8E\xEA\x0F\x34", // %dx to ds, es, fs, gs; sysenter
};

static inline void
write_vm86_code(uint8_t *page)
{
	for (size_t i = 0; i < ARRAY_SIZE(vm86_ways); i++)
		memcpy(page + i * VM86_SIZE, vm86_ways[i], VM86_SIZE);
	memcpy(page + VM86_TEXT_VA - VM86, VM86_TEXT, sizeof(VM86_TEXT));
}

// iret to one of vm86_ways. In most cases, the system call there returns to PROBE.
static inline void
put_vm86(struct writer *w)
{
	static const uint8_t numbers[] = { SYS_getenvid, SYS_yield, SYS_env_set_status, NSYSCALLS };

	put_word(w, OP_MOV_ESP, USTACKTOP - 16);
	for (int i = 0; i < 4; i++) { // gs, fs, ds, es
		uint8_t push[] = { 0x6A, random() };
		put(w, push, sizeof(push));
	}
	put(w, "\x6A", 2); // ss: 0
	put_word(w, OP_PUSH, VM86 + PGSIZE / 2);
	put_word(w, OP_PUSH, (FL_VM | (random() & ((FL_ID << 1) - 1))) & ~(one_in(4) ? 0 : FL_TF));
	put_word(w, OP_PUSH, VM86 >> 4);
	put_word(w, OP_PUSH, one_in(2) ? 0 : below(ARRAY_SIZE(vm86_ways)) * VM86_SIZE);
	put_word(w, OP_MOV_EAX, PICK(numbers));
	put_word(w, OP_MOV_ESI, one_in(8) ? any_register_value() : PROBE_VA);
	put_word(w, OP_MOV_EBP, USTACKTOP - 16);
	put(w, "\xCF", 1);
}

// Print VM86_TEXT if a program may not have these flags, or if an I/O port can be read.
static inline void
put_probe(struct writer *w)
{
	put_word(w, OP_MOV_ESP, USTACKTOP - 16);
	put(w, "\x9C\x58", 2);                    // pushfl; popl %eax
	put_word(w, 0x25, FL_PRIVILEGED | FL_IF); // andl $..., %eax
	put_word(w, 0x3D, FL_IF);                 // cmpl $..., %eax
	put(w, "\x75\x02\xE4\x71", 4);            // jne over the next; inb $0x71, %al
	put_word(w, OP_MOV_EAX, SYS_cputs);
	put_word(w, OP_MOV_EAX + 2, VM86_TEXT_VA);          // edx
	put_word(w, OP_MOV_EAX + 1, sizeof(VM86_TEXT) - 1); // ecx
	put(w, "\xCD\x30", 2);
}

static void (*const put_snippet[])(struct writer *w) = { put_instruction, put_instruction,
	put_instruction, put_instruction, put_instruction, put_flags, put_far_return,
	put_segment_load, put_int, put_vm86, put_vm86 };

// Fill a page with snippets, to be mapped at CODE.
static inline void
write_code(uint8_t *page)
{
	struct writer w;

	memset(page, 0x90, PGSIZE);
	for (int i = 0; i < PROBE; i++) {
		w.at = page + i * SNIPPET_SIZE + (i == 0 ? 2 : 0);
		PICK(put_snippet)(&w);
		put_random(&w, below(12));
	}
	remove_calls(page);
	for (int i = below(8); i < PROBE; i += 1 + below(16)) {
		w.at = page + i * SNIPPET_SIZE + (i == 0 ? 2 : 0);
		put_call(&w);
	}

	w.at = page + PROBE * SNIPPET_SIZE;
	put_probe(&w);

	w.at = page + LAST * SNIPPET_SIZE;
	put_word(&w, OP_MOV_ESP, USTACKTOP + 8);
	put(&w, "\x0F\x0B", 2);

	w.at = page + HANDLER * SNIPPET_SIZE;
	put(&w, "\xFF", 1);
	put_word(&w, 0x05, HANDLED); // incl HANDLED
	put_word(&w, 0xA1, HANDLED); // movl HANDLED, %eax
	put(&w, "\xC1\xE0\x06", 3);  // shll $6, %eax
	put_word(&w, 0x05, CODE);    // addl $CODE, %eax
	put_word(&w, OP_MOV_ESP, one_in(4) ? UXSTACKTOP - 512 : UXSTACKTOP);
	put(&w, "\xFF\xE0", 2); // jmp *%eax
}

#endif // JOS_USER_FUZZCODE_H
