#ifndef JOS_KERN_CHECK_JITTER_H
#define JOS_KERN_CHECK_JITTER_H

#include <inc/types.h>

// Random delays that make races more likely (jitter.c).

// Called for the command-line option jitter=SEED. Starts the delays. Returns false if the value is
// not a number from 1 to 999999999.
bool jitter_set(const char *value);

#endif // JOS_KERN_CHECK_JITTER_H
