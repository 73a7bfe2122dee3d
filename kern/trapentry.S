// Entry into the kernel and return, for exceptions, interrupts and system calls:
//
//	1. The CPU switches to the kernel stack and pushes the first part of the trap frame.
//	2. The vector's stub pushes 0 if the CPU pushed no error code. It then pushes the vector.
//	3. all_traps pushes the other registers and calls trap(tf), in trap.c. For a system call,
//	   trap() calls trap_dispatch(), which calls syscall(), which stores the result in tf.
//	4. trap() returns. all_traps pops the registers, and iret returns to the program.
//
// If another environment runs next, trap() does not return. Instead, env_pop_tf (env.c) does step
// 4. (By default, system calls enter the kernel faster, in challenge/sysentry.S: challenge_init
// replaces their gate. `make CHALLENGES=` builds the kernel without this path.)
//
// After a trap from user mode, the frame is at the top of this CPU's kernel stack. The numbers at
// the right are the steps that push each part:
//
//	KSTACKTOP_CPU(i) -> +---------------------+
//	                    | ss, esp             |  1, from user mode only
//	                    | eflags, cs, eip     |  1 (Intel, volume 3, section 6.12.1)
//	                    | error code          |  1 or 2
//	                    | vector              |  2
//	                    | ds, es, eax ... edi |  3
//	              tf -> +---------------------+

#include <inc/memlayout.h>
#include <inc/mmu.h>
#include <inc/trap.h>

#include <kern/check/unwind.inc> // unwind_int: how GDB finds the interrupted code
#include <kern/trap.h>

// Offset of tf_cs in struct Trapframe, in bytes
#define TF_CS 52

	// Step 2: one stub of STUB_SIZE bytes per vector. Exercise 13.
	.text
	.globl trap_stubs
	.type trap_stubs, @function
	.balign STUB_SIZE
trap_stubs:
	.set vector, 0
	.rept 256
	.balign STUB_SIZE
	.if vector > 31
	pushl $0
	.elseif ((TRAP_ERRCODES >> vector) & 1) == 0
	pushl $0
	.endif
	pushl $vector
	jmp all_traps
	.set vector, vector + 1
	.endr
	.size trap_stubs, . - trap_stubs
	unwind_int trap_stubs

	.section .text.hot, "ax"
	.globl all_traps
	.type all_traps, @function
all_traps:
	// Step 3: complete the struct Trapframe, and call trap() with its address.
	pushl %ds
	pushl %es
	pushal
	movl $GD_KD, %eax // Load the kernel's data segments.
	movw %ax, %ds
	movw %ax, %es
	cld // C code needs the direction flag clear, but a program may have set it.
	testb $3, TF_CS(%esp)
	jz 1f
	xorl %ebp, %ebp // With ebp 0, a backtrace ends here, before the program's frames.
1:	pushl %esp
	call trap
	addl $4, %esp

	// Step 4: pop the registers from the frame, and return.
	popal
	popl %es
	popl %ds
	addl $8, %esp // Skip the vector and the error code.
	iret
	.size all_traps, . - all_traps
	unwind_int all_traps
