#ifndef JOS_KERN_MONITOR_H
#define JOS_KERN_MONITOR_H

#include <inc/trap.h>

// Read commands from the console and execute them, until a command ends the monitor. tf is the
// frame of the trap that called the monitor, or NULL. The caller holds the big lock, so other CPUs
// wait when they enter the kernel. (After a panic, the other CPUs are stopped instead.)
void monitor(struct Trapframe *tf);

#endif // JOS_KERN_MONITOR_H
