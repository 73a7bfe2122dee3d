// TLB shootdown (kern/tlb.c): when a mapping is removed, no CPU may use an old copy in its TLB.
//
// Properties that spin checks: when page_remove or page_insert has returned, no CPU uses the old
// frame, in user mode or in the kernel; when env_stop has returned, the environment runs no
// instruction; a page directory that is freed is not loaded on any CPU; no CPU waits forever, even
// if the other CPU waits for the lock in the kernel.
//
// The model: there are two CPUs. Each runs its own environment, which has one page. Each CPU may
// unmap the page of the other environment, or map another frame there. CPU 0 may also stop and
// start CPU 1's environment. (env_destroy forces a CPU into the kernel in the same way as
// env_stop.) The inlines are the functions of the same names in tlb.c, pagetable.h, env.c and
// biglock.c (biglock.h); proctype cpu is trap(). Memory is that of x86 (tso.h). A TLB may be filled
// at any time (page_walker). Left out: a CPU without an environment halts (idle.pml); page tables
// have two levels.
//
// CHECK:
// MUTATION PLAIN_FLAG: CPU 0's write of CPU 1's flag is still in its store buffer when CPU 0 reads
//	CPU 1's cpu_in_user, which is 0; CPU 1 enters user mode, sees no flag, and uses the page
// MUTATION PLAIN_IN_USER: the same, with CPU 1's write of cpu_in_user in its store buffer
// MUTATION FLAG_FIRST: CPU 1 reads its flag; CPU 0 sets the flag and sees CPU 1 in the kernel; CPU
//	1 enters user mode without a flush
// MUTATION FLUSH_THEN_CLEAR: CPU 1 flushes before it enters user mode; CPU 0 changes the page, sets
//	the flag and forces CPU 1 into the kernel; CPU 1 clears the flag, and uses its old TLB
// MUTATION WAIT_FOR_FLUSH: CPU 0 holds the lock until CPU 1 has flushed; CPU 1 waits for the lock
// MUTATION NO_FLUSH: CPU 1 was in the kernel when CPU 0 unmapped the page, and uses the page there
// MUTATION NO_FORGET: CPU 1 has saved its environment and dropped the lock, but not yet loaded
//	another page directory; CPU 0 frees the page directory that CPU 1 has loaded
// MUTATION CALL_ONLY_USERS: CPU 1 is about to enter user mode but has not set cpu_in_user: CPU 0
//	sends no interrupt, and the stopped environment runs

#define N 2
#ifndef DEPTH
#define DEPTH 1
#endif

#define LOCK 0
#define SLEEPERS 1
#define WOKEN 2
#define IN_USER(cpu) (3 + (cpu)) // cpus[cpu].cpu_in_user
#define FLUSH(cpu) (5 + (cpu))   // cpus[cpu].cpu_pending_flush
#define PTE(cpu) (7 + (cpu))     // The page table entry of that CPU's environment: a frame, or 0
#define PGDIR(cpu) (9 + (cpu))   // cpus[cpu].cpu_pgdir: 1 for its environment's, 0 for kern_pgdir
#define WORDS 11
#include "tso.h"
#include "biglock.h"

byte tlb[N];            // The TLB's copy of the CPU's PTE: a frame, or 0 for no copy
byte may_use[N];        // The frames that the CPU may use, one bit each
bool stopped[N];        // env_stop has returned: the environment may not run.
bool running[N] = true; // env_status is ENV_RUNNING; under the lock.
bool on_cpu[N] = true;  // cpus[cpu].cpu_env is not NULL; under the lock.
bool cr3[N] = true;     // The environment's page directory is loaded.

// A CPU may fill its TLB at any time, even in the kernel, and without an access to the page.
proctype page_walker(byte cpu)
{
end:	do
	:: d_step { cr3[cpu] && !tlb[cpu] && mem[PTE(cpu)] -> tlb[cpu] = mem[PTE(cpu)] }
	od
}

inline lcr3()
{
	d_step { DRAINED -> tlb[me] = 0 }
}

inline tlb_load(own)
{
	d_step { DRAINED -> tlb[me] = 0; cr3[me] = own };
	WRITE(PGDIR(me), own)
}

inline touch_user_memory()
{
	d_step { assert(!tlb[me] || may_use[me] & 1 << tlb[me]) }
}

// ---- kern/tlb.c ----

inline tlb_enter_kernel()
{
	XCHG(IN_USER(me), 0, r)
}

