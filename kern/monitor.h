#ifndef JOS_KERN_MONITOR_H
#define JOS_KERN_MONITOR_H

#include <inc/trap.h>

// Read commands from the console and run them, until a command ends the monitor. tf is the trap
// that led here, or NULL. The caller holds the big lock, unless it panicked, so each other CPU
// waits when it enters the kernel.
void monitor(struct Trapframe *tf);

#endif // JOS_KERN_MONITOR_H
