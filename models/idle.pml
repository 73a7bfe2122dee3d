// Idle CPUs (kern/sched.c), and their wake-ups.
//
// Properties that spin checks:
// - When a CPU drops the lock while another CPU is idle (POLLING or HALTED), there are at least as
//   many CPUs about to choose an environment as there are runnable environments.
// - When no process can take another step, no environment is runnable or running, each key has been
//   read, and the boot CPU is in the monitor or an environment waits for a key. So it never happens
//   that all CPUs halt and none is in the monitor.
//
// The model: the inlines are the functions of the same names in sched.c; sched_halt is cut in two
// where it drops the lock. `syscall` has the calls that make environments runnable or not runnable.
// proctype cpu is trap() and the environment that trap() returns to. The lock behaves as lock.pml
// proves. While a CPU halts for the lock, it may receive an interrupt that was sent to end its idle
// halt. Code under the lock is one step, because no other CPU may read its data meanwhile. (If the
// keyboard interrupts in the middle, the result is the same as before or after.) Left out: user
// memory, more than two environments, and memory order (all data is under the lock).
//
// CHECK: -E
// CHECK: -DN=3 -DKEYS=0 -E
// MUTATION STI_BEFORE_HLT: CPU 0 waits in lock_kernel; CPU 1 hands the lock over, and halts;
//	the interrupt arrives between CPU 0's sti and hlt: CPU 0 holds the lock, but all CPUs halt
// MUTATION NO_MONITOR: CPU 1 is the last CPU to halt, but only CPU 0 may enter the monitor
// MUTATION MARK_LATE: CPU 1 drops the lock; CPU 0 makes an environment runnable, sees no idle CPU,
//	and wakes none; CPU 1 marks itself as idle, and halts
// MUTATION HALT_ANYWAY: CPU 1 polls and finds no work; CPU 0 wakes CPU 1 without an interrupt,
//	because CPU 1 is not halted; CPU 1 marks itself as halted, and halts
// MUTATION STAYS_IDLE: a second wake-up goes to the same CPU as the first, and another CPU stays
//	halted
// MUTATION KEY_FORGOTTEN: a key ends the boot CPU's halt, the reader still waits, and all CPUs halt

#ifndef N
#define N 2
#endif
#ifndef KEYS
#define KEYS 2
#endif
#define ENVS 2
#define NONE ENVS
#define BOOTCPU 0

mtype:cpu_status = { STARTED, POLLING, HALTED };
mtype:env_status = { RUNNABLE, RUNNING, NOT_RUNNABLE };

mtype:cpu_status cpu_status[N] = STARTED;
mtype:env_status env_status[ENVS] = NOT_RUNNABLE;
byte curenv[N] = NONE;
byte cursor;        // The environment that had the last turn
byte keys = KEYS;   // Keys that will still be typed
byte device;        // Keys in the device
byte input;         // Keys in the ring buffer
byte reader = NONE; // The environment that waits for a key
bool in_monitor;

// cons_intr: move the keys from the device to the ring buffer.
#define cons_intr() input = input + device; device = 0

// Takes all interrupts that are pending at a CPU at once. Only BOOTCPU gets the keyboard's.
#define interrupt_handler() \
	irq[me] = false; \
	if \
	:: me == BOOTCPU -> cons_intr() \
	:: else \
	fi

// The lock, simplified as lock.pml allows: a CPU that finds the lock taken sets its bit in
// `sleepers` and halts. A CPU that drops the lock clears the bit of one sleeper, may hand the lock
// over to that sleeper, and wakes it.
bool irq[N];
bool locked;
byte owner = N;
byte sleepers;

#define lapic_ipi(cpu) irq[cpu] = true

inline sti_hlt_cli()
{
#ifdef STI_BEFORE_HLT
	d_step { interrupt_handler() };
#endif
	d_step { irq[me] -> interrupt_handler() }
}

