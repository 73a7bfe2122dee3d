// The big kernel lock, kern/biglock.c: its sleepers, its wake-ups, and the hand-over.
//
// biglock.h has its functions. `cpu` is a CPU that enters and leaves the kernel as
// often as it likes, or never again: so a sleeper that is forgotten is found when all others are gone.
// Memory is that of x86 (tso.h). POLLS is 1: another poll that fails changes nothing, and a CPU may take
// as long as it likes before a poll. `wake_ups` counts to any number. All interrupts that are pending at
// a CPU are one flag, irq. An interrupt that no CPU has sent (a device's) comes to CPU 0 only, at
// most once for each time that it wants the lock. What is in one `atomic` is one access to memory that
// other CPUs use.
//
// It holds: two CPUs never have the lock; a CPU that drops it has it; no CPU halts forever, so no
// wake-up is lost.
//
// CHECK:
// CHECK: -DN=2 -DDEPTH=2
// MUTATION PLAIN_UNLOCK: the holder's 0 is in its store buffer while it reads sleepers as 0; the waiting CPU
//	sets its bit, finds the lock taken, and halts; no CPU wakes it
// MUTATION PLAIN_BIT: the same, with the waiting CPU's bit in its store buffer; or it overwrites the bit
//	of another CPU
// MUTATION NO_LAST_TRY: the lock is dropped, and sleepers read, between the last poll and the bit
// MUTATION STI_BEFORE_HLT: the wake-up comes between the two instructions, before the halt
// MUTATION IPI_BEFORE_HAND_OVER: the woken CPU polls before the lock is its own, and halts again; then
//	it owns the lock, and no CPU wakes it
// MUTATION WOKEN_LATE: `woken` is set after the bit is cleared: the CPU has had the lock already, and
//	never clears it again
// MUTATION WOKEN_STAYS: a woken CPU that halts again still counts as awake, and no other is woken
// MUTATION NO_SECOND_LOOK: after a hand-over that came to nothing the sleepers are not read again

#ifndef N
#define N 3
#endif
#ifndef DEPTH
#define DEPTH 1
#endif
#define LOCK 0     // kernel_lock.holder
#define SLEEPERS 1 // sleepers
#define WOKEN 2    // woken
#define WORDS 3
#include "tso.h"

#include "biglock.h"

byte inside; // How many CPUs believe that the lock is theirs

proctype cpu(byte me)
{
	byte r, next, word;
	bool got, done;
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
		for (i : 0 .. N - 1) {
			run cpu(i);
#if DEPTH
			run store_buffer(i)
#endif
		}
	}
}
