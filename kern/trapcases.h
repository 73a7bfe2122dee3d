#ifndef JOS_KERN_TRAPCASES_H
#define JOS_KERN_TRAPCASES_H

// Rare cases in the handling of traps: virtual-8086 mode, bad flags and segments, single steps, and
// traps that must repeat (trapcases.c). Skip this file when you read the kernel for the first time.

#include <inc/env.h>
#include <inc/mmu.h>
#include <inc/trap.h>

// Return whether a trap came from user mode. Virtual-8086 mode (EFLAGS.VM) counts as user mode.
// Intel's manual does not let a program enter this mode, because iret loads VM only at privilege
// level 0 (volume 2, iret). But in QEMU, a program's iret loads VM and all other flags. In
// virtual-8086 mode, tf_cs is not a selector, so its low bits do not contain the privilege level.
// Also, the CPU has pushed more than a struct Trapframe, so tf is not where env_frame expects it.
static inline bool
trap_from_user(const struct Trapframe *tf)
{
	return (tf->tf_cs & 3) || (tf->tf_eflags & FL_VM);
}

// Return whether the flags in a trap frame are safe in user mode. If IOPL is 3, a program can use
// all I/O ports. If IF is 0, a program can keep its CPU. In virtual-8086 mode, it can do both.
//
// Invariant: all trap frames that the kernel keeps have safe flags. Before the return to user mode,
// each entry point of the kernel checks the flags (trap, and syscall_int in challenge/sysentry.S)
// or sets safe flags (sysenter_entry). env_run asserts that VM and IOPL are clear in env_tf.
static inline bool
user_flags_ok(const struct Trapframe *tf)
{
	return (tf->tf_eflags & (FL_PRIVILEGED | FL_IF)) == FL_IF;
}

// Return whether to handle the trap of an environment with this status now. Another CPU may have
// stopped or destroyed the environment while it ran. Then trap_rewind makes the trap repeat when
// the environment runs again. But a trap after a single step (T_DEBUG) cannot repeat, so handle
// this trap even if the environment has been stopped.
static inline bool
trap_is_due(const struct Trapframe *tf, unsigned status)
{
	return status == ENV_RUNNING || (status == ENV_NOT_RUNNABLE && tf->tf_trapno == T_DEBUG);
}

// Move eip back, so that the trap repeats when the environment runs again.
void trap_rewind(struct Trapframe *tf);

// Make the segment registers in a trap frame from kernel mode safe to load (see trapcases.c).
void trap_fix_segments(struct Trapframe *tf);

// If an NMI arrived at a `hlt`, continue after the `hlt` (see trapcases.c).
void trap_skip_halt(struct Trapframe *tf);

#endif // JOS_KERN_TRAPCASES_H
