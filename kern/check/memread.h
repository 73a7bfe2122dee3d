#ifndef JOS_KERN_CHECK_MEMREAD_H
#define JOS_KERN_CHECK_MEMREAD_H

#include <inc/memlayout.h>

// Reading memory that may not be mapped, without a fault (memread.c). The caller holds the big
// lock.

// One mapping in a page directory.
struct Mapping {
	physaddr_t pa; // The physical address to which va is mapped
	uint32_t size; // PGSIZE or PTSIZE; also the step to the next address if nothing is mapped
	pte_t flags;   // The low 12 bits of the entry; 0 if nothing is mapped
	pde_t limits;  // PTE_W and PTE_U, as far as the page directory entry allows them
};

// Find the mapping of va.
struct Mapping mapping_at(const pde_t *pgdir, uintptr_t va);

// Return a pointer through which the kernel can read the byte at a physical address, or at a
// virtual address of a page directory. Returns NULL if no memory is there. (Registers of devices
// are not memory: reading one can change its device.) The pointer is good up to the end of the
// page.
const uint8_t *memory_at_pa(physaddr_t pa);
const uint8_t *memory_at(const pde_t *pgdir, uintptr_t va);

// Read the word at va; returns false if some of its bytes are not in memory.
bool read_word(const pde_t *pgdir, uintptr_t va, uint32_t *word);

#endif // JOS_KERN_CHECK_MEMREAD_H
