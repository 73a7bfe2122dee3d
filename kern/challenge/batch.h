#ifndef JOS_KERN_BATCH_H
#define JOS_KERN_BATCH_H

// Many calls by one entry (batch.c).

#include <inc/syscall.h>
#include <inc/types.h>

// Carry out n calls of curenv's, or the first BATCH_MOST of them, and then store their results.
// flags: BATCH_STOP or 0. Returns how many were made, the failed ones among them; -E_INVAL for
// other flags, and for an array that is not on a word boundary. If curenv may not write to the
// array, before or afterwards, it is destroyed, and NULL. The caller holds the big lock.
int sys_batch(struct BatchCall *array, size_t n, int flags);

#endif // JOS_KERN_BATCH_H
