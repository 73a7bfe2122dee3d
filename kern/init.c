// Start-up of the boot CPU, which comes from entry.S, and of the others, which come from mpentry.S,
// until each is in the scheduler. Panic handling.

#include <inc/assert.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/dev/console.h>
#include <kern/cpu.h>
#include <kern/check/doublefault.h>
#include <kern/env.h>
#include <kern/check/failalloc.h>
#include <kern/challenge/challenge.h>
#include <kern/init.h>
#include <kern/check/jitter.h>
#include <kern/check/lockstat.h>
#include <kern/dev/kclock.h>
#include <kern/monitor.h>
#include <kern/dev/multiboot.h>
#include <kern/dev/picirq.h>
#include <kern/pmap.h>
#include <kern/sched.h>
#include <kern/check/selftest.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/trap.h>

const char *volatile panicstr;
static volatile uint32_t panicker; // The CPU's number + 1
volatile uint32_t mpentry_cpu;

#define MESSAGE_SIZE 256 // Of a panic or warning, at most

#define STOP_PATIENCE 1000 // Milliseconds to wait for the other CPUs to stop

// Command-line options, name=value.
static const struct Option {
	const char *name;
	bool (*set)(const char *value); // Up to a blank. False if the value is not valid.
} options[] = {
	{ "failalloc=", failalloc_set },
	{ "jitter=", jitter_set },
	{ "lockstat=", lockstat_set },
	{ "selftest=", selftest_run },
};

// If the word of len characters is an option, set it. Returns whether it is one.
static bool
set_option(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		size_t n = strlen(options[i].name);
		if (len < n || strncmp(word, options[i].name, n) != 0)
			continue;
		if (!options[i].set(word + n))
			cprintf("command line: '%.*s' has no such value\n", (int)len, word);
		return true;
	}
	return false;
}

// Set the options and start the programs that the command line names, in its order.
static void
start_programs(const char *cmdline)
{
	const char *word = cmdline;

	for (;;) {
		while (*word == ' ')
			word++;
		if (!*word)
			return;
		size_t len = strfind(word, ' ') - word;
		const struct Program *program = program_find(word, len);
		if (program)
			env_create(program, word, len, ENV_TYPE_USER);
		else if (!set_option(word, len))
			cprintf("command line: no program is called '%.*s'\n", (int)len, word);
		word += len;
	}
}

// Wait until a CPU has started, for at most about a second. Returns whether it has.
static bool
wait_until_started(const struct CpuInfo *c)
{
	for (int i = 0; i < 10000; i++) {
		if (c->cpu_status == CPU_STARTED)
			return true;
		udelay(100);
	}
	return false;
}

// Start the other CPUs, one at a time: they share the code at MPENTRY_PADDR, and mpentry_cpu,
// from which each takes its number.
static __attribute__((noinline)) void
boot_aps(void)
{
	struct WarmReset warm_reset = { SHUTDOWN_WARM, { 0, MPENTRY_PADDR >> 4 } };

	memcpy(KADDR(MPENTRY_PADDR), mpentry_start, mpentry_end - mpentry_start);
	lapic_swap_warm_reset(&warm_reset);
	for (int i = 1; i < ncpu; i++)
		lapic_startap_init(cpus[i].cpu_apicid);
	timer_calibrate(); // Takes longer than the 10 ms that an INIT needs.

	for (int i = 1; i < ncpu; i++) {
		mpentry_cpu = i + 1;
		lapic_startap(cpus[i].cpu_apicid, MPENTRY_PADDR);
		if (wait_until_started(&cpus[i]))
			continue;
		// The CPU may have taken its number just now: then wait once more.
		if (xchg(&mpentry_cpu, 0) == 0 && wait_until_started(&cpus[i]))
			continue;
		cprintf("SMP: CPU %d (APIC id %d) does not answer\n", i, cpus[i].cpu_apicid);
	}
	lapic_swap_warm_reset(&warm_reset);
}