inline lock_kernel()
{
	do
	:: d_step { !locked || owner == me ->
		locked = true;
		owner = me;
		sleepers = sleepers & ~(1 << me)
	   };
	   break
	:: d_step { locked && owner != me -> sleepers = sleepers | 1 << me };
	   sti_hlt_cli()
	od
}

inline unlock_kernel()
{
	atomic {
		assert(locked && owner == me);
		check_none_forgotten();
		next = N;
		if
		:: sleepers & 1 -> next = 0
		:: sleepers & 2 -> next = 1
		:: sleepers & 4 -> next = 2
		:: !sleepers
		fi;
		if
		:: next != N -> sleepers = sleepers & ~(1 << next)
		:: else
		fi;
		if
		:: next != N -> owner = next
		:: true -> locked = false; owner = N
		fi
	};
	atomic {
		if
		:: next != N -> lapic_ipi(next)
		:: else
		fi;
		next = 0
	}
}

// ---- kern/sched.c, under the lock ----

inline unidle_cpu(c)
{
	if
	:: cpu_status[c] == HALTED -> lapic_ipi(c)
	:: else
	fi;
#ifndef STAYS_IDLE
	cpu_status[c] = STARTED
#endif
}

// Sets i to the idle CPU to wake, or to N if no CPU is idle.
inline idle_cpu()
{
	i = 0;
	do
	:: i < N && cpu_status[i] != POLLING -> i++
	:: else -> break
	od;
	if
	:: i == N ->
		i = 0;
		do
		:: i < N && cpu_status[i] != HALTED -> i++
		:: else -> break
		od
	:: else
	fi
}

inline runq_wake()
{
	idle_cpu();
	if
	:: i < N -> unidle_cpu(i)
	:: else
	fi;
	i = 0
}

inline env_set_runnable(e)
{
	env_status[e] = RUNNABLE;
	runq_wake()
}

inline cons_wake_readers()
{
	if
	:: reader != NONE ->
		cons_intr();
		if
		:: input -> input--; env_set_runnable(reader); reader = NONE
		:: else
		fi
	:: else
	fi
}

inline others_idle()
{
	i = 0;
	do
	:: i < N && (i == me || cpu_status[i] != STARTED) -> i++
	:: else -> break
	od;
	yes = i == N;
	i = 0
}

// Sets e to the first runnable environment after the cursor, in circular order, or to NONE.
inline env_next_runnable()
{
	e = (cursor + 1) % ENVS;
	if
	:: env_status[e] != RUNNABLE -> e = (e + 1) % ENVS
	:: else
	fi;
	if
	:: env_status[e] != RUNNABLE -> e = NONE
	:: else
	fi
}

// The first property, checked when the lock is dropped: either no CPU is idle, or as many other
// CPUs are about to choose an environment as there are runnable environments.
inline check_none_forgotten()
{
	runnable = 0;
	coming = 0;
	for (i : 0 .. ENVS - 1) {
		runnable = runnable + (env_status[i] == RUNNABLE)
	};
	yes = false;
	for (i : 0 .. N - 1) {
		if
		:: cpu_status[i] != STARTED -> yes = true
		:: else -> coming = coming + (i != me && curenv[i] == NONE)
		fi
	};
	assert(!yes || runnable <= coming);
	i = 0;
	yes = false;
	runnable = 0;
	coming = 0
}

// The monitor waits for a line, with the lock held. The line starts an environment.
inline monitor()
{
	in_monitor = true;
	do
	:: atomic { input + device -> cons_intr(); input-- };
	   break
	:: input + device == 0;
	   d_step { irq[me] -> interrupt_handler() }
	od;
	atomic {
		in_monitor = false;
		if
		:: env_status[0] == NOT_RUNNABLE -> env_set_runnable(0)
		:: else -> env_set_runnable(1)
		fi
	}
}

// The part of sched_halt before it drops the lock. Sets `yes` if this CPU must enter the monitor.
inline prepare_to_halt()
{
	others_idle();
	yes = yes && reader == NONE;
#ifndef NO_MONITOR
	if
	:: yes && me != BOOTCPU ->
		unidle_cpu(BOOTCPU)
	:: else
	fi;
#endif
	yes = yes && me == BOOTCPU;
#ifndef MARK_LATE
	if
	:: !yes -> cpu_status[me] = POLLING
	:: else
	fi
#endif
}

