// The system calls as C functions: for each name in SYSCALLS of inc/syscall.h a
// sys_NAME, which loads its arguments into the registers that the kernel takes
// them from, traps, and returns what the kernel left in eax. The kernel keeps
// every other register (but edx and ecx where it carries out a call in parts: a long cputs),
// so only the caller's ebx, edi and esi need saving.
//
// There is none for exofork, which must not return through a stack frame of its
// own: inc/lib.h inlines it.

#include <inc/syscall.h>
#include <inc/trap.h>

	.text
	.set	.Lnumber, 0

	.macro	stub name, nargs
	.ifnc	\name, exofork
	.globl	sys_\name
	.type	sys_\name, @function
sys_\name:
	.set	.Lbelow, 4	// From esp to the first argument: the return address...
	.if	\nargs >= 3
	pushl	%ebx
	.set	.Lbelow, .Lbelow + 4 // ...and what was saved
	.endif
	.if	\nargs >= 4
	pushl	%edi
	.set	.Lbelow, .Lbelow + 4
	.endif
	.if	\nargs >= 5
	pushl	%esi
	.set	.Lbelow, .Lbelow + 4
	movl	.Lbelow + 16(%esp), %esi
	.endif
	.if	\nargs >= 4
	movl	.Lbelow + 12(%esp), %edi
	.endif
	.if	\nargs >= 3
	movl	.Lbelow + 8(%esp), %ebx
	.endif
	.if	\nargs >= 2
	movl	.Lbelow + 4(%esp), %ecx
	.endif
	.if	\nargs >= 1
	movl	.Lbelow(%esp), %edx
	.endif
	movl	$.Lnumber, %eax
	int	$T_SYSCALL
	.if	\nargs >= 5
	popl	%esi
	.endif
	.if	\nargs >= 4
	popl	%edi
	.endif
	.if	\nargs >= 3
	popl	%ebx
	.endif
	ret
	.size	sys_\name, . - sys_\name
	.endif
	.set	.Lnumber, .Lnumber + 1
	.endm

#define X(name, nargs) stub name, nargs;
SYSCALLS(X)
