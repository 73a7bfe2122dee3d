// Passes the events of the core's probes (kern/probe.h) on to the listeners that are on.

#include <kern/check/jitter.h>
#include <kern/check/lockstat.h>
#include <kern/cpu.h>
#include <kern/probe.h>

HOT_DATA uint8_t probe_listeners;

// The caller holds the big lock. Another CPU may miss a few events around the change.
void
probe_listen(uint32_t listener, bool on)
{
	if (on)
		probe_listeners |= listener;
	else
		probe_listeners &= ~listener;
}

void
probe_tell(enum ProbeKind kind, uint32_t argument)
{
	uint32_t listeners = probe_listeners;

	if (listeners & LISTEN_LOCKSTAT)
		lockstat_hear(kind);
	if (listeners & LISTEN_JITTER)
		jitter_hear(kind);
}
