// The page-fault upcall, and the upcall for other exceptions. After an exception, the kernel starts
// the program here, on the exception stack, with esp pointing to a struct UTrapframe. The upcall
// calls a function in lib/pgfault.c, which calls the handler. Then the upcall loads all registers
// from the UTrapframe and returns to the interrupted code, without entering the kernel.
// Exercise 10.
//
// Step 3 below changes the two stacks as follows:
//
//	interrupted stack                     exception stack
//	|    in use      |                    | utf_esp      | <- one word lower
//	+----------------+ <- utf_esp         | utf_eflags   |
//	| utf_eip        | <- copied here     | utf_eip      |
//	                                      | utf_regs ... |
//	                                      +--------------+ <- esp
//
// The last instruction must load esp and eip together, after all other registers. Only ret can do
// this, and only if esp already points to the interrupted stack. So utf_eip is first copied to the
// interrupted stack, one word below utf_esp. After a fault in a handler, the interrupted stack is
// the exception stack itself. For this case, the kernel has left one word empty below utf_esp.
//
// If the program is single-stepped (TF is set), popfl in step 4 would cause a debug exception
// before the ret. The handler of this exception would return through the same popfl, which would
// cause the next exception, without end. So return_and_step ends with iret instead, which loads the
// flags and eip together. iret needs three words on the interrupted stack. If the interrupted stack
// is the exception stack, these words are the empty word, utf_esp and utf_eflags, which are not
// needed any more. (QEMU 7.2 with SMAP reads these words with the kernel's rights, so iret causes a
// page fault: on this QEMU, a program that handles its page faults cannot be single-stepped.)

#include <inc/memlayout.h>
#include <inc/mmu.h>

#include <lib/unwind.inc> // unwind_upcall: how GDB finds the interrupted code

// Offsets in struct UTrapframe.
#define UTF_REGS   8
#define UTF_EIP    40
#define UTF_EFLAGS 44
#define UTF_ESP    48

	.text
	.globl _pgfault_upcall
	.type _pgfault_upcall, @function
_pgfault_upcall:
	unwind_upcall_begin
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
	// Step 1: call the dispatch function with the UTrapframe's address. ebx keeps this address,
	// because C functions preserve ebx.
	movl	%esp, %ebx
	unwind_upcall 3
	andl	$-16, %esp	// SSE code needs this alignment at each call.
	subl	$12, %esp
	pushl	%ebx
	call	*%eax
	movl	%ebx, %esp

	// Step 2: if the program is single-stepped, continue at return_and_step.
	testl	$FL_TF, UTF_EFLAGS(%esp)
	jnz	return_and_step

	// Step 3: push utf_eip on the interrupted stack.
	subl	$4, UTF_ESP(%esp)
	movl	UTF_ESP(%esp), %eax
	movl	UTF_EIP(%esp), %ecx
	movl	%ecx, (%eax)

	// Step 4: load the general registers, then the flags. After popfl, no instruction may
	// change flags.
	addl	$UTF_REGS, %esp
	popal
	addl	$4, %esp // Skip utf_eip.
	popfl

	// Step 5: switch to the interrupted stack and pop eip from it.
	popl	%esp
	ret
	.size dispatch, . - dispatch

	.type return_and_step, @function
return_and_step:
	pushl	$0
	popfl	// Clear NT: with NT set, iret would switch tasks.
	movl	UTF_ESP(%esp), %eax
	subl	$12, %eax
	movl	UTF_EIP(%esp), %ecx
	movl	UTF_EFLAGS(%esp), %edx
	movl	%ecx, (%eax)
	movl	%cs, %ecx
	movl	%ecx, 4(%eax)
	movl	%edx, 8(%eax)
	movl	%eax, UTF_EIP(%esp) // The popl below loads esp from here.
	addl	$UTF_REGS, %esp
	popal
	popl	%esp
	iret
	.size return_and_step, . - return_and_step
	.cfi_endproc
