// System calls by sysenter from virtual-8086 mode, which only the kernel may give: a CPU takes
// no notice, and goes on without. But QEMU gives it, and sysenter leads out of it, with segments
// that are no selectors. The kernel must not stumble over them.

#include "testing.h"

// Both modes come to PLACE in segment GD_UT | 3: in the one that begins at 0.
#define PLACE      0x100
#define PLACE_VM86 (PLACE + ((GD_UT | 3) << 4))

// iret to PLACE with FL_VM and these flags, for that call. Returns its result.
int32_t enter(uint32_t number, uint32_t flags);

__asm__("	.text\n"
	"enter:	pushl %ebp\n"
	"	pushl %ebx\n"
	"	pushl %esi\n"
	"	movl 16(%esp), %eax\n"
	"	movl 20(%esp), %ecx\n"
	"	movl %esp, %ebx\n"
	"	movl $0x12345678, %edx\n" // Nobody's id
	"	pushl $0x1234\n"          // gs, fs, ds, es: a CPU that does not switch pops three.
	"	pushl $0x1234\n"
	"	pushl $0x1234\n"
	"	pushl $0x1234\n"
	"	pushl $0\n"
	"	pushl $0xFFFE\n"
	"	pushl %ecx\n"
	"	pushl %cs\n"
	"	pushl $0x100\n"
	"	movl $1f, %esi\n"
	"	movl %ebx, %ebp\n"
	"	iret\n"
	"1:	movl %ebx, %esp\n"
	"	pushl $0x202\n"
	"	popfl\n"
	"	popl %esi\n"
	"	popl %ebx\n"
	"	popl %ebp\n"
	"	ret\n");

static void
ignore_step(struct UTrapframe *utf)
{
	USED(utf);
}

void
umain(int argc, char **argv)
{
	static const uint32_t flags[] = { FL_VM | FL_IF, FL_VM | FL_IF | FL_TF };

	cprintf("vm86enter: asking\n");
	if (!has_sysenter()) {
		cprintf("vm86enter: there is no sysenter\n");
		return;
	}
	must(sys_page_alloc(0, NULL, PERM_WRITE), "sys_page_alloc");
	memcpy((void *)PLACE, "\xFF\xE6", 2);      // jmp *%esi
	memcpy((void *)PLACE_VM86, "\x0F\x34", 2); // sysenter
	must(set_exception_handler(T_DEBUG, ignore_step), "set_exception_handler");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (enter(SYS_getenvid, flags[i]) == SYS_getenvid) {
			cprintf("vm86enter: refused\n");
			return;
		}
		enter(SYS_yield, flags[i]);
		if (enter(SYS_env_set_status, flags[i]) != -E_BAD_ENV)
			panic("the wrong result");
	}
	cprintf("vm86enter: ok\n");
}
