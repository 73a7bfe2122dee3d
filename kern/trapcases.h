#ifndef JOS_KERN_TRAPCASES_H
#define JOS_KERN_TRAPCASES_H

// Special cases of traps, which trap.c must handle: virtual-8086 mode, bad flags and segments,
// single steps, and repeating a trap (trapcases.c). A first reader can skip this file.

#include <inc/env.h>
#include <inc/mmu.h>
#include <inc/trap.h>

// Return whether a trap came from user mode. Virtual-8086 mode counts as user mode. No program can
// enter virtual-8086 mode where iret and popf work as Intel's manual says, but QEMU's iret loads
// EFLAGS.VM in user mode together with any other flags (volume 2, iret: that needs privilege level
// 0). In virtual-8086 mode tf_cs holds no selector, so its low bits say nothing about user mode;
// and the CPU has pushed more than a struct Trapframe, so tf is not where env_frame expects it.
static inline bool
trap_from_user(const struct Trapframe *tf)
{
	return (tf->tf_cs & 3) || (tf->tf_eflags & FL_VM);
}

// Return whether it is safe to return to user mode with a trap frame's flags. With IOPL 3 a program
// could use all I/O ports; with IF clear it could keep its CPU; in virtual-8086 mode it could do
// both.
//
// Invariant: before it returns to user mode, every entry point of the kernel either checks the
// flags (trap, and syscall_int in challenge/sysentry.S) or sets valid flags (sysenter_entry). So
// every frame that the kernel keeps has valid flags; env_run asserts that no env_tf has VM or IOPL.
static inline bool
user_flags_ok(const struct Trapframe *tf)
{
	return (tf->tf_eflags & (FL_PRIVILEGED | FL_IF)) == FL_IF;
}

// Return whether to handle the trap of an environment with this status. Another CPU may have
// stopped or destroyed the environment since this CPU was last in the kernel. Then the trap must
// not be handled now: trap_rewind makes the trap repeat when the environment runs again. The
// exception is the trap of a stopped environment's single step: the step is done and cannot repeat.
static inline bool
trap_is_due(const struct Trapframe *tf, unsigned status)
{
	return status == ENV_RUNNING || (status == ENV_NOT_RUNNABLE && tf->tf_trapno == T_DEBUG);
}

// Move eip back so that the trap repeats when the environment runs.
void trap_rewind(struct Trapframe *tf);

// Make the segments in a trap frame from kernel mode safe to load (trapcases.c says why).
void trap_fix_segments(struct Trapframe *tf);

// If an NMI arrived at a `hlt`, continue after the `hlt` (trapcases.c says why).
void trap_skip_halt(struct Trapframe *tf);

#endif // JOS_KERN_TRAPCASES_H
