// Start-up in C. entry.S calls i386_init on the boot CPU. mpentry.S calls mp_main on the other
// CPUs. Both functions end in the scheduler. This file also prints panic and warning messages.

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
#include <kern/panic.h>
#include <kern/check/postmortem.h>
#include <kern/dev/multiboot.h>
#include <kern/dev/picirq.h>
#include <kern/pmap.h>
#include <kern/sched.h>
#include <kern/check/selftest.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/check/trace.h>
#include <kern/trap.h>

volatile uint32_t mpentry_cpu;

#define MESSAGE_SIZE 256 // Size limit of a panic or warning message, in bytes

// The command-line options. On the command line, an option has the form name=value.
static const struct Option {
	const char *name;
	bool (*set)(const char *value); // Returns whether value, which ends at a blank, is valid
} options[] = {
	{ "failalloc=", failalloc_set },
	{ "jitter=", jitter_set },
	{ "lockstat=", lockstat_set },
	{ "selftest=", selftest_run },
	{ "trace", trace_set },
};

// If a word of len characters names an option, set the option. If the option's value is not valid,
// print a message. Returns whether the word names an option.
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

// For each word of the command line, from left to right, set an option or start a program.
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

// Wait up to about a second for a CPU to start. Returns whether the CPU has started.
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

// Start the other CPUs, one after the other: they share the code at MPENTRY_PADDR, and the variable
// mpentry_cpu, which contains the number of the starting CPU.
static __attribute__((noinline)) void
boot_aps(void)
{
	struct WarmReset warm_reset = { SHUTDOWN_WARM, { 0, MPENTRY_PADDR >> 4 } };

	memcpy(KADDR(MPENTRY_PADDR), mpentry_start, mpentry_end - mpentry_start);
	lapic_swap_warm_reset(&warm_reset);
	for (int i = 1; i < ncpu; i++)
		lapic_startap_init(cpus[i].cpu_apicid);
	timer_calibrate(); // Takes longer than 10 ms, the necessary wait after INIT.

	for (int i = 1; i < ncpu; i++) {
		mpentry_cpu = i + 1;
		lapic_startap(cpus[i].cpu_apicid, MPENTRY_PADDR);
		if (wait_until_started(&cpus[i]))
			continue;
		// If mpentry_cpu is 0, the CPU took its number just in time: wait once more.
		if (xchg(&mpentry_cpu, 0) == 0 && wait_until_started(&cpus[i]))
			continue;
		cprintf("SMP: CPU %d (APIC id %d) does not answer\n", i, cpus[i].cpu_apicid);
	}
	lapic_swap_warm_reset(&warm_reset);
}

// The first C function on the boot CPU. entry.S calls it on CPU 0's kernel stack.
void
i386_init(physaddr_t multiboot_info)
{
	env_init_percpu();
	trap_init();
	trap_init_percpu(0);
	lock_kernel(); // Exercise 5. The functions below assert kernel_locked().
	challenge_init_percpu(0);

	cons_init();
	cprintf("6828 decimal is %o octal!\n", 6828);
	multiboot_init(multiboot_info);
	mem_init();
	doublefault_init_percpu(); // Called again: it stores CR3, which mem_init has changed.
	env_init();

	mp_init();
	lapic_init();
	pic_init();
	cons_enable_interrupts();

	bootcpu->cpu_status = CPU_STARTED;
	boot_aps();
	// To run user/NAME.c first, add ENV_CREATE(user_NAME, ENV_TYPE_USER) here.
#ifdef TEST
	ENV_CREATE(TEST, ENV_TYPE_USER); // Set by make INIT_CFLAGS=-DTEST=user_NAME
#endif
	start_programs(boot_cmdline);
	sched_yield();
}

// The first C function on each other CPU. mpentry.S calls it on this CPU's kernel stack.
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
	c->cpu_apicid = lapic_id();        // In case another CPU answered the STARTUP interrupt
	xchg(&c->cpu_status, CPU_STARTED); // boot_aps() waits for this.

	lock_kernel(); // Exercise 5
	sched_yield();
}

// ---- Panic and warning messages ----

// Print a message with a single cprintf, so that no other CPU's output comes in between. The end of
// a message that does not fit into MESSAGE_SIZE bytes is cut off. (The buffer is small because it
// must fit on the stack for double faults, which is one page.)
static void
report(const char *what, const char *file, int line, const char *fmt, va_list ap)
{
	char message[MESSAGE_SIZE];

	vsnprintf(message, sizeof(message), fmt, ap);
	cprintf("kernel %s at %s:%d: %s\n", what, file, line, message);
}

// Report an error after which the kernel cannot continue, and stay in the monitor.
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
	postmortem();
	trace_print_panic();
	for (;;)
		monitor(NULL);
}

// Report an error and continue.
void
_warn(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report("warning", file, line, fmt, ap);
	va_end(ap);
}
