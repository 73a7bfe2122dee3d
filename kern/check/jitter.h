#ifndef JOS_KERN_CHECK_JITTER_H
#define JOS_KERN_CHECK_JITTER_H

#include <inc/types.h>

// Making races happen (jitter.c).

// The option jitter=SEED: from now on. Returns false if the value is no number from 1 to 999999999.
bool jitter_set(const char *value);

#endif // JOS_KERN_CHECK_JITTER_H
