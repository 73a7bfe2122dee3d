#ifndef JOS_KERN_CHECK_BREAKIN_H
#define JOS_KERN_CHECK_BREAKIN_H

#include <inc/trap.h>

#include <kern/dev/console.h>
#include <kern/check/step.h>

// Return whether this CPU must enter the monitor now, because Ctrl-C was typed, or because a step
// has ended (breakin.c). Prints the environments if Ctrl-P was typed. tf is the frame of an
// interrupt of curenv, or NULL if this CPU has nothing to run. The caller holds the big lock.
bool breakin_take(const struct Trapframe *tf);

static inline bool
breakin_wanted(const struct Trapframe *tf)
{
	return (cons_requests || step_arrived) && breakin_take(tf);
}

#endif // JOS_KERN_CHECK_BREAKIN_H
