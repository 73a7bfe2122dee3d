#ifndef JOS_KERN_WAIT_H
#define JOS_KERN_WAIT_H

#include <inc/env.h>

// Environments that wait in a system call (wait.c). The caller holds the big lock.

// Put curenv at the end of a queue, and make curenv ENV_NOT_RUNNABLE.
void wait_in(struct EnvQueue *queue);

// If e waits in a queue, remove e from the queue.
void wait_leave(struct Env *e);

// End the wait of e. Its system call returns `result`. If e was not stopped during the wait, e
// becomes runnable.
void wait_end(struct Env *e, int32_t result);

// Cancel the wait of e, because its parent has made it runnable. e's call returns -E_UNSPECIFIED.
void wait_cancel(struct Env *e);

// The queue of environments that wait for a character from the console. cons_wait adds curenv to
// the queue. cons_wake_readers gives each character that has arrived to the first environment in
// the queue, and wakes this environment. A call wakes at most 32 environments, so that the lock is
// not held for long. It returns whether it has woken any environment.
extern struct EnvQueue cons_readers;
void cons_wait(void);
bool cons_wake_readers(void);

static inline bool
cons_has_waiters(void)
{
	return cons_readers.head != NULL;
}

#endif // JOS_KERN_WAIT_H