// The part after it: halt, unless another CPU has already woken this CPU.
inline poll_for_work()
{
	if
	:: cpu_status[me] != POLLING
#ifdef HALT_ANYWAY
	:: cpu_status[me] == POLLING -> cpu_status[me] = HALTED; sti_hlt_cli()
#else
	:: d_step { cpu_status[me] == POLLING -> cpu_status[me] = HALTED };
	   sti_hlt_cli()
#endif
	fi
}

inline sched_halt()
{
	if
	:: yes -> yes = false; monitor()
	:: else ->
		unlock_kernel();
#ifdef MARK_LATE
		cpu_status[me] = POLLING;
#endif
		poll_for_work();
		lock_kernel()
	fi
}

inline look_for_env()
{
#ifndef KEY_FORGOTTEN
	cons_wake_readers();
#endif
	env_next_runnable();
	if
	:: e == NONE -> prepare_to_halt()
	:: else -> cursor = e; curenv[me] = e; env_status[e] = RUNNING
	fi
}

inline sched_yield()
{
	atomic {
		if
		:: curenv[me] != NONE && env_status[curenv[me]] == RUNNING ->
			env_status[curenv[me]] = RUNNABLE
		:: else
		fi;
		curenv[me] = NONE;
		look_for_env()
	};
	do
	:: e != NONE -> break
	:: e == NONE ->
		sched_halt();
		atomic { cpu_status[me] = STARTED; look_for_env() }
	od;
	e = 0
}

// ---- What environments do ----

// A system call, with the lock held. After it the caller waits, or continues.
inline syscall()
{
	if
	:: env_status[curenv[me]] = RUNNABLE       // sys_yield
	:: env_status[curenv[me]] = NOT_RUNNABLE   // sys_ipc_recv, or the environment ends
	:: atomic { env_status[1 - curenv[me]] == NOT_RUNNABLE && reader == NONE ->
		env_set_runnable(1 - curenv[me])   // sys_ipc_send
	   }
	:: reader == NONE ->                       // sys_cgetc_wait
		atomic {
			cons_intr();
			if
			:: input -> input--
			:: else -> reader = curenv[me]; env_status[curenv[me]] = NOT_RUNNABLE
			fi
		}
	fi
}

proctype cpu(byte me)
{
	byte next;
	byte e, i, runnable, coming;
	bool yes, called;

	lock_kernel();
	if
	:: me == BOOTCPU -> atomic { env_set_runnable(0) }
	:: else
	fi;
	sched_yield();
	do
	:: true ->
		unlock_kernel();
		// User mode: an interrupt, the end of the time slice, or one system call in each
		// slice.
		if
		:: d_step { irq[me] -> interrupt_handler() };
			lock_kernel();
			atomic { cons_wake_readers() }
		:: !irq[me] ->
			called = false;
			lock_kernel(); // The time slice is over.
			atomic { env_status[curenv[me]] = RUNNABLE; cons_wake_readers() }
		:: !irq[me] && !called ->
			called = true;
			lock_kernel();
			syscall()
		fi;
		if
		:: env_status[curenv[me]] == RUNNING
		:: else -> called = false; sched_yield()
		fi
	od
}

proctype keyboard()
{
	do
	:: keys -> d_step { keys--; device++; irq[BOOTCPU] = true }
	:: keys == 0 -> break
	od
}

init
{
	byte i;
	atomic {
		for (i : 0 .. N - 1) {
			run cpu(i)
		};
		run keyboard()
	};
	// When no process can take another step:
	timeout;
	assert(env_status[0] == NOT_RUNNABLE && env_status[1] == NOT_RUNNABLE);
	assert(in_monitor || reader != NONE);
	assert(in_monitor || !locked);
	assert(!device && !input)
}
