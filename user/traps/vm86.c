// Ask for virtual-8086 mode, as only the kernel may. A CPU takes no notice; QEMU gives it, and
// the kernel ends the program, as soon as it is back. vm86,low: with a cs that looks like the
// kernel's.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	cprintf("vm86: asking\n");
	// gs, fs, ds, es, ss, esp, eflags, cs, eip: a CPU that does not switch pops three.
	__asm__ volatile("movl %%esp, %%ebx\n\t"
			 "pushl $0; pushl $0; pushl $0; pushl $0; pushl $0; pushl $0xFFFE\n\t"
			 "pushl %0; pushl %1; pushl $1f\n\t"
			 "iret\n"
			 "1:\tmovl %%ebx, %%esp"
			 :
			 : "i"(FL_VM | FL_IF), "r"(argc > 1 ? GD_KT : GD_UT | 3)
			 : "ebx", "memory", "cc");
	cprintf("vm86: refused\n");
}
