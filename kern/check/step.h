#ifndef JOS_KERN_CHECK_STEP_H
#define JOS_KERN_CHECK_STEP_H

#include <inc/trap.h>

// The monitor's command `step` (step.c). The caller of these functions holds the big lock.

// Number of programs whose step was a trap that is now handled: an interrupt has been sent, which
// arrives before the program's next instruction. step_has_arrived returns whether curenv is such a
// program.
extern volatile uint32_t step_arrived;
bool step_has_arrived(void);

// Return whether the debug exception tf ends a step of curenv. (Otherwise the program has set the
// trap flag itself.)
bool step_done(const struct Trapframe *tf);

// The monitor starts with the frame tf of curenv. If this ends a step, make the flags in tf what
// they would be without the step, print eip, and return true.
bool step_end(struct Trapframe *tf);

#endif // JOS_KERN_CHECK_STEP_H
