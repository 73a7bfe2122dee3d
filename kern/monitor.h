#ifndef JOS_KERN_MONITOR_H
#define JOS_KERN_MONITOR_H

#include <inc/trap.h>

// Read commands from the console and run them, until a command ends the monitor. tf is the frame of
// the trap that led here, or NULL. The caller holds the big lock, so each other CPU waits when it
// enters the kernel. After a panic the lock is not needed: the other CPUs are stopped.
void monitor(struct Trapframe *tf);

#endif // JOS_KERN_MONITOR_H
