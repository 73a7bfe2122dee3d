#ifndef JOS_KERN_SELFTEST_H
#define JOS_KERN_SELFTEST_H

#include <inc/types.h>

// The command-line option selftest=NAME: make the mistake NAME now, which the kernel must detect
// (selftest.c). The name ends at a space or at the end of the text. Returns false if there is no
// such mistake.
bool selftest_run(const char *name);

#endif // JOS_KERN_SELFTEST_H
