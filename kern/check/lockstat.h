#ifndef JOS_KERN_CHECK_LOCKSTAT_H
#define JOS_KERN_CHECK_LOCKSTAT_H

// What the big lock costs each CPU (lockstat.c).

#include <inc/trap.h>

// The option lockstat=on: measure from now on. Returns false if the value is another one.
bool lockstat_set(const char *value);

// The monitor's command: lockstat [on|off].
int mon_lockstat(int argc, char **argv, struct Trapframe *tf);

#endif // JOS_KERN_CHECK_LOCKSTAT_H
