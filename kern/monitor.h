#ifndef JOS_KERN_MONITOR_H
#define JOS_KERN_MONITOR_H

#include <inc/trap.h>

// Read commands from the console and carry them out, until one of them ends it. tf
// is the trap that led here, or NULL. The caller holds the big lock (unless it
// panicked), so the other CPUs stand still as soon as they want something.
void monitor(struct Trapframe *tf);

// Commands get their words and tf. Less than 0 ends the monitor.
int mon_help(int argc, char **argv, struct Trapframe *tf);
int mon_kerninfo(int argc, char **argv, struct Trapframe *tf);
int mon_backtrace(int argc, char **argv, struct Trapframe *tf);
int mon_programs(int argc, char **argv, struct Trapframe *tf);
int mon_run(int argc, char **argv, struct Trapframe *tf);
int mon_kill(int argc, char **argv, struct Trapframe *tf);
int mon_failalloc(int argc, char **argv, struct Trapframe *tf);
int mon_audit(int argc, char **argv, struct Trapframe *tf);
int mon_shutdown(int argc, char **argv, struct Trapframe *tf);
int mon_continue(int argc, char **argv, struct Trapframe *tf);

#endif // JOS_KERN_MONITOR_H
