// The way into the kernel, and the way out. (System calls may take a short cut:
// sysentry.S.)
//
// A trap comes through one of 256 stubs, which only make all of them look alike: an
// error code, real or 0, and the vector's number on the stack. all_traps completes
// the struct Trapframe and calls trap(). From user mode the frame is at the very
// top of this CPU's kernel stack:
//
//	KSTACKTOP_CPU(i) -> +---------------------+
//	                    | ss, esp             |  from user mode only
//	                    | eflags, cs, eip     |  by the CPU (Intel, volume 3,
//	                    | error code          |  section 6.12.1)
//	                    | vector              |  by the stub
//	                    | ds, es, eax ... edi |  by all_traps
//	             esp -> +---------------------+

#include <inc/memlayout.h>
#include <inc/mmu.h>
#include <inc/trap.h>

#include <kern/trap.h>

#define TF_CS 52 // Offset of tf_cs in struct Trapframe.

	.text
	.globl trap_stubs
	.type trap_stubs, @function
	.balign STUB_SIZE
trap_stubs:
	.set vector, 0
	.rept 256
	.balign STUB_SIZE
	.if vector == T_SYSCALL
	jmp syscall_int // Maybe to come back to all_traps.
	.else
	.if vector > 31
	pushl $0
	.elseif ((TRAP_ERRCODES >> vector) & 1) == 0
	pushl $0
	.endif
	pushl $vector
	jmp all_traps
	.endif
	.set vector, vector + 1
	.endr
	.size trap_stubs, . - trap_stubs

	.section .text.hot, "ax"
	.globl all_traps
	.type all_traps, @function
all_traps:
	pushl %ds
	pushl %es
	pushal
	movl $GD_KD, %eax
	movw %ax, %ds
	movw %ax, %es
	cld // C wants the direction flag clear, and users may leave it set.
	testb $3, TF_CS(%esp)
	jz 1f
	xorl %ebp, %ebp // A backtrace ends where the user's frames begin.
1:	pushl %esp
	call trap
	addl $4, %esp
	.size all_traps, . - all_traps

	// env_pop_tf comes in here, with esp pointing to another frame.
	.globl trap_return
	.type trap_return, @function
trap_return:
	popal
	popl %es
	popl %ds
	addl $8, %esp // The vector and the error code.
	iret
	.size trap_return, . - trap_return
