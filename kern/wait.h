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

// The environments that wait for a character from the console. cons_wait puts curenv among them.
// cons_wake_readers gives them the characters that have arrived, first come, first served, and
// returns whether it woke any; it wakes at most 32, so that the lock is not held for long.
extern struct EnvQueue cons_readers;
void cons_wait(void);
bool cons_wake_readers(void);

static inline bool
cons_has_waiters(void)
{
	return cons_readers.head != NULL;
}

#endif // JOS_KERN_WAIT_H
