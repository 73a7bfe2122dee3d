#ifndef JOS_KERN_PROBE_H
#define JOS_KERN_PROBE_H

// The hook for listeners, which are tools in kern/check/ that watch the kernel. The core calls
// probe() wherever an event happens that a listener may want to know. Without a listener, probe()
// only tests one byte. kern/check/probe.c passes each event on to the listeners.

#include <inc/types.h>

// The events. If an event has an argument, its comment describes it after "Argument:"; otherwise
// the argument is 0.
enum ProbeKind {
	PROBE_ENTER,      // This CPU has left user mode. Argument: the trap frame's address
	PROBE_LEAVE,      // This CPU is about to enter user mode
	PROBE_LOCK_WAIT,  // Another CPU holds the big lock: this CPU starts to wait
	PROBE_LOCK_SLEEP, // This CPU has waited for long, and is about to halt until it is woken
	PROBE_LOCK_TAKEN, // This CPU has taken the big lock
	PROBE_LOCK_DROP,  // This CPU is about to drop the big lock
	PROBE_SPIN,       // A lock other than the big lock is about to be taken, or was dropped
	PROBE_RUN,        // Another environment has been put on this CPU. Argument: its id
	PROBE_IDLE,       // There is no environment to run: this CPU starts to poll for one
	PROBE_HALT,       // This CPU has polled for long, and is about to halt
	PROBE_IPI,        // An interrupt is about to be sent. Argument: receiver << 8 | vector
	PROBE_FLUSH,      // Another CPU was told to flush its TLB. Argument: that CPU's number
	PROBE_FLUSHED,    // Before this CPU checks whether it must flush its TLB, and after that
	PROBE_MESSAGE,    // A message was delivered. Argument: the receiver's id
	PROBE_INTERRUPT,  // An interrupt ended this CPU's halt. Argument: the trap frame's address
	PROBE_BLOCK,   // curenv begins to wait. Argument: the EnvQueue; 0 if it waits for a message
	PROBE_FORK,    // An environment was made. Argument: its id
	PROBE_DESTROY, // An environment ends. Argument: its id
	PROBE_FAULT,   // curenv has a page fault. Argument: the address
	PROBE_STOP,    // The machine stops for the monitor
	PROBE_GO,      // The machine continues after the monitor
};

// The listeners. A listener's bit in probe_listeners is set while the listener is on.
enum {
	LISTENER_JITTER,   // kern/check/jitter.c
	LISTENER_LOCKSTAT, // kern/check/lockstat.c
	LISTENER_TRACE,    // kern/check/trace.c
	LISTENER_STEP,     // kern/check/step.c
	LISTENERS,
};

extern uint8_t probe_listeners;

// A listener's function. `place` is the address in the kernel where the event happened.
typedef void probe_handler(enum ProbeKind kind, uint32_t argument, uintptr_t place);

// Switch a listener on or off. While the listener is on, `handler` is called for each event. The
// caller holds the big lock. Another CPU may miss a few events around the change.
void probe_listen(int listener, probe_handler *handler, bool on);

// Pass an event on to the listeners that are on.
void probe_tell(enum ProbeKind kind, uint32_t argument);

// Report an event. May be called at any time, with any locks held.
static inline void
probe(enum ProbeKind kind, uint32_t argument)
{
	if (__builtin_expect(probe_listeners != 0, 0))
		probe_tell(kind, argument);
}

#endif // JOS_KERN_PROBE_H
