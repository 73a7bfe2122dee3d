#ifndef JOS_KERN_CPU_H
#define JOS_KERN_CPU_H

// The CPUs and their local APICs, which send and receive interrupts. mpconfig.c finds the CPUs,
// lapic.c and mpentry.S start the CPUs, and ipi.c interrupts other CPUs. A CPU's number is its
// index in cpus[], and the boot CPU has number 0. The number differs from the id of the CPU's local
// APIC: an APIC id may be any byte, and the ids may be in any order.

#include <inc/assert.h>
#include <inc/env.h>
#include <inc/memlayout.h>
#include <inc/types.h>
#include <inc/x86.h>

#define NCPU 32

// HOT and HOT_DATA mark code and data that most switches between environments use. After a switch
// the TLB is empty, so the first access to each page costs a page-table walk. To use few pages,
// kernel.ld places all HOT code together, and all HOT data together. The HOT code fills most of one
// page: mark more code only if it is worth a second page.
#define HOT      __attribute__((hot)) // Placed in .text.hot
#define HOT_DATA __attribute__((section(".data.hot")))

enum {
	CPU_UNUSED = 0,
	CPU_STARTING, // The CPU has its number, and can receive interrupts
	CPU_STARTED,  // The CPU runs the kernel or an environment
	CPU_POLLING,  // The CPU is idle, and polls for work
	CPU_HALTED,   // The CPU is idle, and has halted until an interrupt arrives
	CPU_STOPPED,  // The CPU has halted permanently, because another CPU has panicked
};

// This struct is aligned so that CPUs share no cache lines, and so that this_cpu() is one shift.
struct CpuInfo {
	// Constant once the CPU has started.
	uint8_t cpu_id;     // The CPU's number: its index in cpus[]
	uint8_t cpu_apicid; // The id of the CPU's local APIC

	// Used by this CPU alone.
	bool cpu_ticked;  // A timer tick has arrived that sched_tick has not handled yet
	bool cpu_ticking; // The timer is running (timer.c)

	// Written only by this CPU, with the big lock. Read also by other CPUs, with the big lock.
	struct Env *cpu_env;   // The environment on this CPU, or NULL (curenv, env.h)
	uint32_t cpu_turn_end; // Time stamp counter at the end of cpu_env's turn (sched.c)
	bool cpu_fpu_live;     // The floating-point unit has cpu_env's registers (fpu.c)

	// Read and written by several CPUs without a lock: see sched.c (cpu_status) and tlb.c.
	volatile uint32_t cpu_status;        // One of the CPU_ constants
	volatile uint32_t cpu_in_user;       // This CPU is in user mode, or about to return to it
	volatile uint32_t cpu_pending_flush; // This CPU must flush its TLB before using user memory
	volatile uint32_t cpu_nmi_sent;      // An NMI from force_into_kernel has not arrived yet
	pde_t *volatile cpu_pgdir;           // The page directory that this CPU has loaded

	struct Taskstate cpu_ts; // Tells the hardware the address of this CPU's kernel stack
} __attribute__((aligned(256)));

extern struct CpuInfo cpus[NCPU];
extern int ncpu;                // Number of CPUs in cpus[]
extern struct CpuInfo *bootcpu; // The CPU that the BIOS started: &cpus[0]
extern physaddr_t lapicaddr;    // Physical address of the local APIC's registers, or 0 if none
extern uint8_t percpu_kstacks[NCPU][KSTKSIZE];
extern uint8_t percpu_dfstacks[NCPU][DFSTKSIZE];

// The top of CPU i's kernel stack, which has unmapped guard pages below it. The top of CPU i's
// stack for double faults (kern/check/doublefault.c) is KSTACKTOP_CPU(NCPU + i).
#define KSTACKTOP_CPU(i) (KSTACKTOP - (i) * (KSTKSIZE + KSTKGAP))

// Return this CPU's number, computed from the task register. trap_init_percpu() stores the selector
// of the CPU's TSS in this register (Intel, volume 3, section 7.2.4). A function that calls
// trap_init_percpu() must not call cpunum(): the compiler may read the register too early.
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

	__asm__("" : "+r"(c)); // Without this line, gcc computes the address again for each member.
	return c;
}

#define thiscpu this_cpu()

#define LAPIC_DEFAULT 0xFEE00000 // The usual value of lapicaddr

// Defined in mpconfig.c, dev/acpi.c and dev/mptable.c.
void mp_init(void);
void mp_add_cpu(uint32_t apicid);
bool acpi_find_cpus(void);
bool mp_find_cpus(void);
void acpi_power_off(void);

// Defined in lapic.c. lapic_startap_init sends INIT to a CPU. Later, lapic_startap starts the CPU
// at the physical address `start`, below 1 MB.
void lapic_init(void);
uint8_t lapic_id(void);
void lapic_startap_init(uint8_t apicid);
void lapic_startap(uint8_t apicid, physaddr_t start);

// What the BIOS does after a reset. With SHUTDOWN_WARM, it jumps to the far address in vector.
struct WarmReset {
	uint8_t shutdown;
	uint16_t vector[2];
};
#define SHUTDOWN_WARM 0x0A
void lapic_swap_warm_reset(struct WarmReset *warm_reset);

// Defined in ipi.c.
void lapic_eoi(void);
void lapic_ipi(int cpu, int vector);
void lapic_nmi(int cpu);
void lapic_timer_set(uint32_t count);
uint32_t lapic_timer_left(void);

// mpentry.S: the code that boot_aps() copies to MPENTRY_PADDR, and its parameter.
extern const uint8_t mpentry_start[], mpentry_end[];
extern volatile uint32_t mpentry_cpu; // Number of the CPU to start, plus 1; then 0

#endif // JOS_KERN_CPU_H