inline tlb_flush_pending()
{
	if
	:: READ(FLUSH(me)) ->
#ifdef FLUSH_THEN_CLEAR
		lcr3();
		XCHG(FLUSH(me), 0, r)
#else
		XCHG(FLUSH(me), 0, r);
		lcr3()
#endif
	:: else
	fi
}

inline tlb_leave_kernel()
{
#ifdef FLAG_FIRST
	tlb_flush_pending();
	XCHG(IN_USER(me), 1, r)
#else
#ifdef PLAIN_IN_USER
	WRITE(IN_USER(me), 1);
#else
	XCHG(IN_USER(me), 1, r);
#endif
	tlb_flush_pending()
#endif
}

inline force_into_kernel(cpu)
{
	lapic_ipi(cpu);
	READ(IN_USER(cpu)) == 0
}

// For the other environment's page. (For its own page, a CPU only executes invlpg.)
inline tlb_invalidate()
{
	if
	:: on_cpu[other] ->
#ifdef PLAIN_FLAG
		WRITE(FLUSH(other), 1);
#else
		XCHG(FLUSH(other), 1, r);
#endif
#ifdef WAIT_FOR_FLUSH
		lapic_ipi(other);
		READ(FLUSH(other)) == 0
#else
		if
		:: READ(IN_USER(other)) -> force_into_kernel(other)
		:: else
		fi
#endif
	:: else
	fi
}

// ---- kern/pagetable.h, kern/env.c ----

inline page_remove()
{
	WRITE(PTE(other), 0);
	tlb_invalidate();
	may_use[other] = 0
}

// There are two frames. Map the one that is not mapped there now.
inline page_insert()
{
	atomic {
		r = READ(PTE(other));
		if
		:: r == 1 -> frame = 2
		:: else -> frame = 1
		fi;
		may_use[other] = may_use[other] | 1 << frame;
		WRITE(PTE(other), frame)
	};
	if
	:: r -> tlb_invalidate()
	:: else
	fi;
	atomic { may_use[other] = 1 << frame; frame = 0 }
}

inline env_stop()
{
	running[other] = false;
	if
	:: on_cpu[other] ->
#ifdef CALL_ONLY_USERS
		if
		:: READ(IN_USER(other)) -> force_into_kernel(other)
		:: else
		fi
#else
		force_into_kernel(other)
#endif
	:: else
	fi;
	stopped[other] = true
}

// Free its page directory. (The environment then continues with a new page directory, which maps
// the same page.)
inline env_free()
{
#ifndef NO_FORGET
	READ(PGDIR(other)) == 0;
#endif
	assert(!cr3[other])
}

inline env_start()
{
	d_step { stopped[other] = false; running[other] = true }
}

// ---- A CPU ----

inline user_mode()
{
	do
	:: irq[me] -> irq[me] = false; break
	:: !irq[me] -> break // A system call, or a tick of the timer.
	:: d_step { !irq[me] && tlb[me] ->
		assert(!stopped[me]);
		assert(may_use[me] & 1 << tlb[me])
	   }
	od
}

// env_leave; then sched_halt, until env_start; then env_run, until it drops the lock.
inline sched_yield()
{
	on_cpu[me] = false;
	unlock_kernel();
	tlb_load(0);
	running[me];
	lock_kernel();
	on_cpu[me] = true
}

proctype cpu(byte me)
{
	byte r, next, word, frame;
	byte other = 1 - me;
	bool got, done;

	do
	:: true ->
		user_mode();
		// trap()
		tlb_enter_kernel();
		lock_kernel();
#ifndef NO_FLUSH
		tlb_flush_pending();
#endif
		if
		:: running[me] ->
			if
			:: touch_user_memory()
			:: READ(PTE(other)) -> page_remove()
			:: page_insert()
			:: me == 0 && running[1] -> env_stop()
			:: me == 0 && !running[1] -> env_start()
			:: me == 0 && !running[1] && !on_cpu[1] -> env_free()
			fi
		:: else ->
			do
			:: !running[me] -> sched_yield()
			:: else -> break
			od
		fi;
		unlock_kernel();
		if
		:: !cr3[me] -> tlb_load(1)
		:: else
		fi;
		tlb_leave_kernel()
	od
}

init
{
	byte i;
	atomic {
		for (i : 0 .. N - 1) {
			mem[IN_USER(i)] = 1;
			mem[PTE(i)] = 1;
			mem[PGDIR(i)] = 1;
			may_use[i] = 1 << 1;
			run cpu(i);
			run store_buffer(i);
			run page_walker(i)
		}
	}
}
