#ifndef JOS_KERN_CPU_H
#define JOS_KERN_CPU_H

// Finding, starting and naming the CPUs (mpconfig.c, acpi.c, mpentry.S), and
// talking to the others (lapic.c).
//
// A CPU's number is its place in cpus[], from 0 (the one that booted) without
// gaps. Its local APIC's id is another matter: any byte, in any order.

#include <inc/assert.h>
#include <inc/env.h>
#include <inc/memlayout.h>
#include <inc/types.h>
#include <inc/x86.h>

#define NCPU 32

// What runs, and what is read, at most switches from one environment to another. The TLB is
// empty then, and each page costs a walk through the page tables: so kernel.ld puts this code
// together, and this data. The code fills most of a page; mark nothing that is not worth another.
#define HOT      __attribute__((hot)) // Into .text.hot
#define HOT_DATA __attribute__((section(".data.hot")))

enum {
	CPU_UNUSED = 0,
	CPU_STARTING, // It has its number, and can be interrupted
	CPU_STARTED,  // It runs in the kernel, or in an environment
	CPU_POLLING,  // It has nothing to run, and polls for work
	CPU_HALTED,   // It has nothing to run, and halts until an interrupt
	CPU_STOPPED,  // Another one panicked, and this one will never go on
};

struct CpuInfo {
	uint8_t cpu_id;              // Its own place in cpus[]
	uint8_t cpu_apicid;          // Its local APIC's name on the bus
	volatile uint32_t cpu_status; // CPU_*: once it is up, see sched.c
	struct Env *cpu_env;         // The environment it runs: see curenv
	uint32_t cpu_turn_end;       // When the turn of cpu_env should end: see sched.c
	bool cpu_ticked;             // The timer has interrupted, sched_tick has not seen it yet
	bool cpu_ticking;            // Its timer runs, and may go on: see timer.c
	bool cpu_fpu_live;           // cpu_env's state is in its floating-point unit: see fpu.c
	volatile uint32_t cpu_in_user;  // These three: see tlb.c
	volatile uint32_t cpu_pending_flush;
	volatile uint32_t cpu_nmi_sent; // force_into_kernel sent an NMI, which has not arrived yet
	pde_t *volatile cpu_pgdir;      // The page directory that is loaded: see tlb.c
	struct Taskstate cpu_ts;     // Tells the CPU where its kernel stack is
} __attribute__((aligned(256))); // A cache line of its own, and an address by shifting

extern struct CpuInfo cpus[NCPU];
extern int ncpu;                 // How many of cpus[] there are
extern struct CpuInfo *bootcpu;  // The one the BIOS started: cpus[0]
extern physaddr_t lapicaddr;     // Where the local APIC's registers are; 0: there is none
extern uint8_t percpu_kstacks[NCPU][KSTKSIZE];

extern uint8_t percpu_dfstacks[NCPU][DFSTKSIZE];

// The top of CPU i's kernel stack, as mapped: with a guard below. Behind them come the
// stacks for double faults (kern/check/doublefault.c): CPU i's is where a CPU NCPU + i would have
// its kernel stack.
#define KSTACKTOP_CPU(i) (KSTACKTOP - (i) * (KSTKSIZE + KSTKGAP))

// Which CPU this is. Each one's task register holds the selector of its own TSS,
// so one instruction answers (Intel, volume 3, section 7.2.4). From the moment
// trap_init_percpu() has run, which is the first thing any CPU does in C; but not in the
// function that calls it: a compiler may read the register early, for it does not know that
// it changes.
static inline int
cpunum(void)
{
	return (str() - GD_TSS0) >> 3;
}

// What there is to know of it: &cpus[cpunum()], by one shift.
static inline struct CpuInfo *
this_cpu(void)
{
	static_assert(sizeof(struct CpuInfo) == 256);
	struct CpuInfo *c = (void *)((uintptr_t)cpus + (str() - GD_TSS0) * (256 / 8));

	__asm__("" : "+r"(c)); // Or else gcc computes the address of each member anew.
	return c;
}

#define thiscpu this_cpu()

// mpconfig.c, acpi.c
void mp_init(void);
void mp_add_cpu(uint32_t apicid);
bool acpi_find_cpus(void);
void acpi_power_off(void);

// lapic.c
void lapic_init(void);
uint8_t lapic_id(void);

// What the BIOS does after a reset of a CPU: with SHUTDOWN_WARM it jumps to `vector`, an offset
// and a segment.
struct WarmReset {
	uint8_t shutdown;
	uint16_t vector[2];
};
#define SHUTDOWN_WARM 0x0A

void lapic_swap_warm_reset(struct WarmReset *warm_reset);
void lapic_startap_init(uint8_t apicid);
void lapic_startap(uint8_t apicid, physaddr_t start);
void lapic_eoi(void);
void lapic_ipi(int cpu, int vector);
void lapic_nmi(int cpu);
void lapic_timer_set(uint32_t count);
uint32_t lapic_timer_left(void);

// mpentry.S: the code that is copied to MPENTRY_PADDR, and what it is told.
extern const uint8_t mpentry_start[], mpentry_end[];
extern volatile uint32_t mpentry_cpu; // 1 + the number for the CPU that comes, 0 if taken

#endif // JOS_KERN_CPU_H
