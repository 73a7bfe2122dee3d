// Tries to enter virtual-8086 mode, which only the kernel may do. A real CPU ignores FL_VM; QEMU
// enters the mode, and the kernel must destroy the environment at its next trap. vm86,low does this
// with a cs that equals the kernel's selector.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	cprintf("vm86: asking\n");
	// gs, fs, ds, es, ss, esp, eflags, cs, eip. A CPU that does not enter the mode pops the
	// last three.
	__asm__ volatile(
	    "movl %%esp, %%ebx\n\t"
	    "pushl $0; pushl $0; pushl $0; pushl $0; pushl $0; pushl $0xFFFE\n\t"
	    "pushl %0; pushl %1; pushl $1f\n\t"
	    "iret\n"
	    "1:\tmovl %%ebx, %%esp"
	    :
	    : "i"(FL_VM | FL_IF), "r"(argc > 1 ? GD_KT : GD_UT | 3)
	    : "ebx", "memory", "cc");
	cprintf("vm86: refused\n");
}
