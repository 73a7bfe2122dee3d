// The first and last instructions of the faster ways into the kernel for system calls: syscall_int
// for int $T_SYSCALL, and sysenter_entry for sysenter. See sysenter.c.
//
// Both complete two calls here, without the big lock and without a struct Trapframe: sys_getenvid,
// and sys_yield if no other environment is runnable. For any other call they push a frame, as
// trapentry.S does, and call syscall_fast() in syscall.c.
//
// sysenter (Intel, volume 3, section 5.8.7) loads cs, ss and eip, loads esp with the top of this
// CPU's kernel stack, and clears IF. It does not save the program's eip and esp. So the program
// (lib/syscall.S) passes them in two more registers:
//
//	esi   the address where the program continues
//	ebp   the program's stack pointer there
//
// No register is left for a fifth argument. A wrong value in esi or ebp harms only the caller: the
// program continues at that address, or two bytes before it if the call repeats (trap_rewind).
// The other flags are still the program's. If TF is set, the CPU raises a debug exception at the
// first instruction here, and challenge_kernel_trap() continues at sysenter_stepped.
//
// QEMU lets programs enter virtual-8086 mode with any flags. After sysenter the kernel cannot see
// that the program was in that mode. So the code below trusts neither flags nor segments. It clears
// the flags that no program may have (FL_PRIVILEGED in mmu.h, for example IOPL) before the program
// continues. And it loads GD_UD into ds and es before the program continues, because they may have
// held values that are not selectors. (int $T_SYSCALL from that mode goes to trap(), which ends the
// program.)

#include <inc/memlayout.h>
#include <inc/mmu.h>
#include <inc/syscall.h>
#include <inc/trap.h>

	// Define SYS_NAME for each call. (In C, an enum defines them.)
	.set number, 0
#define X(name, nargs)            \
	.set SYS_##name, number ; \
	.set number, number + 1 ;
	SYSCALLS(X)
#undef X

	// Jump to `getenvid` for sys_getenvid, and to `nothing` for sys_yield if no other
	// environment is runnable. Otherwise continue. (Read through ss, because ds may be any
	// segment that the program has loaded. runq_words is read without the lock: an environment
	// that becomes runnable after that waits for the caller's next yield or tick.)
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

	// The result is in eax. Changes ecx, edx, ds and es.
	.macro call_getenvid
	movl %ss, %ecx
	movl %ecx, %ds
	movl %ecx, %es
	call syscall_getenvid
	.endm

	// Complete the frame as all_traps does, call syscall_fast(), and return to the program.
	.macro call_syscall ds, es
	pushl \ds
	pushl \es
	pushal
	movl %ss, %eax
	movl %eax, %ds
	movl %eax, %es
	cld
	xorl %ebp, %ebp // The kernel's backtrace ends at ebp 0.
	pushl %esp
	call syscall_fast
	addl $4, %esp
	popal // As in all_traps, step 4.
	popl %es
	popl %ds
	addl $8, %esp
	iret
	.endm

	.section .text.hot, "ax"
	.globl syscall_int
	.type syscall_int, @function
syscall_int:
	testl $FL_PRIVILEGED, 8(%esp) // Checked first, so that a program that loops here is ended.
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
3:	pushl $0 // trap() ends the program (user_flags_ok).
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
	pushl $FL_RESERVED // NT would make iret switch tasks; AC would turn SMAP off.
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
	sti // Interrupts are recognized only after the next instruction.
	sysexit
	.size sysenter_entry, . - sysenter_entry

	// Like sysenter_entry, after a single step: set TF in the program's flags again.
	.globl sysenter_stepped
	.type sysenter_stepped, @function
sysenter_stepped:
	pushl $user_data
	pushl %ebp
	pushfl
	orl $FL_TF, (%esp)
	jmp 1b
	.size sysenter_stepped, . - sysenter_stepped
