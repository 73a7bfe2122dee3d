#ifndef JOS_KERN_CHECK_LOCKSTAT_H
#define JOS_KERN_CHECK_LOCKSTAT_H

// Statistics of the big lock (lockstat.c).

#include <inc/types.h>

// Called for the command-line option lockstat=on. Starts the measurement. Returns false if the
// value is not "on".
bool lockstat_set(const char *value);

#endif // JOS_KERN_CHECK_LOCKSTAT_H
