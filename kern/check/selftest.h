#ifndef JOS_KERN_SELFTEST_H
#define JOS_KERN_SELFTEST_H

#include <inc/types.h>

// The option selftest=NAME (selftest.c): make that mistake now, which the kernel must
// notice. False if there is no such one.
bool selftest_run(const char *name);

#endif // JOS_KERN_SELFTEST_H
