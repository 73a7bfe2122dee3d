// Mappings that go away: kern/tlb.c.
//
// The inlines are the functions of the same names in tlb.c, pagetable.h, env.c and biglock.c (biglock.h);
// proctype cpu is trap(). Each of two CPUs has an environment of its own with one page, and both do
// this to the other's: unmap the page, or map another frame there. CPU 0 also stops and starts CPU 1's
// environment (env_destroy forces a CPU into the kernel as env_stop does). Memory is that of x86 (tso.h),
// and a TLB is filled at any time (page_walker). Left out: the halt of a CPU that has no environment
// (idle.pml), and that a page table has two levels.
//
// It holds: when page_remove or page_insert has returned, no CPU uses the frame that was there, in user
// mode or in the kernel; when env_stop has returned, the environment runs no instruction; a page
// directory that is freed is loaded on no CPU; and no CPU waits forever, although the other CPU may
// be in the kernel, waiting for the lock.
//
// CHECK:
// MUTATION PLAIN_FLAG: CPU 0's flag for 1 is in its store buffer while it reads 1's cpu_in_user as 0; 1
//	enters user mode, reads no flag, and uses the page
// MUTATION PLAIN_IN_USER: the same, with CPU 1's word in the store buffer
// MUTATION FLAG_FIRST: CPU 1 reads its flag, 0 sets the flag and sees 1 in the kernel, 1 goes to user
//	mode
// MUTATION FLUSH_THEN_CLEAR: CPU 1 flushes on its way out, 0 changes the page, sets the flag and
//	forces 1 into the kernel, 1 clears the flag; and touches user memory by its TLB
// MUTATION WAIT_FOR_FLUSH: CPU 1 waits for the lock that 0 holds until 1 has flushed
// MUTATION NO_FLUSH: CPU 1 was in the kernel when 0 unmapped the page, and touches it there
// MUTATION NO_FORGET: CPU 1 has saved its environment, dropped the lock, and not loaded another page
//	directory; 0 frees the one that it has
// MUTATION CALL_ONLY_USERS: CPU 1 is on its way to user mode and has not said so: no interrupt
//	is sent, and it runs on

#define N 2
#ifndef DEPTH
#define DEPTH 1
#endif

#define LOCK 0
#define SLEEPERS 1
#define WOKEN 2
#define IN_USER(cpu) (3 + (cpu)) // cpus[cpu].cpu_in_user
#define FLUSH(cpu) (5 + (cpu))   // cpus[cpu].cpu_pending_flush
#define PTE(cpu) (7 + (cpu))     // The page table entry for that environment's page: a frame, or 0
#define PGDIR(cpu) (9 + (cpu))   // cpus[cpu].cpu_pgdir: that environment's, or 0 for kern_pgdir
#define WORDS 11
#include "tso.h"
#include "biglock.h"

byte tlb[N];            // What the CPU remembers of its PTE: a frame, or 0 for nothing
byte may_use[N];        // The frames that it may use, a bit each
bool stopped[N];        // env_stop has returned: it may not run.
bool running[N] = true; // env_status is ENV_RUNNING; under the lock.
bool on_cpu[N] = true;  // cpus[cpu].cpu_env is not NULL; under the lock.
bool cr3[N] = true;     // Its page directory is loaded.

// The CPU may fill its TLB whenever it likes, in the kernel too, and for no reason.
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

// The other environment's page; this CPU's own would be an invlpg.
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

// In place of what is there: the other one of two frames.
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

// Its page directory is freed. (Another one, in its place, has the same page.)
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
	:: !irq[me] -> break // A system call, or its clock.
	:: d_step { !irq[me] && tlb[me] ->
		assert(!stopped[me]);
		assert(may_use[me] & 1 << tlb[me])
	   }
	od
}

// env_leave, then sched_halt until env_start, then env_run up to where it drops the lock.
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
