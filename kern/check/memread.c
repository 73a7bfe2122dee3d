// Reading memory that may not be mapped. These functions follow the page tables as the CPU does
// (Intel, volume 3, section 4.3), and then read the physical page where the kernel maps it, above
// KERNBASE. So they can read any address space, a page that programs may use (SMAP), and what is
// not mapped at all, without a fault.

#include <kern/check/memread.h>
#include <kern/pmap.h>

struct Mapping
mapping_at(const pde_t *pgdir, uintptr_t va)
{
	pde_t pde = pgdir[PDX(va)];
	struct Mapping m = { .size = PTSIZE - va % PTSIZE, .limits = pde & (PTE_W | PTE_U) };

	if (!(pde & PTE_P))
		return m;
	if (pde & PTE_PS) {
		m.pa = ROUNDDOWN(pde, PTSIZE) + va % PTSIZE;
		m.flags = PGOFF(pde);
		return m;
	}
	const pte_t *table = (const pte_t *)memory_at_pa(PTE_ADDR(pde));
	if (!table)
		return m;
	m.size = PGSIZE - PGOFF(va);
	if (table[PTX(va)] & PTE_P) {
		m.pa = PTE_ADDR(table[PTX(va)]) + PGOFF(va);
		m.flags = PGOFF(table[PTX(va)]);
	}
	return m;
}

const uint8_t *
memory_at_pa(physaddr_t pa)
{
	return PGNUM(pa) < npages ? KADDR(pa) : NULL;
}

const uint8_t *
memory_at(const pde_t *pgdir, uintptr_t va)
{
	struct Mapping m = mapping_at(pgdir, va);

	return m.flags ? memory_at_pa(m.pa) : NULL;
}

bool
read_word(const pde_t *pgdir, uintptr_t va, uint32_t *word)
{
	*word = 0;
	for (int i = 3; i >= 0; i--) {
		const uint8_t *byte = memory_at(pgdir, va + i);
		if (!byte)
			return false;
		*word = *word << 8 | *byte;
	}
	return true;
}
