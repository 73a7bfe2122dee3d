// The big kernel lock (kern/biglock.c): the CPUs that sleep for it, the wake-ups, and the
// hand-over. Its functions are in biglock.h.
//
// Properties that spin checks: two CPUs never hold the lock at the same time; a CPU that drops the
// lock holds it; no CPU halts forever, so no wake-up is lost.
//
// The model: proctype cpu is a CPU that enters and leaves the kernel any number of times, and then
// stops. So if a sleeper is not woken, spin finds this when all other CPUs have stopped. Memory is
// that of x86 (tso.h). Each `atomic` contains one access to shared memory.
//
// Differences from the C code: POLLS is 1, because a further failed poll changes nothing, and a CPU
// may wait for any time before a poll. A hand-over may happen at any wake-up, not only at each
// 16th. All interrupts that are pending at a CPU are one flag, irq. Only CPU 0 gets device
// interrupts, and at most one each time that it enters the kernel.
//
// CHECK:
// CHECK: -DN=2 -DDEPTH=2
// MUTATION PLAIN_UNLOCK: the holder's 0 is still in its store buffer when the holder reads
//	`sleepers`, which is 0; the waiting CPU sets its bit, finds the lock taken, and halts; no
//	CPU wakes it
// MUTATION PLAIN_BIT: the same, with the waiting CPU's bit in its store buffer; or the waiting CPU
//	overwrites the bit of another CPU
// MUTATION NO_LAST_TRY: after the waiting CPU's last poll, before it sets its bit, the holder drops
//	the lock and reads `sleepers`
// MUTATION STI_BEFORE_HLT: the wake-up arrives between sti and hlt, so it does not end the halt
// MUTATION IPI_BEFORE_HAND_OVER: the woken CPU polls before the lock has its name, and halts again;
//	then it holds the lock, and no CPU wakes it
// MUTATION WOKEN_LATE: `woken` is set after the bit is cleared: the CPU has already had the lock,
//	and never clears `woken`
// MUTATION WOKEN_STAYS: a woken CPU that halts again still counts as awake, so no other CPU is
//	woken
// MUTATION NO_SECOND_LOOK: after a hand-over that found no sleeper, `sleepers` is not read again

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

byte inside; // The number of CPUs that hold the lock

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
	:: irq[me] -> irq[me] = false            // In user mode, it is taken.
	:: me == 0 && !irq[me] -> irq[me] = true // A device interrupt arrives in the kernel.
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
