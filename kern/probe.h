#ifndef JOS_KERN_PROBE_H
#define JOS_KERN_PROBE_H

// The one hook for what watches the kernel. At each place where something happens that a watcher
// may want to know, the core calls probe(). Nothing listens at first, and then a probe is a test of
// one byte. The listeners are in kern/check/, where probe.c passes each event on to them.

#include <inc/types.h>

// What happens, and what the argument is (0 if nothing is said here).
enum ProbeKind {
	PROBE_ENTER,      // The CPU has left user mode. The trap frame's address
	PROBE_LEAVE,      // The CPU is about to enter user mode
	PROBE_LOCK_WAIT,  // Another CPU holds the big lock: this CPU starts to wait
	PROBE_LOCK_SLEEP, // It has waited for long, and is about to halt until it is woken
	PROBE_LOCK_TAKEN, // This CPU has taken the big lock
	PROBE_LOCK_DROP,  // This CPU is about to drop the big lock
	PROBE_SPIN,       // Before another spin lock is taken, and after it is dropped
	PROBE_RUN,        // Another environment has been put on this CPU. Its id
	PROBE_IDLE,       // There is no environment to run: the CPU starts to poll for one
	PROBE_HALT,       // It has polled for long, and is about to halt
	PROBE_IPI,        // An interrupt is about to be sent to another CPU. cpu << 8 | vector
	PROBE_FLUSH,      // Another CPU was told to flush its TLB. The CPU's number
	PROBE_FLUSHED,    // This CPU checks whether it must flush its TLB, or has flushed it
	PROBE_MESSAGE,    // A message was delivered. The receiver's id
	PROBE_STOP,       // The machine stops for the monitor
	PROBE_GO,         // It goes on
};

// The listeners: a bit of probe_listeners says whether one is on.
enum {
	LISTENER_JITTER,   // kern/check/jitter.c
	LISTENER_LOCKSTAT, // kern/check/lockstat.c
	LISTENERS,
};

extern uint8_t probe_listeners;

// Switch a listener on or off: when it is on, each event calls handler. The caller holds the big
// lock. Another CPU may miss a few events around the change.
void probe_listen(int listener, void (*handler)(enum ProbeKind kind, uint32_t argument), bool on);

// Pass an event on to the listeners that are on.
void probe_tell(enum ProbeKind kind, uint32_t argument);

// May be called at any time, with any lock held or none.
static inline void
probe(enum ProbeKind kind, uint32_t argument)
{
	if (__builtin_expect(probe_listeners != 0, 0))
		probe_tell(kind, argument);
}

#endif // JOS_KERN_PROBE_H
