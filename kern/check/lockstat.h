#ifndef JOS_KERN_LOCKSTAT_H
#define JOS_KERN_LOCKSTAT_H

// What the big lock costs each CPU (lockstat.c). A CPU changes its own when it has the
// lock, or is about to.

#include <inc/trap.h>
#include <inc/types.h>

struct LockStat {
	uint32_t taken;     // How often it took the lock: all counts begin again after 2^32
	uint32_t contended; // How often another one had it
	uint32_t slept;     // How often it halted meanwhile
	uint64_t waited;    // How long it waited, in ticks of the time stamp counter
	uint64_t held;      // How long it had the lock: only while that is measured
	uint64_t longest;   // The longest time at once, since measuring began
	uint64_t since;     // Since when it has it now, 0 if that is not measured
};

// This CPU has got the lock, and is about to drop it: what is measured then.
void lockstat_begin(struct LockStat *stat);
void lockstat_end(struct LockStat *stat);

// The monitor's command: lockstat [on|off].
int mon_lockstat(int argc, char **argv, struct Trapframe *tf);

#endif // JOS_KERN_LOCKSTAT_H
