// The system calls as C functions: a function sys_NAME for each name in SYSCALLS of inc/syscall.h.
// Each function loads its arguments into the registers where the kernel expects them, enters the
// kernel, and returns the result, which the kernel left in eax. C functions must preserve ebx, edi
// and esi, so a function that uses these registers saves them.
//
// The functions enter the kernel through the function pointer _syscall_gate. At first, the pointer
// is _gate_int; libmain changes the pointer to _gate_sysenter if the CPU has sysenter. With
// sysenter, the kernel needs esi and ebp for the return. So a call with five arguments always uses
// int, because its fifth argument is in esi.
//
// There is no function for exofork in this file: sys_exofork must be inlined, so it is in
// inc/lib.h.

#include <inc/syscall.h>
#include <inc/trap.h>

	.text
	.set	.Lnumber, 0

	.macro	stub name, nargs
	.ifnc	\name, exofork
	.globl	sys_\name
	.type	sys_\name, @function
sys_\name:
	.set	.Lbelow, 4	// Offset of the first argument from esp: above the return address
	.if	\nargs >= 3
	pushl	%ebx
	.set	.Lbelow, .Lbelow + 4 // Each push adds 4 to the offset
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
	.if	\nargs < 3
	jmp	*_syscall_gate
	.elseif	\nargs < 5
	call	*_syscall_gate
	.else
	int	$T_SYSCALL
	.endif
	.if	\nargs >= 5
	popl	%esi
	.endif
	.if	\nargs >= 4
	popl	%edi
	.endif
	.if	\nargs >= 3
	popl	%ebx
	ret
	.endif
	.size	sys_\name, . - sys_\name
	.endif
	.set	.Lnumber, .Lnumber + 1
	.endm

#define X(name, nargs) stub name, nargs;
SYSCALLS(X)

	.data
	.globl	_syscall_gate
	.balign	4
_syscall_gate:
	.long	_gate_int

	.text
	.type	_gate_int, @function
_gate_int:
	int	$T_SYSCALL
	ret
	.size	_gate_int, . - _gate_int

	.globl	_gate_sysenter
	.type	_gate_sysenter, @function
_gate_sysenter:
	pushl	%ebp
	pushl	%esi
	movl	$1f, %esi
	movl	%esp, %ebp
	sysenter
1:	popl	%esi
	popl	%ebp
	ret
	.size	_gate_sysenter, . - _gate_sysenter
