#ifndef JOS_KERN_TRAPCASES_H
#define JOS_KERN_TRAPCASES_H

// Special cases of traps, which trap.c must not forget: virtual-8086 mode, bad flags and segments,
// single steps, and repeating a trap (trapcases.c). A first reader can skip this file.

#include <inc/env.h>
#include <inc/mmu.h>
#include <inc/trap.h>

// Virtual-8086 mode. No program can enter it where iret and popf work as Intel's manual says, but
// QEMU's iret loads EFLAGS.VM in user mode together with any other flags (volume 2, iret: that
// needs privilege level 0). In that mode tf_cs holds no selector, so its low bits say nothing about
// user mode; and the CPU has pushed more than a struct Trapframe, so tf is not where env_frame
// looks for it.
static inline bool
trap_from_user(const struct Trapframe *tf)
{
	return (tf->tf_cs & 3) || (tf->tf_eflags & FL_VM);
}

// Whether a trap frame's flags may be loaded into user mode. A program with IOPL 3 could use all
// I/O ports and cli; a program with IF clear could keep its CPU; virtual-8086 mode gives both.
//
// The invariant: every way into the kernel either checks this (trap, and syscall_int in
// challenge/sysentry.S) or makes it true (sysenter_entry), before any way out. So each frame that
// the kernel keeps is good; env_run asserts that no env_tf has VM or IOPL.
static inline bool
user_flags_ok(const struct Trapframe *tf)
{
	return (tf->tf_eflags & (FL_PRIVILEGED | FL_IF)) == FL_IF;
}

// Stopped environments. Another CPU may have stopped or destroyed the environment since its CPU was
// last in the kernel. Then the trap must not be handled now: trap_rewind makes it repeat when the
// environment runs again. The exception is a single step of a stopped environment, which has been
// done and cannot repeat. Returns whether to handle the trap of an environment with this status.
static inline bool
trap_is_due(const struct Trapframe *tf, unsigned status)
{
	return status == ENV_RUNNING || (status == ENV_NOT_RUNNABLE && tf->tf_trapno == T_DEBUG);
}

// Move eip back so that the trap repeats when the environment runs.
void trap_rewind(struct Trapframe *tf);

// Make the segments in a trap frame from kernel mode safe to load: see trapcases.c.
void trap_fix_segments(struct Trapframe *tf);

// An NMI arrived at a `hlt`: continue after it. See trapcases.c.
void trap_skip_halt(struct Trapframe *tf);

#endif // JOS_KERN_TRAPCASES_H
