#ifndef JOS_INC_MEMLAYOUT_H
#define JOS_INC_MEMLAYOUT_H

// Where everything is in an address space. The upper part is the same in every
// environment; below UTOP each has its own.
//
//	4 GB ---------> +------------------------------+  kernel  user
//	                | physical memory from 0 on,   |   rw      --
//	                | up to 256 MiB                |
//	KERNBASE -----> +------------------------------+ 0xf0000000 = KSTACKTOP
//	                | CPU 0's kernel stack         |   rw      --   KSTKSIZE
//	                | guard, never mapped          |   --      --   KSTKGAP
//	                | CPU 1's kernel stack         |   rw      --   KSTKSIZE
//	                | guard, never mapped          |   --      --   KSTKGAP
//	                | ... and so on for NCPU of    |
//	                | them, and then for their     |
//	                | stacks for double faults     |   rw      --   DFSTKSIZE
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
//	                | ... (fork's scratch pages are|
//	                | where nothing else is)       |
//	UFORKTEMP ----> +------------------------------+ 0xee800000 = UTOP - PTSIZE
//	                | program and heap             |
//	UTEXT --------> +------------------------------+ 0x00800000
//	                | scratch: UTEMP to PFTEMP     |
//	UTEMP --------> +------------------------------+ 0x00400000
//	                | empty                        |
//	0 ------------> +------------------------------+
//
// The kernel may write what users may only read through its own mapping of the
// same pages above KERNBASE.

#define KERNBASE  0xF0000000 // Physical address 0 is mapped here.
#define KERNMAX   0x10000000 // Physical memory beyond this is not used: 256 MiB.
#define IOPHYSMEM 0x000A0000 // The hole between base and extended memory,
#define EXTPHYSMEM 0x00100000 // where video memory and the BIOS are.

#define KSTACKTOP KERNBASE
#define KSTKSIZE  (8 * PGSIZE)
#define KSTKGAP   (8 * PGSIZE)
#define DFSTKSIZE PGSIZE

#define MMIOLIM  (KSTACKTOP - PTSIZE)
#define MMIOBASE (MMIOLIM - PTSIZE)

#define ULIM   MMIOBASE // Users may read nothing from here up.
#define UVPT   (ULIM - PTSIZE)
#define UPAGES (UVPT - PTSIZE)
#define UENVS  (UPAGES - PTSIZE)

#define UTOP       UENVS // Users may map nothing from here up.
#define UXSTACKTOP UTOP
#define USTACKTOP  (UTOP - 2 * PGSIZE)

// From here up the stack has its page table, so that what is mapped for a moment takes none.
#define UFORKTEMP ((void *)(UTOP - PTSIZE))

#define UTEXT  (2 * PTSIZE)
#define UTEMP  ((void *)PTSIZE)
#define PFTEMP (UTEMP + PTSIZE - PGSIZE)

// Application processors start in real mode, so below 1 MB, on a page boundary.
#define MPENTRY_PADDR 0x7000

// Segment selectors: kernel and user, text and data, then one TSS for each CPU.
#define GD_KT   0x08
#define GD_KD   0x10
#define GD_UT   0x18
#define GD_UD   0x20
#define GD_TSS0 0x28 // CPU i's is GD_TSS0 + (i << 3).

#ifndef __ASSEMBLER__

#include <inc/types.h>
#include <inc/mmu.h>

// Whether a program can have a selector in ds, es, fs or gs: null or one of its own two, with any
// privilege level in the low two bits. The kernel, too, can load each of these.
static inline bool
is_user_selector(uint16_t selector)
{
	uint16_t segment = selector & ~3;

	return segment == 0 || segment == GD_UT || segment == GD_UD;
}

typedef uint32_t pte_t;
typedef uint32_t pde_t;

// The page table of the current address space, as one array of entries indexed
// by virtual page number, and the page directory that is a part of it.
extern volatile pte_t uvpt[];
extern volatile pde_t uvpd[];

// What the kernel keeps for a physical page. pages[i] speaks of the page at
// physical address i * PGSIZE. A page is free when pp_ref is 0.
struct PageInfo {
	struct PageInfo *pp_link; // The next page on the free list.
	uint32_t pp_ref;          // How many mappings there are, in all page tables together.
	                          // (Not 16 bits: a program can map one page 65536 times.)
};

#endif // !__ASSEMBLER__

#endif // JOS_INC_MEMLAYOUT_H
