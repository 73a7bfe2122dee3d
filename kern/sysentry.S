// The system calls' own ways in: int $T_SYSCALL, which every CPU has, and sysenter, which
// is quicker. By both, the calls that touch the caller alone are carried out at once,
// by syscall_alone (syscall.c), without the big lock and without a struct Trapframe; any
// other one becomes a trap like all, as if nothing had happened before.
//
// sysenter (Intel, volume 3, section 5.8.7) loads cs and ss, eip and esp, the latter with
// the top of this CPU's kernel stack, and clears IF. It keeps no record of where the user
// was. So who uses it says so himself (lib/syscall.S):
//
//	esi   where to go on
//	ebp   with which stack pointer
//
// and the arguments are those of int $T_SYSCALL, but for the fifth, which has no
// register left. A user may lie: he goes on where he said. All flags but IF are still the
// user's. Only TF matters at once: the CPU then makes a debug exception of the first
// instruction here, and trap() sends that on to sysenter_stepped.

#include <inc/memlayout.h>
#include <inc/mmu.h>
#include <inc/syscall.h>
#include <inc/trap.h>

	// C has them from an enum.
	.set number, 0
#define X(name, nargs)            \
	.set SYS_##name, number ; \
	.set number, number + 1 ;
	SYSCALLS(X)
#undef X

	// Go to `alone` with a call that is carried out alone, else go on.
	.macro branch_if_alone alone
	cmpl $SYS_getenvid, %eax
	je \alone
	cmpl $SYS_yield, %eax
	je \alone
	.endm

	// syscall_alone, with the kernel's segments. The result is in eax; or the flags say
	// "negative", and eax is the complement of the call's number. Changes ecx and edx.
	.macro call_alone
	pushl %ds
	pushl %es
	movl %ss, %ecx
	movl %ecx, %ds
	movl %ecx, %es
	cld
	call syscall_alone
	popl %es
	popl %ds
	testl %eax, %eax
	.endm

	.text
	.globl syscall_int
	.type syscall_int, @function
syscall_int:
	branch_if_alone 2f
1:	pushl $0
	pushl $T_SYSCALL
	jmp all_traps
2:	pushl %ecx
	pushl %edx
	call_alone
	popl %edx
	popl %ecx
	js 3f
	iret
3:	notl %eax
	jmp 1b
	.size syscall_int, . - syscall_int

	.globl sysenter_entry
	.type sysenter_entry, @function
sysenter_entry:
	branch_if_alone 3f
1:	pushl $GD_UD | 3
	pushl %ebp
	pushfl
	orl $FL_IF, (%esp)
2:	pushl $GD_UT | 3
	pushl %esi
	pushl $0
	pushl $T_SYSCALL
	pushl $FL_RESERVED // With NT, iret would switch tasks; with AC, SMAP would be off.
	popfl
	jmp all_traps
3:	call_alone // Which have no arguments that could be lost.
	js 4f
	movl %esi, %edx
	movl %ebp, %ecx
	sti // Interrupts are let in only after the next instruction.
	sysexit
4:	notl %eax
	jmp 1b
	.size sysenter_entry, . - sysenter_entry

	// With TF cleared by trap(), to be set again where it goes back to.
	.globl sysenter_stepped
	.type sysenter_stepped, @function
sysenter_stepped:
	pushl $GD_UD | 3
	pushl %ebp
	pushfl
	orl $FL_IF | FL_TF, (%esp)
	jmp 2b
	.size sysenter_stepped, . - sysenter_stepped
