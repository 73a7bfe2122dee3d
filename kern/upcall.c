// Page faults that a program handles itself. The program sets an upcall, the address of its
// handler. On a page fault, page_fault_handler (trap.c) calls upcall_enter, which pushes a struct
// UTrapframe on the program's exception stack, and makes the program continue at the upcall. The
// upcall returns to the interrupted code without the kernel (lib/pfentry.S). If the handler itself
// faults, the next frame goes below the handler's stack, after one empty word for lib/pfentry.S:
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

// Exercise 9.
void
upcall_enter(struct Trapframe *tf, void *upcall, uint32_t fault_va)
{
	struct Env *e = curenv;
	uintptr_t sp = UXSTACKTOP;

	assert(kernel_locked());
	// If a handler is running, esp is on the exception stack. If the handler's stack has
	// overflowed, esp is on the empty page below the exception stack.
	if (tf->tf_esp > USTACKTOP && tf->tf_esp < UXSTACKTOP)
		sp = tf->tf_esp - sizeof(uint32_t);
	sp -= sizeof(struct UTrapframe);
	// The frame must fit on the exception stack, even if the program has mapped the page below.
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
	// C code needs DF clear. Clear TF too, because single steps are not for the handler.
	tf->tf_eflags &= ~(FL_DF | FL_TF);
}
