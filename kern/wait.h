#ifndef JOS_KERN_WAIT_H
#define JOS_KERN_WAIT_H

#include <inc/env.h>

// Environments that wait in a system call (wait.c). The caller holds the big lock.

// Put curenv, which becomes not runnable, at the end of a queue.
void wait_in(struct EnvQueue *queue);

// Take an environment out of the queue in which it waits, if it waits in one.
void wait_leave(struct Env *e);

// End the wait of an environment: its call returns `result`. It becomes runnable, unless it was
// stopped meanwhile.
void wait_end(struct Env *e, int32_t result);

// End the wait of an environment because its parent has made it runnable: its call returns
// -E_UNSPECIFIED.
void wait_break_off(struct Env *e);

#endif // JOS_KERN_WAIT_H
