// Exceptions that a program handles itself, page faults above all. The kernel puts
// a struct UTrapframe on the program's exception stack and makes it go on at the
// upcall that it named; lib/pfentry.S finds its way back without the kernel. A fault
// within a handler goes below what is on the exception stack already, with a word
// in between that lib/pfentry.S needs:
//
//	UXSTACKTOP -> +---------------------+
//	              | struct UTrapframe   |
//	              | the handler's stack |
//	      esp --> +---------------------+
//	              | one empty word      |
//	              | struct UTrapframe   |  of the second fault
//	      esp --> +---------------------+

#include <inc/assert.h>

#include <kern/env.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>
#include <kern/spinlock.h>
#include <kern/upcall.h>

#define XSTACK_BOTTOM (UXSTACKTOP - PGSIZE)

// Not what tells of the machine's state (NMI, machine check) or the kernel's (double
// fault, invalid TSS), nor breakpoints, which are the kernel monitor's.
#define POSSIBLE                                                                       \
	(1 << T_DIVIDE | 1 << T_DEBUG | 1 << T_OFLOW | 1 << T_BOUND | 1 << T_ILLOP |   \
	    1 << T_SEGNP | 1 << T_STACK | 1 << T_GPFLT | 1 << T_PGFLT | 1 << T_FPERR | \
	    1 << T_ALIGN | 1 << T_SIMDERR)

bool
upcall_possible(uint32_t trapno)
{
	return trapno <= T_SIMDERR && (POSSIBLE & 1 << trapno);
}

// Exercise 9.
void
upcall_enter(struct Trapframe *tf, void *upcall, uint32_t fault_va)
{
	struct Env *e = curenv;
	uintptr_t sp = UXSTACKTOP;

	assert(kernel_locked());
	// A handler that has run over is on the empty page below.
	if (tf->tf_esp > USTACKTOP && tf->tf_esp < UXSTACKTOP)
		sp = tf->tf_esp - sizeof(uint32_t);
	sp -= sizeof(struct UTrapframe);
	// Below the exception stack nothing is mapped, unless the program did that: it
	// shall not run over into it all the same.
	if (sp < XSTACK_BOTTOM || !user_page_ok(e, (void *)XSTACK_BOTTOM, PTE_W)) {
		user_mem_fail(e, sp);
		return;
	}
	if (!user_page_ok(e, upcall, 0)) {
		user_mem_fail(e, (uintptr_t)upcall);
		return;
	}

	struct UTrapframe *utf = (struct UTrapframe *)sp;
	user_access_begin();
	utf->utf_fault_va = fault_va;
	utf->utf_err = tf->tf_err;
	movsl(&utf->utf_regs, &tf->tf_regs, sizeof(tf->tf_regs) / sizeof(uint32_t));
	utf->utf_eip = tf->tf_eip;
	utf->utf_eflags = tf->tf_eflags;
	utf->utf_esp = tf->tf_esp;
	user_access_end();
	tf->tf_esp = sp;
	tf->tf_eip = (uintptr_t)upcall;
	// C wants the direction flag clear; and it is the program that is single-stepped,
	// if it is, not its handler.
	tf->tf_eflags &= ~(FL_DF | FL_TF);
}
