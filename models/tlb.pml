// Mappings that go away: kern/tlb.c.
//
// Inlines are the functions of the same names in tlb.c, pmap.c and env.c; lock_kernel and
// unlock_kernel those of spinlock.h, halts and hand-over included; proctype cpu is trap(). Each of
// two CPUs has an environment of its own with one page, and both do this to the other's: unmap
// it, put another frame there; CPU 0's stops and starts CPU 1's (env_destroy calls in as
// env_stop does).
// Memory is that of x86 (tso.h), and a TLB is filled at any time (page_walker). Left out: the
// halt of a CPU that has no environment (idle.pml), and that a page table has two levels.
//
// It holds: once page_remove or page_insert has returned, no CPU uses the frame that was there, in
// user mode or in the kernel; once env_stop has, the environment runs no instruction; a page
// directory that is freed is loaded nowhere; and nobody waits for ever, though the other one may be
// in the kernel, waiting for the lock.
//
// CHECK:
// MUTATION PLAIN_DEBT: CPU 0's debt note is in its buffer while it reads 1's cpu_in_user as 0; 1
//	enters user mode, reads no debt, and uses the page
// MUTATION PLAIN_IN_USER: the same, with CPU 1's word in the buffer
// MUTATION DEBT_FIRST: CPU 1 looks for a debt, 0 notes one and sees 1 in the kernel, 1 goes to
//	user mode
// MUTATION FLUSH_THEN_CLEAR: CPU 1 flushes on its way out, 0 changes the page, notes the debt and
//	calls 1 in, 1 clears the note; and touches user memory with what it remembered meanwhile
// MUTATION WAIT_FOR_FLUSH: CPU 1 waits for the lock that 0 holds until 1 has flushed
// MUTATION NO_PAYMENT: CPU 1 was in the kernel when 0 unmapped the page, and touches it there
// MUTATION NO_FORGET: CPU 1 has put its environment aside, dropped the lock, and not loaded another
//	page directory; 0 frees the one that it has
// MUTATION CALL_ONLY_USERS: CPU 1 is on its way to user mode and has not said so: no interrupt
//	is sent, and it runs on

#define N 2
#ifndef DEPTH
#define DEPTH 1
#endif

#define LOCK 0
#define SLEEPERS 1
#define IN_USER(cpu) (2 + (cpu)) // cpus[cpu].cpu_in_user
#define DEBT(cpu) (4 + (cpu))    // cpus[cpu].cpu_tlb_debt
#define PTE(cpu) (6 + (cpu))     // Where that environment's page is mapped: a frame, or 0
#define PGDIR(cpu) (8 + (cpu))   // cpus[cpu].cpu_pgdir: that environment's, or 0 for kern_pgdir
#define WORDS 10
#include "tso.h"
#include "spinlock.h"

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

inline tlb_pay_debt()
{
	if
	:: READ(DEBT(me)) ->
#ifdef FLUSH_THEN_CLEAR
		lcr3();
		XCHG(DEBT(me), 0, r)
#else
		XCHG(DEBT(me), 0, r);
		lcr3()
#endif
	:: else
	fi
}

inline tlb_leave_kernel()
{
#ifdef DEBT_FIRST
	tlb_pay_debt();
	XCHG(IN_USER(me), 1, r)
#else
#ifdef PLAIN_IN_USER
	WRITE(IN_USER(me), 1);
#else
	XCHG(IN_USER(me), 1, r);
#endif
	tlb_pay_debt()
#endif
}

inline tlb_call_in(cpu)
{
	lapic_ipi(cpu);
	READ(IN_USER(cpu)) == 0
}

// The other environment's page; this CPU's own would be an invlpg.
inline tlb_invalidate()
{
	if
	:: on_cpu[other] ->
#ifdef PLAIN_DEBT
		WRITE(DEBT(other), 1);
#else
		XCHG(DEBT(other), 1, r);
#endif
#ifdef WAIT_FOR_FLUSH
		lapic_ipi(other);
		READ(DEBT(other)) == 0
#else
		if
		:: READ(IN_USER(other)) -> tlb_call_in(other)
		:: else
		fi
#endif
	:: else
	fi
}

// ---- kern/pmap.c, kern/env.c ----

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
		:: READ(IN_USER(other)) -> tlb_call_in(other)
		:: else
		fi
#else
		tlb_call_in(other)
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
	byte r, next, asleep, word, mine, frame;
	byte other = 1 - me;
	bool got;

	do
	:: true ->
		user_mode();
		// trap()
		tlb_enter_kernel();
		lock_kernel();
#ifndef NO_PAYMENT
		tlb_pay_debt();
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
