#ifndef JOS_USER_VM86_H
#define JOS_USER_VM86_H

// Virtual-8086 mode, for programs that test what a program can do in it. Only the kernel may enter
// this mode (Intel, volume 2, iret); but QEMU's iret lets a program enter it, with any flags.

#include <user/common/testing.h>

// vm86_enter jumps to VM86_IP in segment GD_UT | 3. In virtual-8086 mode, this segment starts at
// VM86_BASE. On a CPU that refuses the mode, it starts at 0, and the instruction there returns to
// vm86_enter's caller.
#define VM86_IP   0x100
#define VM86_BASE ((GD_UT | 3) << 4)
#define VM86_ESP  0xF00

// eax and eflags when vm86_enter returns
struct vm86_result {
	uint32_t eax, eflags;
};

// iret to VM86_IP with these flags, which must contain FL_VM. The code there executes sysenter:
// eax is the number of the system call, edx the id of no environment. Returns after that call, or
// at once if the CPU refuses the mode.
void vm86_enter(uint32_t eax, uint32_t flags, struct vm86_result *result);

__asm__(
    "	.text\n"
    "vm86_enter:\n"
    "	pushl %ebp\n"
    "	pushl %ebx\n"
    "	pushl %esi\n"
    "	movl 16(%esp), %eax\n"
    "	movl 20(%esp), %ecx\n"
    "	movl %esp, %ebx\n"
    "	movl $0x12345678, %edx\n"
    "	pushl $0x1234\n" // gs, fs, ds, es: not popped if the CPU refuses the mode
    "	pushl $0x1234\n"
    "	pushl $0x1234\n"
    "	pushl $0x1234\n"
    "	pushl $0\n"
    "	pushl $0xF00\n"
    "	pushl %ecx\n"
    "	pushl %cs\n"
    "	pushl $0x100\n"
    "	movl $1f, %esi\n"
    "	movl %ebx, %ebp\n"
    "	iret\n"
    "1:	movl %ebx, %esp\n"
    "	pushfl\n"
    "	popl %ecx\n"
    "	pushl $0x202\n"
    "	popfl\n"
    "	movl 24(%esp), %edx\n"
    "	movl %eax, (%edx)\n"
    "	movl %ecx, 4(%edx)\n"
    "	popl %esi\n"
    "	popl %ebx\n"
    "	popl %ebp\n"
    "	ret\n");

static_assert(VM86_IP == 0x100 && VM86_ESP == 0xF00);

// Map the page at 0. Must be called before the other functions.
static inline void
vm86_prepare(void)
{
	must(sys_page_alloc(0, NULL, PERM_WRITE), "sys_page_alloc");
	memcpy((void *)VM86_IP, "\xFF\xE6", 2); // jmp *%esi
}

// Copy 16-bit code to the address where vm86_enter jumps.
static inline void
vm86_set_code(const void *code, size_t size)
{
	memcpy((void *)(VM86_BASE + VM86_IP), code, size);
}

#endif // JOS_USER_VM86_H
