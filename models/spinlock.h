// kern/spinlock.c's big lock, in the names of the C code, for the models that need it.
//
// What stands in an `atomic` is one access to what other CPUs touch as well, and besides only
// what is this CPU's own, or protected by the lock.
//
// SPINS is 1 here. More looks add nothing: one that fails changes nothing, and a CPU may take
// as long as it likes before a look. All interrupts that are pending at a CPU are one flag,
// irq: each of them ends a halt, and none means more than "look again".

#define NOBODY N
#define PATIENCE 2

bool irq[N];
byte passed_over; // Only touched under the lock, so it needs no place in mem.

// The local APIC's register is written in order with all other writes, since it is uncached:
// so what was written before is in memory when the interrupt arrives.
inline lapic_ipi(cpu)
{
	d_step { DRAINED -> irq[cpu] = true }
}

// sti; hlt; cli: what came while interrupts were off ends the halt.
inline sti_hlt_cli()
{
#ifdef STI_BEFORE_HLT
	irq[me] = false; // It came between the two: handled, and the halt does not know.
#endif
	d_step { irq[me] -> irq[me] = false }
}

#define spin_holding() (READ(LOCKED) && READ(LOCK_CPU) == me)

inline try_lock()
{
	XCHG(LOCKED, 1, r);
	if
	:: r == 0 -> WRITE(LOCK_CPU, me); got = true
	:: else
	fi
}

inline spin_unlock()
{
	assert(spin_holding());
#ifdef CPU_CLEARED_LATE
	XCHG(LOCKED, 0, r);
	WRITE(LOCK_CPU, NOBODY);
#else
	WRITE(LOCK_CPU, NOBODY);
#ifdef PLAIN_UNLOCK
	WRITE(LOCKED, 0);
#else
	XCHG(LOCKED, 0, r);
#endif
#endif
}

inline spin_a_while()
{
	if
	:: READ(LOCK_CPU) == me -> got = true
	:: else ->
		if
		:: READ(LOCKED) == 0 -> try_lock()
		:: else
		fi
	fi
}

inline mark_asleep()
{
#ifdef PLAIN_MARK
	atomic { r = READ(SLEEPERS); WRITE(SLEEPERS, r | 1 << me) }
#else
	FETCH_OR(SLEEPERS, 1 << me)
#endif
}

inline lock_kernel()
{
	assert(!spin_holding());
	try_lock();
	if
	:: got
	:: else ->
		do
		:: true ->
			spin_a_while();
			if
			:: got -> break
			:: else
			fi;
			mark_asleep();
#ifndef NO_LAST_TRY
			try_lock();
			if
			:: got -> break
			:: else
			fi;
#endif
			sti_hlt_cli()
		od;
		atomic { FETCH_CLEAR(SLEEPERS, 1 << me, r); passed_over = 0 }
	fi;
	atomic { got = false; r = 0 }
}

// Of those in `asleep` the first after this CPU, in circular order.
inline first_after_me()
{
	next = (me + 1) % N;
	do
	:: asleep & 1 << next -> break
	:: else -> next = (next + 1) % N
	od
}

// The CPU whose mark was taken off is then in `next`; NOBODY: none sleeps.
inline take_sleeper()
{
	do
	:: atomic {
		asleep = READ(SLEEPERS);
		if
		:: asleep == 0 -> next = NOBODY; break
		:: else -> first_after_me(); asleep = 0
		fi
	   };
	   atomic {
		FETCH_CLEAR(SLEEPERS, 1 << next, r);
		if
		:: r -> break
		:: else
		fi
	   }
	od
}

// sleepers && ++passed_over >= PATIENCE, with an end to the counting.
inline decide_hand_over()
{
	atomic {
		if
		:: READ(SLEEPERS) && passed_over + 1 >= PATIENCE ->
			passed_over = PATIENCE;
			got = true
		:: READ(SLEEPERS) && passed_over + 1 < PATIENCE -> passed_over++
		:: else
		fi
	}
}

#ifndef LATE_HAND_OVER

inline unlock_kernel()
{
	next = NOBODY;
	decide_hand_over();
	if
	:: got -> take_sleeper(); got = false
	:: else
	fi;
	if
	:: next != NOBODY ->
		assert(spin_holding());
#ifdef IPI_BEFORE_HAND_OVER
		lapic_ipi(next);
		WRITE(LOCK_CPU, next);
		next = NOBODY
#else
		WRITE(LOCK_CPU, next)
#endif
	:: else ->
		spin_unlock();
		take_sleeper()
	fi;
	if
	:: next != NOBODY -> lapic_ipi(next)
	:: else
	fi;
	atomic { next = 0; r = 0 }
}

#else

// As it was once: that the lock is kept was decided before it was clear who gets it.
inline unlock_kernel()
{
	decide_hand_over();
	if
	:: !got -> spin_unlock()
	:: else
	fi;
	asleep = READ(SLEEPERS);
	if
	:: asleep ->
		atomic { first_after_me(); asleep = 0 };
		FETCH_CLEAR(SLEEPERS, 1 << next, r);
		if
		:: r ->
			if
			:: got -> WRITE(LOCK_CPU, next)
			:: else
			fi;
			lapic_ipi(next)
		:: else
		fi
	:: else
	fi;
	atomic { got = false; next = 0; r = 0 }
}

#endif
