// Pass the events of the probes (kern/probe.h) to the listeners that are turned on.

#include <kern/cpu.h>
#include <kern/probe.h>

HOT_DATA uint8_t probe_listeners;

static probe_handler *handlers[LISTENERS];

void
probe_listen(int listener, probe_handler *handler, bool on)
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
	// probe() is inlined, so this is an address in the function that reports the event.
	uintptr_t place = (uintptr_t)__builtin_return_address(0);

	for (int i = 0; i < LISTENERS; i++) {
		if (probe_listeners & 1 << i)
			handlers[i](kind, argument, place);
	}
}
