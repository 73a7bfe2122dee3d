#ifndef JOS_KERN_PMAP_H
#define JOS_KERN_PMAP_H

// Physical pages, page tables, and the kernel's own mappings (pmap.c). Callers hold the big lock.

#include <inc/assert.h>
#include <inc/memlayout.h>
#include <inc/x86.h>

struct Env;

extern const uint8_t stext[], etext[], erodata[], end[]; // Defined in kernel.ld

extern struct PageInfo *pages; // An array with one entry per physical page
extern size_t npages;          // Number of physical pages
extern struct PageInfo *page_free_list;
extern pde_t *kern_pgdir; // The kernel's own page directory

// PADDR converts a kernel address above KERNBASE to the physical address that is mapped there.
// KADDR does the opposite. For an invalid address, both panic with the caller's file and line.
#define PADDR(kva) kva_to_pa(__FILE__, __LINE__, (void *)(kva))
#define KADDR(pa)  pa_to_kva(__FILE__, __LINE__, pa)

static inline physaddr_t
kva_to_pa(const char *file, int line, void *kva)
{
	if ((uintptr_t)kva < KERNBASE)
		_panic(file, line, "no physical address is mapped at %08x", (uint32_t)kva);
	return (physaddr_t)(uintptr_t)kva - KERNBASE;
}

static inline void *
pa_to_kva(const char *file, int line, physaddr_t pa)
{
	if (pa >= KERNMAX)
		_panic(file, line, "physical address %08x is not mapped", pa);
	return (void *)(uintptr_t)(pa + KERNBASE);
}

static inline physaddr_t
page2pa(const struct PageInfo *pp)
{
	return (physaddr_t)(pp - pages) << PGSHIFT;
}

static inline struct PageInfo *
pa2page(physaddr_t pa)
{
	if (PGNUM(pa) >= npages)
		panic("there is no page at %08x", pa);
	return &pages[PGNUM(pa)];
}

static inline void *
page2kva(const struct PageInfo *pp)
{
	return KADDR(page2pa(pp));
}

enum {
	ALLOC_ZERO = 1 << 0, // page_alloc: fill the page with zeroes
};

void mem_init(void);
void page_init(void);
struct PageInfo *page_alloc(int alloc_flags);
void page_free(struct PageInfo *pp);
size_t page_free_count(void);

// The slow paths of page_decref and pgdir_walk, which pagetable.h defines.
void page_last_decref(struct PageInfo *pp);
pte_t *pgdir_walk_create(pde_t *pde, const void *va);

void *mmio_map_region(physaddr_t pa, size_t size);
void boot_map_region(pde_t *pgdir, uintptr_t va, size_t size, physaddr_t pa, int perm);
void mem_init_percpu(void);

// The kernel accesses user pages (PTE_U) only between user_access_begin and user_access_end, which
// must not be nested. These functions set and clear EFLAGS.AC. With SMAP, an access to a user page
// faults while AC is 0 (Intel, volume 3, section 4.6). So a program cannot take control by making
// the kernel use a wrong pointer.
extern bool smap_on;

static inline void
user_access_begin(void)
{
	if (smap_on)
		stac();
}

static inline void
user_access_end(void)
{
	if (smap_on)
		clac();
}

// Return whether a program may map a page at va, which must be page-aligned and below UTOP.
static inline bool
user_va_ok(const void *va)
{
	return (uintptr_t)va < UTOP && PGOFF(va) == 0;
}

// Return whether a program may map a page with permissions perm: PTE_P and PTE_U must be set, and
// all bits outside PTE_SYSCALL must be clear.
static inline bool
user_perm_ok(int perm)
{
	return (perm & (PTE_U | PTE_P)) == (PTE_U | PTE_P) && !(perm & ~PTE_SYSCALL);
}

int user_mem_check(struct Env *env, const void *va, size_t len, int perm);
void user_mem_fail(struct Env *env, uintptr_t va);
void user_mem_assert(struct Env *env, const void *va, size_t len, int perm);

// The self-checks (check/pmap_check.c). Each function panics if its check fails.
void check_page_free_list(void);
void check_page_alloc(void);
void check_page(void);
void check_kern_pgdir(void);
void check_page_installed_pgdir(void);

#endif // JOS_KERN_PMAP_H
