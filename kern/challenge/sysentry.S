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
// and the arguments are those of int $T_SYSCALL, except the fifth, which has no
// register left. A wrong value harms only the caller: the program goes on where it said, or for
// a call that must be made again (trap_rewind) two bytes before that. All flags except IF are
// still the user's. Only TF matters at once: the CPU then raises a debug exception at the first
// instruction here, and trap() continues at sysenter_stepped.
//
// QEMU lets users enter virtual-8086 mode, with any flags, and sysenter leaves that mode without
// a trace. So two things that sysenter keeps cannot be trusted. Flags that are not a user's
// (FL_PRIVILEGED in mmu.h: IOPL above all) are cleared before the program goes on; int $T_SYSCALL
// from that mode goes to trap(), which ends the program. And ds and es may hold values that are
// no selectors: the program goes on with GD_UD in them, as in ss.

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

	// Go to `getenvid` with that call, to `nothing` with a call that does nothing; otherwise
	// go on. (Users choose their ds, so it is not used yet. The set of runnable environments
	// is read without the lock: an environment that becomes runnable now was just too late.)
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
	popal // As at the end of all_traps.
	popl %es
	popl %ds
	addl $8, %esp
	iret
	.endm

	.section .text.hot, "ax"
	.globl syscall_int
	.type syscall_int, @function
syscall_int:
	testl $FL_PRIVILEGED, 8(%esp) // Before any way out: a loop of calls must end, too.
	jnz 3f
	branch_if_alone 1f, 2f
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
3:	pushl $0 // trap() ends the program.
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
1:	andl $~FL_PRIVILEGED, (%esp)
	orl $FL_IF, (%esp)
	pushl $GD_UT | 3
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
	pushfl
	andl $~FL_PRIVILEGED, (%esp)
	popfl
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
	orl $FL_TF, (%esp)
	jmp 1b
	.size sysenter_stepped, . - sysenter_stepped
