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

// Offsets in struct Trapframe.
#define TF_EDI    0
#define TF_ESI    4
#define TF_EBP    8
#define TF_EBX    16
#define TF_EDX    20
#define TF_ECX    24
#define TF_EAX    28
#define TF_ES     32
#define TF_DS     36
#define TF_EIP    48
#define TF_CS     52
#define TF_EFLAGS 56
#define TF_ESP    60
#define TF_SS     64

	// The stubs of all vectors: exceptions, interrupts and the system call. Exercise 13.
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
	popal
	popl %es
	popl %ds
	addl $8, %esp // The vector and the error code.
	iret
	.size all_traps, . - all_traps

	// void env_pop_tf(struct Trapframe *tf): go to user mode with the registers in tf. Never
	// returns. The stack stays the kernel's: an NMI may come at any instruction here, and
	// writes below esp, where the environment's neighbour would be if esp pointed to env_tf.
	.globl env_pop_tf
	.type env_pop_tf, @function
env_pop_tf:
	movl 4(%esp), %eax
	pushl TF_SS(%eax)
	pushl TF_ESP(%eax)
	pushl TF_EFLAGS(%eax)
	pushl TF_CS(%eax)
	pushl TF_EIP(%eax)
	movl TF_EDI(%eax), %edi
	movl TF_ESI(%eax), %esi
	movl TF_EBP(%eax), %ebp
	movl TF_EBX(%eax), %ebx
	movl TF_EDX(%eax), %edx
	movl TF_ECX(%eax), %ecx
	movw TF_ES(%eax), %es
	movw TF_DS(%eax), %ds // The program's from here on: ss is still the kernel's.
	movl %ss:TF_EAX(%eax), %eax
	iret
	.size env_pop_tf, . - env_pop_tf
