// The functions of kern/biglock.c, under the same names, for lock.pml and tlb.pml. lock.pml says
// how they differ from the C code. A CPU's process declares: byte r, next, word; bool got, done.

#define NONE N
#define spin_me (me + 1)

bool irq[N];

// The local APIC's register is uncached. So all earlier writes of this CPU are in memory when the
// interrupt is sent.
inline lapic_ipi(cpu)
{
	d_step { DRAINED -> irq[cpu] = true }
}

// sti; hlt; cli: an interrupt that is already pending ends the halt at once.
inline sti_hlt_cli()
{
#ifdef STI_BEFORE_HLT
	irq[me] = false; // The interrupt arrives between sti and hlt.
#endif
	d_step { irq[me] -> irq[me] = false }
}

// ---- Taking the lock ----

inline try_lock()
{
	word = READ(LOCK);
	if
	:: word == spin_me -> got = true
	:: word == 0 -> CHANGE(LOCK, 0, spin_me, got)
	:: else
	fi;
	word = 0
}

inline set_sleeper()
{
#ifdef PLAIN_BIT
	atomic { word = READ(SLEEPERS); WRITE(SLEEPERS, word | 1 << me) }
	word = 0
#else
	FETCH_OR(SLEEPERS, 1 << me)
#endif
}

inline clear_woken()
{
	if
	:: READ(WOKEN) == spin_me -> XCHG(WOKEN, 0, word); word = 0
	:: READ(WOKEN) != spin_me
	fi
}

// Sets `got` if this CPU has taken the lock.
inline sleep_for_lock()
{
	set_sleeper();
#ifndef WOKEN_STAYS
	clear_woken();
#endif
#ifndef NO_LAST_TRY
	try_lock();
#endif
	if
	:: got
	:: else -> sti_hlt_cli()
	fi
}

inline lock_slowly()
{
	do
	:: true ->
		try_lock(); // poll_lock
		if
		:: got -> break
		:: else -> sleep_for_lock()
		fi;
		if
		:: got -> break
		:: else
		fi
	od;
	FETCH_CLEAR(SLEEPERS, 1 << me, r);
	clear_woken()
}

inline lock_kernel()
{
	assert(READ(LOCK) != spin_me);
	CHANGE(LOCK, 0, spin_me, got);
	if
	:: got
	:: else -> lock_slowly()
	fi;
	atomic { got = false; r = 0 }
}

// ---- Dropping the lock ----

// Sets `next` to the first sleeper after this CPU, in circular order; NONE if there is no sleeper.
inline next_sleeper()
{
	atomic {
		word = READ(SLEEPERS);
		next = (me + 1) % N;
		do
		:: word == 0 -> next = NONE; break
		:: word & 1 << next -> break
		:: else -> next = (next + 1) % N
		od;
		word = 0
	}
}

// Sets `done` if the lock was handed over.
inline hand_over()
{
	if
	:: READ(WOKEN) == 0 -> CHANGE(LOCK, 0, spin_me, got)
	:: true // A sleeper is awake, or fewer than 16 wake-ups have happened.
	fi;
	if
	:: got ->
		got = false;
		next_sleeper();
		if
		:: next != NONE ->
#ifdef IPI_BEFORE_HAND_OVER
			lapic_ipi(next);
			WRITE(LOCK, next + 1);
#else
			WRITE(LOCK, next + 1);
			lapic_ipi(next);
#endif
			done = true
		:: else ->
			CHANGE(LOCK, spin_me, 0, got);
			assert(got);
#ifdef NO_SECOND_LOOK
			done = true
#endif
		fi;
		got = false
	:: else
	fi
}

inline wake_sleeper()
{
	hand_over();
	do
	:: done || READ(WOKEN) -> break
	:: else ->
		next_sleeper();
		if
		:: next == NONE -> break
		:: else
		fi;
#ifdef WOKEN_LATE
		FETCH_CLEAR(SLEEPERS, 1 << next, r);
		if
		:: r -> XCHG(WOKEN, next + 1, word); lapic_ipi(next); break
		:: else
		fi
#else
		CHANGE(WOKEN, 0, next + 1, got);
		if
		:: got -> got = false
		:: else -> break
		fi;
		FETCH_CLEAR(SLEEPERS, 1 << next, r);
		if
		:: r -> lapic_ipi(next); break
		:: else -> XCHG(WOKEN, 0, word) // The CPU was already awake.
		fi
#endif
	od;
	atomic { done = false; r = 0; next = 0; word = 0 }
}

inline unlock_kernel()
{
#ifdef PLAIN_UNLOCK
	assert(READ(LOCK) == spin_me);
	WRITE(LOCK, 0);
#else
	CHANGE(LOCK, spin_me, 0, got);
	assert(got);
	got = false;
#endif
	if
	:: READ(SLEEPERS) -> wake_sleeper()
	:: !READ(SLEEPERS)
	fi
}
