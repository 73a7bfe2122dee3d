// Statistics of the big lock: how often each CPU takes the lock, how long the CPU waits for the
// lock, and how long the CPU holds the lock. The monitor's command `lockstat on`, or lockstat=on on
// the command line, starts the measurement; `lockstat off` stops it; `lockstat` prints the result.
// The lock's probes report the events (kern/probe.h). The time in the monitor is not counted.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/check/commands.h>
#include <kern/check/lockstat.h>
#include <kern/cpu.h>
#include <kern/probe.h>

// One entry per CPU. Only that CPU changes its entry, except that measure() resets fields of all
// entries. Times are in ticks of the time stamp counter.
static struct LockStat {
	uint32_t taken;      // How often the CPU took the lock, modulo 2^32
	uint32_t contended;  // How often the CPU had to wait, because another CPU held the lock
	uint32_t slept;      // How often the CPU halted while it waited
	uint64_t waited;     // Total waiting time
	uint64_t held;       // Total time for which the CPU held the lock
	uint64_t longest;    // The longest single hold
	uint64_t wait_began; // When the current wait began; 0: the CPU is not waiting
	uint64_t hold_began; // When the current hold began; 0: the CPU does not hold the lock
} stats[NCPU];

static void
begin_wait(struct LockStat *stat)
{
	stat->contended++;
	stat->wait_began = read_tsc();
}

static void
begin_hold(struct LockStat *stat)
{
	stat->hold_began = read_tsc();
	if (stat->wait_began)
		stat->waited += stat->hold_began - stat->wait_began;
	stat->wait_began = 0;
}

static void
end_hold(struct LockStat *stat)
{
	uint64_t held = stat->hold_began ? read_tsc() - stat->hold_began : 0;

	stat->held += held;
	stat->longest = MAX(stat->longest, held);
	stat->hold_began = 0;
}

static void
lockstat_event(enum ProbeKind kind, uint32_t argument, uintptr_t place)
{
	struct LockStat *stat = &stats[cpunum()];

	switch (kind) {
	case PROBE_LOCK_WAIT:
		begin_wait(stat);
		break;
	case PROBE_LOCK_SLEEP:
		stat->slept++;
		break;
	case PROBE_LOCK_TAKEN:
		stat->taken++;
		begin_hold(stat);
		break;
	case PROBE_GO:
		begin_hold(stat);
		break;
	case PROBE_LOCK_DROP:
	case PROBE_STOP:
		end_hold(stat);
		break;
	default:
		break;
	}
}

static void
measure(bool on)
{
	for (int i = 0; i < ncpu; i++) {
		stats[i].wait_began = stats[i].hold_began = 0;
		if (on)
			stats[i].longest = 0;
	}
	probe_listen(LISTENER_LOCKSTAT, lockstat_event, on);
}

bool
lockstat_set(const char *value)
{
	bool on = strncmp(value, "on", 2) == 0 && (value[2] == ' ' || value[2] == '\0');

	if (on)
		measure(true);
	return on;
}

static void
print_stats(void)
{
	uint64_t longest = 0;

	cprintf("Times in 1000 ticks of the time stamp counter; measuring is %s\n",
	    probe_listeners & 1 << LISTENER_LOCKSTAT ? "on" : "off");
	cprintf("CPU       taken   contended       slept      waited        held\n");
	for (int i = 0; i < ncpu; i++) {
		const struct LockStat *stat = &stats[i];
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
		return COMMAND_USAGE;
	return COMMAND_DONE;
}
