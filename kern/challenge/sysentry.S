// The faster entry points for system calls: syscall_int for int $T_SYSCALL, and sysenter_entry for
// sysenter. The code after each entry point also returns to the program. sysenter.c sets up both
// entry points.
//
// In this file, both entry points complete two calls without the big lock and without a struct
// Trapframe: sys_getenvid, and sys_yield if no other environment is runnable. For any other call,
// both entry points push a struct Trapframe, as trapentry.S does, and call syscall_fast() in
// syscall.c.
//
// sysenter (Intel, volume 3, section 5.8.7) loads cs, ss and eip, loads esp with the top of this
// CPU's kernel stack, and clears IF. It does not save the program's eip and esp. So the program
// (lib/syscall.S) passes these two values in two more registers:
//
//	esi   the address where the program continues
//	ebp   the program's stack pointer there
//
// No register is left for a fifth argument. A wrong value in esi or ebp harms only the caller: the
// program continues at the address in esi, or two bytes before that address if the call is repeated
// (trap_rewind). The flags other than IF keep the program's values. If TF is set, the CPU raises a
// debug exception at the first instruction of sysenter_entry, and challenge_kernel_trap() continues
// at sysenter_stepped.
//
// QEMU lets programs enter virtual-8086 mode with any flags. After sysenter the kernel cannot see
// that the program was in that mode. So the code below trusts neither flags nor segments. It clears
// the flags that no program may have (FL_PRIVILEGED in mmu.h, for example IOPL) before the program
// continues. It also loads GD_UD into ds and es before the program continues, because ds and es may
// hold values that are not selectors. (If the program uses int $T_SYSCALL in that mode, trap()
// destroys the program.)

#include <inc/memlayout.h>
#include <inc/mmu.h>
#include <inc/syscall.h>
#include <inc/trap.h>

#include <kern/check/unwind.inc> // unwind_...: how GDB finds the interrupted code

	// Define SYS_NAME for each system call. (In C, an enum defines these names.)
	.set number, 0
#define X(name, nargs)            \
	.set SYS_##name, number ; \
	.set number, number + 1 ;
	SYSCALLS(X)
#undef X

	// If the call is sys_getenvid, jump to `getenvid`. If the call is sys_yield and no other
	// environment is runnable, jump to `nothing`. Otherwise continue. (runq_words is read
	// through ss, because ds may be any segment that the program has loaded. runq_words is read
	// without the big lock: an environment that becomes runnable after the read waits for the
	// caller's next yield or tick.)
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

	// Call syscall_getenvid(), which returns the id in eax. Changes ecx, edx, ds and es.
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
	xorl %ebp, %ebp // A backtrace of the kernel ends at ebp 0.
	pushl %esp
	call syscall_fast
	addl $4, %esp
	popal // Return as in step 4 of trapentry.S.
	popl %es
	popl %ds
	addl $8, %esp
	iret
	.endm

	.section .text.hot, "ax"
	.globl syscall_int
	.type syscall_int, @function
syscall_int:
	// Check the flags before the two fast calls, so that a program with forbidden flags is
	// destroyed even if it makes only fast calls.
	testl $FL_PRIVILEGED, 8(%esp)
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
3:	pushl $0 // trap() finds the forbidden flags (user_flags_ok) and destroys the program.
	pushl $T_SYSCALL
	jmp all_traps
	.size syscall_int, . - syscall_int
	unwind_int syscall_int

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
	pushl $FL_RESERVED // Clear NT (iret would switch tasks) and AC (SMAP would be off).
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
	sti // The CPU accepts interrupts only after the next instruction.
	sysexit
	.size sysenter_entry, . - sysenter_entry
	unwind_sysenter sysenter_entry

	// challenge_kernel_trap() continues here after a single step at sysenter_entry. This code
	// sets TF in the program's flags again, and passes every call to syscall_fast().
	.globl sysenter_stepped
	.type sysenter_stepped, @function
sysenter_stepped:
	pushl $user_data
	pushl %ebp
	pushfl
	orl $FL_TF, (%esp)
	jmp 1b
	.size sysenter_stepped, . - sysenter_stepped
	unwind_sysenter sysenter_stepped
