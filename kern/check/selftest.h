#ifndef JOS_KERN_SELFTEST_H
#define JOS_KERN_SELFTEST_H

#include <inc/types.h>

// Called for the command-line option selftest=NAME. Makes the mistake `name` now; the kernel must
// detect it (selftest.c). The name ends at a space or at the end of the text. Returns false if
// there is no mistake of this name.
bool selftest_run(const char *name);

#endif // JOS_KERN_SELFTEST_H
