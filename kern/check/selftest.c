// Mistakes made on purpose, to test that the kernel detects its own mistakes. Each function of this
// file makes one mistake. If the command line has selftest=NAME, the boot CPU calls function NAME
// (init.c). An assertion or a sanitizer check must then panic. One exception is
// get_spurious_interrupt, which imitates an error of a device: the kernel must only count the
// interrupt. Other exceptions are fill_mmio and map_odd_registers, whose calls are allowed.

#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/trap.h>

#include <kern/dev/console.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>
#include <kern/runq.h>
#include <kern/check/selftest.h>
#include <kern/spinlock.h>
#include <kern/wait.h>

// ---- Locks ----

static void
take_big_lock_twice(void)
{
	lock_kernel();
}

static void
take_lock_twice(void)
{
	spin_lock(&cons_lock);
	spin_lock(&cons_lock);
}

static void
release_free_lock(void)
{
	spin_unlock(&cons_lock);
}

// Release the big lock while CPU 1 holds the lock (or, on a machine with one CPU, while no CPU
// holds the lock).
static void
release_lock_of_another(void)
{
	unlock_kernel();
	while (ncpu > 1 && kernel_lock.holder != spin_cpu(1))
		lapic_ipi(1, T_IPI_WAKE); // CPU 1 wakes up and takes the lock to look for work.
	unlock_kernel();
}

static void
allocate_page_without_lock(void)
{
	unlock_kernel();
	page_alloc(0);
}

static void
map_page_without_lock(void)
{
	struct PageInfo *pp = page_alloc(0);

	unlock_kernel();
	page_insert(kern_pgdir, pp, UTEMP, 0);
}

static void
change_status_without_lock(void)
{
	unlock_kernel();
	env_set_status(&envs[0], ENV_RUNNABLE);
}

static void
wake_without_lock(void)
{
	unlock_kernel();
	runq_wake();
}

// ---- Damaged data ----

// Panic while curenv is an environment that has no program and no memory.
static void
panic_in_a_free_environment(void)
{
	curenv = &envs[NENV - 1];
	panic("the environment is free");
}

// ---- Hardware ----

// Imitate a spurious interrupt. An 8259A signals line 7 when a device withdraws its request too
// early.
static void
get_spurious_interrupt(void)
{
	__asm__ volatile("int %0" : : "i"(IRQ_OFFSET + 7));
}

static void
fault_in_kernel(void)
{
	*(volatile uint32_t *)0;
}

// ---- Device registers ----

#define DEVICE 0xE0000000 // A physical address where the machine has no memory

// Return the address at which mmio_map_region will map the next registers.
static uintptr_t
next_registers(void)
{
	return (uintptr_t)mmio_map_region(DEVICE, PGSIZE) + PGSIZE;
}

// Use all of the region for device registers. Prints a line that the grade expects.
static void
fill_mmio(void)
{
	uintptr_t next = next_registers();
	uintptr_t got = (uintptr_t)mmio_map_region(DEVICE, MMIOLIM - next);
	pte_t *last = pgdir_walk(kern_pgdir, (void *)(MMIOLIM - PGSIZE), 0);

	if (got == next && last && PTE_ADDR(*last) == DEVICE + MMIOLIM - PGSIZE - next)
		cprintf("selftest: registers fill the region up to MMIOLIM\n");
}

// Map registers whose address has all bits set that would be permissions in a page table entry.
static void
map_odd_registers(void)
{
	const physaddr_t device = DEVICE + 0xFE7;
	uintptr_t va = (uintptr_t)mmio_map_region(device, 2 * PGSIZE);
	const pte_t *pte = pgdir_walk(kern_pgdir, (void *)va, 0);
	const pte_t perm = PTE_P | PTE_W | PTE_PCD | PTE_PWT;

	for (int i = 0; i < 3; i++) {
		if (pte[i] != (PTE_ADDR(device) + i * PGSIZE) + perm)
			return;
	}
	if (PGOFF(va) == PGOFF(device))
		cprintf("selftest: registers at an odd address are mapped\n");
}

static void
overfill_mmio(void)
{
	mmio_map_region(DEVICE, MMIOLIM - next_registers() + 1);
}

static void
map_almost_everything(void)
{
	mmio_map_region(0, 0xFFFFFFFF);
}

// ---- Mistakes that only a kernel built with `make SAN=1` detects ----

// These variables are volatile, so that the compiler cannot know their values.
static volatile int one = 1, many = INT32_MAX;
static volatile int sink;

static void
overflow_number(void)
{
	sink = many + one;
}

static void
shift_too_far(void)
{
	sink = one << (many & 32);
}

static void
index_beyond_array(void)
{
	static int numbers[4];

	sink = numbers[3 + one];
}

static void
use_unaligned_pointer(void)
{
	static int numbers[2];

	sink = *(int *)((uintptr_t)numbers + one);
}

static __attribute__((noinline)) void
write_beyond_array(volatile uint8_t *array, int size)
{
	for (int i = 0; i < size + 8 * one; i++)
		array[i] = i;
}

static void
smash_stack(void)
{
	volatile uint8_t array[16];

	write_beyond_array(array, sizeof(array));
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "take_big_lock_twice", take_big_lock_twice },
	{ "take_lock_twice", take_lock_twice },
	{ "release_free_lock", release_free_lock },
	{ "release_lock_of_another", release_lock_of_another },
	{ "allocate_page_without_lock", allocate_page_without_lock },
	{ "map_page_without_lock", map_page_without_lock },
	{ "change_status_without_lock", change_status_without_lock },
	{ "wake_without_lock", wake_without_lock },
	{ "panic_in_a_free_environment", panic_in_a_free_environment },
	{ "get_spurious_interrupt", get_spurious_interrupt },
	{ "fault_in_kernel", fault_in_kernel },
	{ "fill_mmio", fill_mmio },
	{ "map_odd_registers", map_odd_registers },
	{ "overfill_mmio", overfill_mmio },
	{ "map_almost_everything", map_almost_everything },
	{ "overflow_number", overflow_number },
	{ "shift_too_far", shift_too_far },
	{ "index_beyond_array", index_beyond_array },
	{ "use_unaligned_pointer", use_unaligned_pointer },
	{ "smash_stack", smash_stack },
};

bool
selftest_run(const char *name)
{
	size_t len = strfind(name, ' ') - name;

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		if (strlen(tests[i].name) != len || strncmp(tests[i].name, name, len) != 0)
			continue;
		tests[i].run();
		cprintf("selftest: %s: no panic\n", tests[i].name);
		return true;
	}
	return false;
}
