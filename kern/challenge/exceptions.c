// A program can handle exceptions other than page faults itself: a division by zero, for example.
// The handler runs like a page-fault handler (upcall.c), but the field utf_fault_va of its
// UTrapframe holds the exception's vector.

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/challenge/challenge.h>
#include <kern/challenge/fpu.h>
#include <kern/env.h>
#include <kern/upcall.h>

// The exceptions that a program may handle. Most of the other exceptions report an error of the
// hardware (NMI, machine check) or of the kernel (double fault, invalid TSS). Two of them have a
// purpose in the kernel: a breakpoint starts the kernel monitor, and T_DEVICE loads the
// floating-point registers.
#define POSSIBLE                                                                       \
	(1 << T_DIVIDE | 1 << T_DEBUG | 1 << T_OFLOW | 1 << T_BOUND | 1 << T_ILLOP |   \
	    1 << T_SEGNP | 1 << T_STACK | 1 << T_GPFLT | 1 << T_PGFLT | 1 << T_FPERR | \
	    1 << T_ALIGN | 1 << T_SIMDERR)

bool
challenge_trap(struct Trapframe *tf)
{
	uint32_t trapno = tf->tf_trapno;

	if (trapno == T_DEVICE)
		return fpu_trap();
	if (trapno > T_SIMDERR || !curenv->env_upcalls[trapno])
		return false;
	upcall_enter(tf, curenv->env_upcalls[trapno], trapno);
	return true;
}

int
sys_env_set_exception_upcall(envid_t envid, uint32_t trapno, void *upcall)
{
	struct Env *e = env_named(curenv, envid);

	if (!e)
		return -E_BAD_ENV;
	if (trapno > T_SIMDERR || !(POSSIBLE & 1 << trapno))
		return -E_INVAL;
	if (trapno == T_PGFLT)
		e->env_pgfault_upcall = upcall;
	else
		e->env_upcalls[trapno] = upcall;
	return 0;
}
