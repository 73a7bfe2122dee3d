#ifndef JOS_KERN_CPU_H
#define JOS_KERN_CPU_H

// The CPUs and their local APICs. mpconfig.c finds the CPUs, lapic.c and mpentry.S start them, and
// ipi.c interrupts them. The CPUs are numbered from 0 without gaps, and a CPU's number is its index
// in cpus[]. The boot CPU has number 0. The id of a CPU's local APIC is a different number: APIC
// ids may be any bytes, in any order.

#include <inc/assert.h>
#include <inc/env.h>
#include <inc/memlayout.h>
#include <inc/types.h>
#include <inc/x86.h>

#define NCPU 32

// HOT and HOT_DATA mark the code and data that are used in most switches between environments. The
// TLB is empty after a switch, and each page that is used costs a page-table walk, so kernel.ld
// places all HOT code together, and all HOT data together. The code fills most of a page: mark more
// code only if it is worth a second page.
#define HOT      __attribute__((hot)) // Placed in .text.hot
#define HOT_DATA __attribute__((section(".data.hot")))

enum {
	CPU_UNUSED = 0,
	CPU_STARTING, // Has its number, and can be interrupted
	CPU_STARTED,  // Runs in the kernel, or in an environment
	CPU_POLLING,  // Has nothing to run, and polls for work
	CPU_HALTED,   // Has nothing to run, and halts until an interrupt
	CPU_STOPPED,  // Halted permanently, because another CPU has panicked
};

// The alignment gives each CPU its own cache lines, and this_cpu() then needs only one shift.
struct CpuInfo {
	// Constant once the CPU has started.
	uint8_t cpu_id;     // Its index in cpus[]
	uint8_t cpu_apicid; // Its local APIC's id

	// Only this CPU uses these.
	bool cpu_ticked;  // The timer has interrupted, and sched_tick has not handled that yet
	bool cpu_ticking; // The timer runs (timer.c)

	// Only this CPU writes these, with the big lock. Other CPUs read them with the big lock.
	struct Env *cpu_env;   // The environment that this CPU runs, or NULL (curenv, env.h)
	uint32_t cpu_turn_end; // End of cpu_env's turn on the time stamp counter (sched.c)
	bool cpu_fpu_live;     // cpu_env's registers are in the floating-point unit (fpu.c)

	// Several CPUs read and write these without a lock: see sched.c (cpu_status) and tlb.c.
	volatile uint32_t cpu_status;        // CPU_*
	volatile uint32_t cpu_in_user;       // This CPU is in user mode, or about to return there
	volatile uint32_t cpu_pending_flush; // It must flush its TLB before it uses user memory
	volatile uint32_t cpu_nmi_sent;      // An NMI from force_into_kernel has not arrived yet
	pde_t *volatile cpu_pgdir;           // The page directory that is loaded

	struct Taskstate cpu_ts; // The hardware reads the address of the CPU's kernel stack here
} __attribute__((aligned(256)));

extern struct CpuInfo cpus[NCPU];
extern int ncpu;                // Number of CPUs in cpus[]
extern struct CpuInfo *bootcpu; // The CPU that the BIOS started: cpus[0]
extern physaddr_t lapicaddr;    // Physical address of the local APIC's registers, or 0 if none
extern uint8_t percpu_kstacks[NCPU][KSTKSIZE];
extern uint8_t percpu_dfstacks[NCPU][DFSTKSIZE];

// The top of CPU i's kernel stack, which has an unmapped guard below it. KSTACKTOP_CPU(NCPU + i) is
// the top of CPU i's stack for double faults (kern/check/doublefault.c).
#define KSTACKTOP_CPU(i) (KSTACKTOP - (i) * (KSTKSIZE + KSTKGAP))

// This CPU's number, from its task register, which holds the selector of the CPU's own TSS (Intel,
// volume 3, section 7.2.4). Valid after trap_init_percpu(), except in the function that calls
// trap_init_percpu(): the compiler may read the register before the call changes it.
static inline int
cpunum(void)
{
	return (str() - GD_TSS0) >> 3;
}

// Return &cpus[cpunum()], computed with one shift.
static inline struct CpuInfo *
this_cpu(void)
{
	static_assert(sizeof(struct CpuInfo) == 256);
	struct CpuInfo *c = (void *)((uintptr_t)cpus + (str() - GD_TSS0) * (256 / 8));

	__asm__("" : "+r"(c)); // Without this, gcc computes each member's address anew.
	return c;
}

#define thiscpu this_cpu()

#define LAPIC_DEFAULT 0xFEE00000 // The usual lapicaddr

// mpconfig.c, dev/acpi.c, dev/mptable.c
void mp_init(void);
void mp_add_cpu(uint32_t apicid);
bool acpi_find_cpus(void);
bool mp_find_cpus(void);
void acpi_power_off(void);

// lapic.c. lapic_startap starts a CPU that has received its INIT. `start` is the physical address,
// below 1 MB, at which the CPU starts.
void lapic_init(void);
uint8_t lapic_id(void);
void lapic_startap_init(uint8_t apicid);
void lapic_startap(uint8_t apicid, physaddr_t start);

// Tells the BIOS what to do after a reset. SHUTDOWN_WARM: jump to vector, an offset and a segment.
struct WarmReset {
	uint8_t shutdown;
	uint16_t vector[2];
};
#define SHUTDOWN_WARM 0x0A
void lapic_swap_warm_reset(struct WarmReset *warm_reset);

// ipi.c
void lapic_eoi(void);
void lapic_ipi(int cpu, int vector);
void lapic_nmi(int cpu);
void lapic_timer_set(uint32_t count);
uint32_t lapic_timer_left(void);

// mpentry.S: the code that boot_aps() copies to MPENTRY_PADDR, and its parameter.
extern const uint8_t mpentry_start[], mpentry_end[];
extern volatile uint32_t mpentry_cpu; // Number of the CPU to start, plus 1; 0 after it is taken

#endif // JOS_KERN_CPU_H
