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
// panics in spin_lock and spin_unlock); no CPU halts for ever: no deadlock, no wake-up lost.
//
// CHECK:
// CHECK: -DN=2 -DDEPTH=2
// MUTATION LATE_HAND_OVER: CPU 0 drops the lock and sees 1's mark; 2 takes the lock, decides to
//	hand it over; 0 takes the mark away; 2 finds nobody, and leaves with the lock still its own
// MUTATION PLAIN_UNLOCK: the holder's "free" is in its buffer while it reads sleepers as 0; the
//	waiter marks itself, finds the lock taken, and halts; nobody will wake it
// MUTATION PLAIN_MARK: the same, with the waiter's mark in the waiter's buffer; or it overwrites
//	the mark of another
// MUTATION NO_LAST_TRY: the lock is dropped, and sleepers read, between the look and the mark
// MUTATION STI_BEFORE_HLT: the wake-up comes between the two instructions, before the halt
// MUTATION IPI_BEFORE_HAND_OVER: the woken CPU looks before the lock is its own, and halts again;
//	then it owns the lock, and nobody wakes it
// MUTATION CPU_CLEARED_LATE: the next holder's number is overwritten: it cannot drop the lock

#ifndef N
#define N 3
#endif
#ifndef DEPTH
#define DEPTH 1
#endif
#define LOCKED 0   // kernel_lock.locked
#define LOCK_CPU 1 // kernel_lock.cpu
#define SLEEPERS 2 // sleepers
#define WORDS 3
#include "tso.h"
#include "spinlock.h"

byte inside; // How many CPUs believe that the lock is theirs

proctype cpu(byte me)
{
	byte r, next, asleep;
	bool got;
	do
	:: true ->
		lock_kernel();
		d_step { inside++; assert(inside == 1) };
		inside--;
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
		mem[LOCK_CPU] = NOBODY;
		for (i : 0 .. N - 1) {
			run cpu(i);
#if DEPTH
			run store_buffer(i)
#endif
		}
	}
}
