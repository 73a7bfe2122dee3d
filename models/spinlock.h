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
#define LOOK 8          // In kernel_lock.word, beside the holder:
#define spin_me (me + 1)
#ifdef SLOWLY
#define nobody LOOK // lock_kernel_slowly
#else
#define nobody 0
#endif

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

#define spin_holding() ((READ(LOCK) & ~LOOK) == spin_me)

// ---- Taking it ----

inline try_lock_kernel()
{
	word = READ(LOCK);
	if
	:: (word & ~LOOK) == spin_me -> got = true
	:: (word & ~LOOK) == 0 -> CHANGE(LOCK, word, mine, got)
	:: else
	fi;
	word = 0
}

inline spin_a_while()
{
	try_lock_kernel()
}

inline mark_asleep()
{
#ifdef PLAIN_MARK
	atomic { r = READ(SLEEPERS); WRITE(SLEEPERS, r | 1 << me) }
#else
	FETCH_OR(SLEEPERS, 1 << me)
#endif
}

inline take_or_have_looked()
{
	do
	:: true ->
		word = READ(LOCK);
		if
		:: (word & ~LOOK) == spin_me -> got = true; break
#ifdef NO_LAST_TRY
		:: (word & ~LOOK) == 0 -> break
#else
		:: (word & ~LOOK) == 0 -> CHANGE(LOCK, word, spin_me | LOOK, r); got = r
#endif
#ifdef NO_LOOK
		:: (word & ~LOOK) && (word & ~LOOK) != spin_me -> break
#else
		:: (word & ~LOOK) && (word & ~LOOK) != spin_me -> CHANGE(LOCK, word, word | LOOK, r)
#endif
		fi;
		if
		:: r -> break
		:: else
		fi
	od;
	atomic { word = 0; r = 0 }
}

inline wait_for_kernel_lock()
{
	do
	:: true ->
		spin_a_while();
		if
		:: got -> break
		:: else
		fi;
#ifndef SLEPT_WITHOUT_LOOK
		mine = spin_me | LOOK;
#endif
		mark_asleep();
		take_or_have_looked();
		if
		:: got -> break
		:: else
		fi;
		sti_hlt_cli()
	od;
	FETCH_CLEAR(SLEEPERS, 1 << me, r)
}

inline lock_kernel()
{
	assert(!spin_holding());
	CHANGE(LOCK, 0, spin_me, got);
	if
	:: got
	:: else ->
		mine = spin_me;
		try_lock_kernel();
		if
		:: got
		:: else -> wait_for_kernel_lock()
		fi;
		if
		:: nobody -> WRITE(LOCK, spin_me | LOOK) // unlock_kernel_looks
		:: else
		fi
	fi;
	atomic { got = false; r = 0; mine = 0 }
}

// ---- Dropping it ----

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

// sleepers && ++passed_over >= PATIENCE
inline decide_hand_over()
{
	atomic {
		if
		:: READ(SLEEPERS) && passed_over + 1 >= PATIENCE ->
			passed_over = 0;
			got = true
		:: READ(SLEEPERS) && passed_over + 1 < PATIENCE -> passed_over++
		:: else
		fi
	}
}

inline drop()
{
#ifdef PLAIN_UNLOCK
	WRITE(LOCK, nobody)
#else
	XCHG(LOCK, nobody, r)
#endif
}

#ifndef LATE_HAND_OVER

inline drop_or_hand_over()
{
	next = NOBODY;
	decide_hand_over();
	if
	:: got -> take_sleeper(); got = false
	:: else
	fi;
	if
	:: next != NOBODY ->
#ifdef IPI_BEFORE_HAND_OVER
		lapic_ipi(next);
		WRITE(LOCK, (next + 1) | LOOK);
		next = NOBODY
#else
		WRITE(LOCK, (next + 1) | LOOK)
#endif
	:: else -> drop(); take_sleeper()
	fi;
	if
	:: next != NOBODY -> lapic_ipi(next)
	:: else
	fi
}

#else

// As it was once: that the lock is kept was decided before it was clear who gets it.
inline drop_or_hand_over()
{
	decide_hand_over();
	if
	:: !got -> drop()
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
			:: got -> WRITE(LOCK, (next + 1) | LOOK)
			:: else
			fi;
			lapic_ipi(next)
		:: else
		fi
	:: else
	fi
}

#endif

inline unlock_kernel()
{
#ifdef READ_THEN_DROP
	if
	:: READ(LOCK) == spin_me -> XCHG(LOCK, 0, r); got = true
	:: else
	fi;
#else
	CHANGE(LOCK, spin_me, 0, got);
#endif
	if
	:: got
	:: else ->
		assert(spin_holding());
		drop_or_hand_over()
	fi;
	atomic { got = false; next = 0; r = 0 }
}
