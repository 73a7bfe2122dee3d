#ifndef JOS_KERN_SELFTEST_H
#define JOS_KERN_SELFTEST_H

#include <inc/types.h>

// Called for the command-line option selftest=NAME. Makes the mistake called `name`, which the
// kernel must detect (selftest.c). The name ends at a space or at the end of the text. Returns
// false if there is no mistake with this name.
bool selftest_run(const char *name);

#endif // JOS_KERN_SELFTEST_H
