// Where every program starts. The kernel enters at _start with argc and argv on the stack.

#include <inc/mmu.h>
#include <inc/memlayout.h>

// What the kernel shows to every program, under the names that C knows it by.
	.globl	envs, pages, uvpt, uvpd
	.set	envs, UENVS
	.set	pages, UPAGES
	.set	uvpt, UVPT
	.set	uvpd, UVPT + (UVPT >> 12) * 4

	.text
	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp	// A backtrace ends here
	popl	%eax
	popl	%ecx
	andl	$-16, %esp	// Compilers for SSE rely on that at each call
	subl	$8, %esp
	pushl	%ecx
	pushl	%eax
	call	libmain
	ud2			// It does not return
	.size	_start, . - _start
