#ifndef JOS_INC_MEMLAYOUT_H
#define JOS_INC_MEMLAYOUT_H

// The address space. The part above UTOP is the same in every environment; below UTOP, each
// environment has its own mappings. The two columns on the right say whether the kernel and user
// programs can read (r) and write (w) the memory:
//
//	4 GB ---------> +------------------------------+  kernel  user
//	                | physical memory from 0 on,   |   rw      --
//	                | up to 256 MiB                |
//	KERNBASE -----> +------------------------------+ 0xf0000000 = KSTACKTOP
//	                | CPU 0's kernel stack         |   rw      --   KSTKSIZE
//	                | guard, never mapped          |   --      --   KSTKGAP
//	                | CPU 1's kernel stack         |   rw      --   KSTKSIZE
//	                | guard, never mapped          |   --      --   KSTKGAP
//	                | ... and so on for NCPU CPUs; |
//	                | then, in the same way, their |
//	                | double-fault stacks          |   rw      --   DFSTKSIZE
//	MMIOLIM ------> +------------------------------+ 0xefc00000
//	                | device registers             |   rw      --
//	ULIM, MMIOBASE  +------------------------------+ 0xef800000
//	                | the current page table       |   r-      r-
//	UVPT ---------> +------------------------------+ 0xef400000
//	                | pages[]                      |   r-      r-
//	UPAGES -------> +------------------------------+ 0xef000000
//	                | envs[]                       |   r-      r-
//	UTOP, UENVS --> +------------------------------+ 0xeec00000 = UXSTACKTOP
//	                | exception stack, one page    |   rw      rw
//	                | empty page                   |   --      --
//	USTACKTOP ----> +------------------------------+ 0xeebfe000
//	                | user stack, one page at first|   rw      rw
//	                | ... (fork maps scratch pages |
//	                | where nothing is mapped)     |
//	UFORKTEMP ----> +------------------------------+ 0xee800000 = UTOP - PTSIZE
//	                | program and heap             |
//	UTEXT --------> +------------------------------+ 0x00800000
//	                | scratch: UTEMP to PFTEMP     |
//	UTEMP --------> +------------------------------+ 0x00400000
//	                | empty                        |
//	0 ------------> +------------------------------+
//
// The kernel writes pages[], envs[] and page tables through its own mapping of the same pages,
// above KERNBASE.

#define KERNBASE   0xF0000000 // Physical address 0 is mapped here
#define KERNMAX    0x10000000 // Physical memory from 256 MiB up is not used
#define IOPHYSMEM  0x000A0000 // Start of the hole with video memory and the BIOS
#define EXTPHYSMEM 0x00100000 // End of the hole, start of extended memory

#define KSTACKTOP KERNBASE
#define KSTKSIZE  (8 * PGSIZE)
#define KSTKGAP   (8 * PGSIZE)
#define DFSTKSIZE PGSIZE

#define MMIOLIM  (KSTACKTOP - PTSIZE)
#define MMIOBASE (MMIOLIM - PTSIZE)

#define ULIM   MMIOBASE // Programs cannot read memory from here up
#define UVPT   (ULIM - PTSIZE)
#define UPAGES (UVPT - PTSIZE)
#define UENVS  (UPAGES - PTSIZE)

#define UTOP       UENVS // Programs cannot map memory from here up
#define UXSTACKTOP UTOP
#define USTACKTOP  (UTOP - 2 * PGSIZE)

// fork maps its scratch pages from this address up. The stack is in the same 4 MB, so the page
// table for this region exists already.
#define UFORKTEMP ((void *)(UTOP - PTSIZE))

#define UTEXT  (2 * PTSIZE)
#define UTEMP  ((void *)PTSIZE)
#define PFTEMP (UTEMP + PTSIZE - PGSIZE)

// The kernel copies the start-up code of the other CPUs (the application processors) here. An
// application processor starts in real mode, at a page boundary below 1 MB.
#define MPENTRY_PADDR 0x7000

// Segment selectors: the kernel's text and data, the user's text and data, and one TSS per CPU.
#define GD_KT   0x08
#define GD_KD   0x10
#define GD_UT   0x18
#define GD_UD   0x20
#define GD_TSS0 0x28 // The TSS of CPU i is GD_TSS0 + (i << 3)

#ifndef __ASSEMBLER__

#include <inc/types.h>
#include <inc/mmu.h>

// Returns whether a program may have `selector` in ds, es, fs or gs. The null selector and the
// selectors of the user's text and data are valid, with any privilege level in the low two bits.
// The kernel can load a valid selector without a fault.
static inline bool
is_user_selector(uint16_t selector)
{
	uint16_t segment = selector & ~3;

	return segment == 0 || segment == GD_UT || segment == GD_UD;
}

typedef uint32_t pte_t;
typedef uint32_t pde_t;

// The page tables of the current address space, as one array: uvpt[PGNUM(va)] is the page table
// entry of va. uvpd is the part of this array that holds the page directory: uvpd[PDX(va)] is the
// directory entry of va.
extern volatile pte_t uvpt[];
extern volatile pde_t uvpd[];

// The kernel's record of a physical page. pages[i] describes the page at physical address
// i * PGSIZE. A page is free when pp_ref is 0. The big kernel lock protects pages[].
struct PageInfo {
	struct PageInfo *pp_link; // The next page on the free list
	uint32_t pp_ref;          // Number of mappings in all page tables together.
				  // (16 bits are too few: a program can map a page 65536 times.)
};

#endif // !__ASSEMBLER__

#endif // JOS_INC_MEMLAYOUT_H
