// The page directory that each CPU uses after it has turned paging on (entry.S, mpentry.S) and
// until it loads kern_pgdir. It maps:
// - the first 4 MB at their physical addresses, because eip is there when paging is turned on;
// - all memory that the kernel can use, at KERNBASE;
// - CPU 0's stacks at their final addresses, so that an overflow faults even in early C code.

#include <inc/assert.h>

#include <kern/cpu.h>

#define BIG(n)   ((n) << PDXSHIFT | PTE_P | PTE_W | PTE_PS)
#define BIG4(n)  BIG(n), BIG(n + 1), BIG(n + 2), BIG(n + 3)
#define BIG16(n) BIG4(n), BIG4(n + 4), BIG4(n + 8), BIG4(n + 12)

// The linker computes these values. The linker can add, but not OR, so the macros use +.
#define ENTRY_PADDR(x) (PTE_P + PTE_W - KERNBASE + (uintptr_t)(x))
#define STACK_PAGE(n)  ENTRY_PADDR(&percpu_kstacks[0][PGSIZE * (n)])

static_assert(KSTKSIZE == 8 * PGSIZE && DFSTKSIZE == PGSIZE);

static __attribute__((aligned(PGSIZE))) pte_t entry_kstack[NPTENTRIES] = {
	[PTX(KSTACKTOP - KSTKSIZE)] = STACK_PAGE(0),
	STACK_PAGE(1),
	STACK_PAGE(2),
	STACK_PAGE(3),
	STACK_PAGE(4),
	STACK_PAGE(5),
	STACK_PAGE(6),
	STACK_PAGE(7),
	[PTX(KSTACKTOP_CPU(NCPU) - DFSTKSIZE)] = ENTRY_PADDR(percpu_dfstacks),
};

__attribute__((aligned(PGSIZE))) pde_t entry_pgdir[NPDENTRIES] = {
	[0] = BIG(0),
	[PDX(KSTACKTOP - KSTKSIZE)] = ENTRY_PADDR(entry_kstack),
	[PDX(KERNBASE)] = BIG16(0),
	BIG16(16),
	BIG16(32),
	BIG16(48),
};
