#ifndef JOS_KERN_CHECK_COMMANDS_H
#define JOS_KERN_CHECK_COMMANDS_H

#include <inc/trap.h>

// Commands of the monitor that start programs, destroy environments, check the kernel, and power
// the machine off (commands.c). monitor.c describes the parameters and results.
int mon_programs(int argc, char **argv, struct Trapframe *tf);
int mon_run(int argc, char **argv, struct Trapframe *tf);
int mon_kill(int argc, char **argv, struct Trapframe *tf);
int mon_failalloc(int argc, char **argv, struct Trapframe *tf);
int mon_audit(int argc, char **argv, struct Trapframe *tf);
int mon_trace(int argc, char **argv, struct Trapframe *tf); // traceprint.c
int mon_shutdown(int argc, char **argv, struct Trapframe *tf);

#endif // JOS_KERN_CHECK_COMMANDS_H
