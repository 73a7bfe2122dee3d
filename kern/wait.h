#ifndef JOS_KERN_WAIT_H
#define JOS_KERN_WAIT_H

#include <inc/env.h>

// Environments that wait in the kernel for something to happen (wait.c). The caller
// holds the big lock.

// Put curenv at the end of a queue, not runnable. Its call returns to the user when
// somebody wakes it.
void wait_in(struct EnvQueue *queue);

// Take an environment out of the queue it waits in, if it does.
void wait_leave(struct Env *e);

// Let an environment that waits, or receives, go on with an error, for its parent
// wants it to run.
void wait_break_off(struct Env *e);

// The wait of an environment is over: its call returns result, at once or, if it
// was stopped meanwhile, when it is let run again.
void wait_end(struct Env *e, int32_t result);

#endif // JOS_KERN_WAIT_H
