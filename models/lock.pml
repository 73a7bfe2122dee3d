// The big kernel lock, kern/spinlock.c, with its sleepers.
//
// The inlines of spinlock.h are the functions of the same names; proctype cpu is a CPU that
// enters and leaves the kernel (trap: lock_kernel, unlock_kernel) as often as it likes, or never
// comes again; so whoever is forgotten in a halt is found there when all others have gone.
// Memory is that of x86 (tso.h). Left out: the panics' words, the console's lock, which is never
// held across a halt, and how often a CPU looks before it halts. An interrupt that nobody sent
// (a device's) comes to CPU 0 only, at most once for each time that it wants the lock.
//
// It holds: never two have the lock; who drops it has it, and nobody takes it twice (the
// panics in lock_slowly and unlock_slowly); no CPU halts for ever: no deadlock, no wake-up lost.
//
// CHECK:
// CHECK: -DN=2 -DDEPTH=2
// CHECK: -DN=2 -DSLOWLY
// MUTATION LATE_HAND_OVER: CPU 0 drops the lock and sees 1's mark; 2 takes the lock, decides to
//	hand it over; 0 takes the mark away; 2 finds nobody, and leaves with the lock still its own
// MUTATION PLAIN_UNLOCK: the holder's 0 is in its buffer while it reads sleepers as 0; the
//	waiter marks itself, finds the lock taken, and halts; nobody will wake it
// MUTATION PLAIN_MARK: the same, with the waiter's mark in the waiter's buffer; or it overwrites
//	the mark of another
// MUTATION NO_LAST_TRY: the lock is dropped, and sleepers read, between the look and the mark
// MUTATION STI_BEFORE_HLT: the wake-up comes between the two instructions, before the halt
// MUTATION IPI_BEFORE_HAND_OVER: the woken CPU looks before the lock is its own, and halts again;
//	then it owns the lock, and nobody wakes it
// MUTATION READ_THEN_DROP: the waiter puts LOOK in after the holder has looked, and halts
// MUTATION NO_LOOK: the holder drops the lock the quick way while the waiter marks itself
// MUTATION SLEPT_WITHOUT_LOOK: of two that sleep, one is woken, and drops the lock the quick way

#ifndef N
#define N 3
#endif
#ifndef DEPTH
#define DEPTH 1
#endif
#define LOCK 0     // kernel_lock.word
#define SLEEPERS 1 // sleepers
#define WORDS 2
#include "tso.h"
#include "spinlock.h"

byte inside; // How many CPUs believe that the lock is theirs

proctype cpu(byte me)
{
	byte r, next, asleep, word, mine;
	bool got;
	do
	:: true ->
		lock_kernel();
		d_step { inside++; assert(inside == 1) };
		inside--;
		if
		:: WRITE(LOCK, spin_me | LOOK) // unlock_kernel_looks
		:: true
		fi;
		unlock_kernel()
	:: irq[me] -> irq[me] = false            // In user mode it is taken,
	:: me == 0 && !irq[me] -> irq[me] = true // or one comes just when the kernel is entered.
	:: break
	od
}

init
{
	byte i;
	atomic {
		for (i : 0 .. N - 1) {
			run cpu(i);
#if DEPTH
			run store_buffer(i)
#endif
		}
	}
}
