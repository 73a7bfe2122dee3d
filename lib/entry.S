// The entry point of every program. The kernel starts the program at _start, with argc and argv on
// the stack.

#include <inc/mmu.h>
#include <inc/memlayout.h>

// The C names of the arrays that the kernel maps read-only into every program (inc/memlayout.h).
	.globl	envs, pages, uvpt, uvpd
	.set	envs, UENVS
	.set	pages, UPAGES
	.set	uvpt, UVPT
	.set	uvpd, UVPT + (UVPT >> 12) * 4

	.text
	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp	// Frame pointer 0: a backtrace ends here
	popl	%eax
	popl	%ecx
	andl	$-16, %esp	// SSE code needs this alignment at each call
	subl	$8, %esp
	pushl	%ecx
	pushl	%eax
	call	libmain
	ud2			// libmain does not return
	.size	_start, . - _start
