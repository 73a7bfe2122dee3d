// The system calls' own ways in: int $T_SYSCALL, which every CPU has, and sysenter, which
// is quicker. By both, what touches nothing but the caller is done at once, without the
// big lock and without a struct Trapframe: sys_getenvid, and sys_yield if nobody else is
// runnable. Any other call gets a struct Trapframe, like a trap, and goes to syscall()
// in syscall.c.
//
// sysenter (Intel, volume 3, section 5.8.7) loads cs and ss, eip and esp, the latter with
// the top of this CPU's kernel stack, and clears IF. It keeps no record of where the user
// was. So who uses it says so himself (lib/syscall.S):
//
//	esi   where to go on
//	ebp   with which stack pointer
//
// and the arguments are those of int $T_SYSCALL, but for the fifth, which has no
// register left. A user may lie: he goes on where he said, or for a call that must be made
// again (undo_trap) two bytes before that. All flags but IF are still the
// user's. Only TF matters at once: the CPU then makes a debug exception of the first
// instruction here, and trap() sends that on to sysenter_stepped.
//
// He goes on with GD_UD in ds and es, too, as in ss. What was in there need not be a selector:
// QEMU lets users get into virtual-8086 mode, and sysenter leads out of it without a trace.

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

	// Go to `getenvid` with that call, to `nothing` with one that does nothing; else go on.
	// (Users choose their ds, so it is not used yet. The set of runnable environments is
	// read without the lock: should one come to it now, it was just too late.)
	.macro branch_if_alone getenvid, nothing
	cmpl $SYS_getenvid, %eax
	je \getenvid
	cmpl $SYS_yield, %eax
	jne 9f
	cmpl $0, %ss:runq_words
	je \nothing
9:
	.endm

	.set user_data, GD_UD | 3

	// Changes eax, which gets the result, ecx, edx, ds and es.
	.macro call_getenvid
	movl %ss, %ecx
	movl %ecx, %ds
	movl %ecx, %es
	call syscall_getenvid
	.endm

	// The rest of the frame, as all_traps would make it, and the call.
	.macro call_syscall ds, es
	pushl \ds
	pushl \es
	pushal
	movl %ss, %eax
	movl %eax, %ds
	movl %eax, %es
	cld
	xorl %ebp, %ebp // A backtrace ends where the user's frames begin.
	pushl %esp
	call syscall
	addl $4, %esp
	popal // As trap_return.
	popl %es
	popl %ds
	addl $8, %esp
	iret
	.endm

	.section .text.hot, "ax"
	.globl syscall_int
	.type syscall_int, @function
syscall_int:
	branch_if_alone 1f, 2f
	testb $FL_VM >> 16, 8 + 2(%esp)
	jnz 3f
	pushl $0
	pushl $T_SYSCALL
	call_syscall %ds, %es
1:	pushl %ecx
	pushl %edx
	pushl %ds
	pushl %es
	call_getenvid
	popl %es
	popl %ds
	popl %edx
	popl %ecx
	iret
2:	xorl %eax, %eax
	iret
3:	pushl $0 // trap() says why this cannot be.
	pushl $T_SYSCALL
	jmp all_traps
	.size syscall_int, . - syscall_int

	.globl sysenter_entry
	.type sysenter_entry, @function
sysenter_entry:
	branch_if_alone 2f, 3f
	pushl $user_data
	pushl %ebp
	pushfl
	orl $FL_IF, (%esp)
1:	pushl $GD_UT | 3
	pushl %esi
	pushl $0
	pushl $T_SYSCALL
	pushl $FL_RESERVED // With NT, iret would switch tasks; with AC, SMAP would be off.
	popfl
	call_syscall $user_data, $user_data
2:	call_getenvid
	jmp 4f
3:	xorl %eax, %eax
4:	movl $user_data, %ecx
	movl %ecx, %ds
	movl %ecx, %es
	movl %esi, %edx
	movl %ebp, %ecx
	sti // Interrupts are let in only after the next instruction.
	sysexit
	.size sysenter_entry, . - sysenter_entry

	// With TF cleared by trap(), to be set again where it goes back to.
	.globl sysenter_stepped
	.type sysenter_stepped, @function
sysenter_stepped:
	pushl $user_data
	pushl %ebp
	pushfl
	orl $FL_IF | FL_TF, (%esp)
	jmp 1b
	.size sysenter_stepped, . - sysenter_stepped