// The boot CPU's first function, called by entry.S on its own kernel stack.
void
i386_init(physaddr_t multiboot_info)
{
	env_init_percpu();
	trap_init();
	trap_init_percpu(0);
	lock_kernel(); // So that all that follows may assert that the lock is held. Exercise 5.
	challenge_init_percpu(0);

	cons_init();
	cprintf("6828 decimal is %o octal!\n", 6828);
	multiboot_init(multiboot_info);
	mem_init();
	doublefault_init_percpu(); // Again, with kern_pgdir.
	env_init();

	mp_init();
	lapic_init();
	pic_init();
	cons_enable_interrupts();

	bootcpu->cpu_status = CPU_STARTED;
	boot_aps();
	// ENV_CREATE(user_NAME, ENV_TYPE_USER) here starts user/NAME.c first.
#ifdef TEST
	ENV_CREATE(TEST, ENV_TYPE_USER); // make INIT_CFLAGS=-DTEST=user_NAME
#endif
	start_programs(boot_cmdline);
	sched_yield();
}

// Another CPU's first function, called by mpentry.S on its own kernel stack.
void
mp_main(int cpu)
{
	struct CpuInfo *c = &cpus[cpu];

	env_init_percpu();
	trap_init_percpu(cpu);
	c->cpu_status = CPU_STARTING;
	mem_init_percpu();
	challenge_init_percpu(cpu);
	cprintf("SMP: CPU %d starting\n", cpu);

	lapic_init();
	c->cpu_apicid = lapic_id();        // In case another CPU answered the STARTUP interrupt.
	xchg(&c->cpu_status, CPU_STARTED); // boot_aps() waits for this.

	lock_kernel(); // Exercise 5
	sched_yield();
}

// ---- Panic ----

void
panic_halt(void)
{
	thiscpu->cpu_status = CPU_STOPPED;
	for (;;)
		__asm__ volatile("cli; hlt");
}

bool
panicking(void)
{
	return panicker == (uint32_t)cpunum() + 1;
}

// This CPU has panicked while it panicked: print that, once, and halt.
static __attribute__((noreturn)) void
panic_again(const char *why, uintptr_t eip)
{
	static bool said;

	if (!said) {
		said = true;
		cons_lock_for_panic(); // It may have been in a line of this very panic.
		cprintf("\nanother panic within the panic: %s, eip %08x\n", why, eip);
	}
	panic_halt();
}

// Stop the other CPUs by NMIs, since a CPU may never turn its interrupts on again. (A CPU that has
// not started would take the NMI in real mode.)
static void
stop_others(void)
{
	int patience = STOP_PATIENCE;

	for (int i = 0; i < ncpu; i++) {
		if (i != cpunum() && cpus[i].cpu_status != CPU_UNUSED)
			lapic_nmi(i);
	}
	for (int i = 0; i < ncpu; i++) {
		while (i != cpunum() && cpus[i].cpu_status != CPU_UNUSED &&
		       cpus[i].cpu_status != CPU_STOPPED && --patience > 0)
			udelay(1000);
	}
}

void
panic_begin(const char *why, uintptr_t eip)
{
	uint32_t none = 0, me = cpunum() + 1;

	cli();
	if (panicking())
		panic_again(why, eip);
	if (!__atomic_compare_exchange_n(
		&panicker, &none, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		panic_halt();
	panicstr = why;
	cons_lock_for_panic();
	stop_others();
	cons_end_line();
}

// Print a message in one piece, so that no other CPU's output comes in between. What does not
// fit into the buffer is cut off: the stack for double faults is one page.
static void
report(const char *what, const char *file, int line, const char *fmt, va_list ap)
{
	char message[MESSAGE_SIZE];

	vsnprintf(message, sizeof(message), fmt, ap);
	cprintf("kernel %s at %s:%d: %s\n", what, file, line, message);
}

// Report an error that the kernel cannot go on after, and stay in the monitor.
void
_panic(const char *file, int line, const char *fmt, ...)
{
	static bool announced;
	char what[] = "panic on CPU NN";
	va_list ap;

	if (!panicking() || announced)
		panic_begin(fmt, (uintptr_t)__builtin_return_address(0));
	announced = true;
	snprintf(what, sizeof(what), "panic on CPU %d", cpunum());
	va_start(ap, fmt);
	report(what, file, line, fmt, ap);
	for (;;)
		monitor(NULL);
}

// Report an error, and go on.
void
_warn(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report("warning", file, line, fmt, ap);
	va_end(ap);
}
