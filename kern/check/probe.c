// Pass the events of the probes (kern/probe.h) to the listeners that are turned on.

#include <kern/cpu.h>
#include <kern/probe.h>

HOT_DATA uint8_t probe_listeners;

static void (*handlers[LISTENERS])(enum ProbeKind, uint32_t);

void
probe_listen(int listener, void (*handler)(enum ProbeKind, uint32_t), bool on)
{
	handlers[listener] = handler;
	if (on)
		probe_listeners |= 1 << listener;
	else
		probe_listeners &= ~(1 << listener);
}

void
probe_tell(enum ProbeKind kind, uint32_t argument)
{
	for (int i = 0; i < LISTENERS; i++) {
		if (probe_listeners & 1 << i)
			handlers[i](kind, argument);
	}
}
