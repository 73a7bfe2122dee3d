#ifndef JOS_KERN_WAIT_H
#define JOS_KERN_WAIT_H

#include <inc/env.h>

// Environments that wait in a system call (wait.c). The caller holds the big lock.

// Put curenv at the end of a queue. curenv becomes not runnable.
void wait_in(struct EnvQueue *queue);

// If an environment waits in a queue, take it out of the queue.
void wait_leave(struct Env *e);

// End the wait of an environment: its call returns `result`. It becomes runnable, unless it was
// stopped meanwhile.
void wait_end(struct Env *e, int32_t result);

// End the wait of an environment whose parent has made it runnable: its call returns
// -E_UNSPECIFIED.
void wait_break_off(struct Env *e);

// The environments that wait for a character from the console. cons_wait adds curenv to them.
// cons_wake_readers gives them the characters that have arrived, in the order in which the
// environments began to wait, and returns whether any environment was woken. It wakes at most 32
// environments, so that the lock is not held for long.
extern struct EnvQueue cons_readers;
void cons_wait(void);
bool cons_wake_readers(void);

static inline bool
cons_has_waiters(void)
{
	return cons_readers.head != NULL;
}

#endif // JOS_KERN_WAIT_H
