// What the big lock costs, for each CPU: `lockstat` at the monitor's prompt. How often it
// is taken is always counted, by an instruction; what happens while it is waited for is,
// too, since that is slow anyway. How long it is held takes a look at the time stamp counter
// each time, so that is measured only from `lockstat on` to `lockstat off`, and not while
// the monitor has it.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/check/jitter.h>
#include <kern/check/lockstat.h>
#include <kern/spinlock.h>

static bool measuring;

void
lockstat_begin(struct LockStat *stat)
{
	stat->since = measuring ? read_tsc() : 0;
}

void
lockstat_end(struct LockStat *stat)
{
	uint64_t held = stat->since ? read_tsc() - stat->since : 0;

	stat->held += held;
	stat->longest = MAX(stat->longest, held);
	stat->since = 0;
}

// Measure how long the lock is held, from the end of the monitor on; or no longer.
static void
measure(bool on)
{
	for (int i = 0; on && i < ncpu; i++)
		cpus[i].cpu_lockstat.longest = 0;
	measuring = on;
	lock_kernel_slowly(on || jitter_seed);
}

static void
print_stats(void)
{
	uint64_t longest = 0;

	cprintf("Times in 1000 ticks of the time stamp counter; how long it is held is %s\n",
	    measuring ? "measured" : "not measured now");
	cprintf("CPU       taken   contended       slept      waited        held\n");
	for (int i = 0; i < ncpu; i++) {
		const struct LockStat *stat = &cpus[i].cpu_lockstat;
		cprintf("%3d  %10u  %10u  %10u  %10llu  %10llu\n", i, stat->taken, stat->contended,
		    stat->slept, stat->waited / 1000, stat->held / 1000);
		longest = MAX(longest, stat->longest);
	}
	cprintf("At once, it was held for %llu ticks at most\n", longest);
}

int
mon_lockstat(int argc, char **argv, struct Trapframe *tf)
{
	if (argc == 1)
		print_stats();
	else if (argc == 2 && strcmp(argv[1], "on") == 0)
		measure(true);
	else if (argc == 2 && strcmp(argv[1], "off") == 0)
		measure(false);
	else
		cprintf("Usage: lockstat, lockstat on (measure how long it is held), or off\n");
	return 0;
}
