// Where the kernel makes a program go on after an exception that it handles itself,
// on the exception stack, with esp pointing to a struct UTrapframe. The handler gets
// that as its argument; when it returns, so does this, to where the exception was,
// with all registers as the UTrapframe has them, without entering the kernel.
//
// The last step must change esp and eip together, for which there is no instruction
// but ret; so eip is put on the stack that is returned to, one word below its top.
// Where that is the exception stack itself (a fault within a handler), this is the
// word that the kernel left empty.
//
// A program that is single-stepped would be so from popfl on, and its handler be called for
// the last step, again and again. There iret does it, which changes flags and eip
// together. It wants three words below the top of the stack that is returned to; on the
// exception stack these are the empty one and the UTrapframe's last two, which are not
// needed any more. (QEMU 7.2 with SMAP reads them as if the kernel did, and makes a page fault
// of it: there a program with a handler of its page faults cannot be single-stepped.)

#include <inc/memlayout.h>
#include <inc/mmu.h>

// Offsets in struct UTrapframe.
#define UTF_REGS   8
#define UTF_EIP    40
#define UTF_EFLAGS 44
#define UTF_ESP    48

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
	testl	$FL_TF, UTF_EFLAGS(%esp)
	jnz	return_and_step
	subl	$4, UTF_ESP(%esp)
	movl	UTF_ESP(%esp), %eax
	movl	UTF_EIP(%esp), %ecx
	movl	%ecx, (%eax)
	addl	$UTF_REGS, %esp
	popal
	addl	$4, %esp // eip: nothing that changes flags may come after the next.
	popfl
	popl	%esp
	ret
	.size dispatch, . - dispatch

	.type return_and_step, @function
return_and_step:
	pushl	$0
	popfl	// With NT, iret would switch tasks.
	movl	UTF_ESP(%esp), %eax
	subl	$12, %eax
	movl	UTF_EIP(%esp), %ecx
	movl	UTF_EFLAGS(%esp), %edx
	movl	%ecx, (%eax)
	movl	%cs, %ecx
	movl	%ecx, 4(%eax)
	movl	%edx, 8(%eax)
	movl	%eax, UTF_EIP(%esp) // Where popl finds it.
	addl	$UTF_REGS, %esp
	popal
	popl	%esp
	iret
	.size return_and_step, . - return_and_step
