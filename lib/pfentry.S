// Where the kernel makes a program go on after an exception that it handles itself,
// on the exception stack, with esp pointing to a struct UTrapframe. The handler gets
// that as its argument; when it returns, so does this, to where the exception was,
// with all registers as the UTrapframe has them, without entering the kernel.
//
// The last step must change esp and eip together, for which there is no instruction
// but ret; so eip is put on the stack that is returned to, one word below its top.
// Where that is the exception stack itself (a fault within a handler), this is the
// word that the kernel left empty.

#include <inc/memlayout.h>

// Offsets in struct UTrapframe.
#define UTF_REGS 8
#define UTF_EIP  40
#define UTF_ESP  48

	.text
	.globl _pgfault_upcall
	.type _pgfault_upcall, @function
_pgfault_upcall:
	movl	$_pgfault_dispatch, %eax
	jmp	dispatch
	.size _pgfault_upcall, . - _pgfault_upcall

	.globl _exception_upcall
	.type _exception_upcall, @function
_exception_upcall:
	movl	$_exception_dispatch, %eax
	.size _exception_upcall, . - _exception_upcall

	.type dispatch, @function
dispatch:
	movl	%esp, %ebx	// The function called keeps ebx.
	andl	$-16, %esp	// Compilers for SSE rely on that at each call.
	subl	$12, %esp
	pushl	%ebx
	call	*%eax
	movl	%ebx, %esp
	movl	UTF_ESP(%esp), %eax
	subl	$4, %eax
	movl	%eax, UTF_ESP(%esp)
	movl	UTF_EIP(%esp), %ecx
	movl	%ecx, (%eax)
	addl	$UTF_REGS, %esp
	popal
	addl	$4, %esp // eip: nothing that changes flags may come after the next.
	popfl
	popl	%esp
	ret
	.size dispatch, . - dispatch
