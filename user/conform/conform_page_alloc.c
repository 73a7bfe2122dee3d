// Tests sys_page_alloc: what it allows, what it refuses, and what it does not change.

#include "inuse.h"
#include "refusals.h"

static volatile uint32_t *const word = (volatile uint32_t *)AREA;

static int
alloc_in(envid_t envid)
{
	return sys_page_alloc(envid, AREA, PERM_WRITE);
}

static bool
is_zero(const volatile void *page)
{
	const volatile uint32_t *words = page;
	int i;

	for (i = 0; i < PGSIZE / 4; i++)
		if (words[i] != 0)
			return false;
	return true;
}

static void
refuse_arguments(void)
{
	envid_t child = sys_exofork();
	unsigned i;
	int perm;

	conform_must(child, "sys_exofork");
	*word = 0x600D;
	for (i = 0; i < CONFORM_BAD_VAS; i++) {
		void *va = (void *)conform_bad_vas[i];

		CHECK_REFUSED_WITH(va, sys_page_alloc(0, va, PERM_WRITE), E_INVAL);
		CHECK_REFUSED_WITH(va, sys_page_alloc(child, va, PERM_WRITE), E_INVAL);
	}
	for (i = 0; conform_bad_perm(i, &perm); i++) {
		CHECK_REFUSED_WITH(perm, sys_page_alloc(0, AREA, perm), E_INVAL);
		CHECK_REFUSED_WITH(perm, sys_page_alloc(0, FRESH, perm), E_INVAL);
		CHECK_REFUSED_WITH(perm, sys_page_alloc(child, AREA, perm), E_INVAL);
	}
	CHECK_EQ(conform_page_of(child, AREA), 0);
	CHECK_EQ(*word, 0x600D);
	sys_env_destroy(child);
}

// Pages at both ends of the allowed addresses, and between them
static void
allow_addresses(void)
{
	static char *const vas[] = {
		NULL,
		(char *)PGSIZE,
		AREA + PGSIZE,
		FRESH,
		(char *)0x7FFFF000,
		(char *)0x80000000,
		(char *)UTOP - 2 * PGSIZE,
		(char *)UTOP - PGSIZE,
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(vas); i++) {
		volatile uint32_t *page = (volatile uint32_t *)vas[i];
		physaddr_t pa;

		CHECK_EQ(sys_page_alloc(0, vas[i], PERM_WRITE), 0);
		pa = conform_page(page);
		CHECK_EQ(conform_perm(page), PERM_WRITE);
		CHECK_EQ(conform_refs(pa), 1);
		CHECK(is_zero(page));
		page[0] = page[1023] = 1;
		CHECK_EQ(page[0] + page[1023], 2);
		CHECK_EQ(sys_page_unmap(0, vas[i]), 0);
		CHECK_EQ(conform_refs(pa), 0);
	}
}

static void
write_word(void)
{
	*word = 1;
	STATE->words[0] = 1;
}

static void
allow_permissions(void)
{
	int perm;

	for (perm = 0; perm <= PTE_SYSCALL; perm++) {
		if ((perm & ~PTE_SYSCALL) || (perm & PERM_READ) != PERM_READ)
			continue;
		CHECK_EQ(sys_page_alloc(0, AREA, perm), 0);
		CHECK_EQ(conform_perm(AREA), perm);
		CHECK(is_zero(AREA));
	}
	CHECK_EQ(sys_page_alloc(0, AREA, PERM_READ | PTE_AVAIL), 0);
	CHECK_KILLED(write_word);
	CHECK(is_zero(AREA));
}

// A new page replaces the old page, which is freed if it has no other mapping.
static void
replace(void)
{
	physaddr_t old, new;
	int free;

	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	old = conform_page(AREA);
	*word = 0xDEAD;
	free = count_free_pages();
	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	new = conform_page(AREA);
	CHECK(new != old);
	CHECK_EQ(conform_refs(old), 0);
	CHECK_EQ(conform_refs(new), 1);
	CHECK_EQ(count_free_pages(), free);
	CHECK(is_zero(AREA));

	*word = 0xBEEF;
	CHECK_EQ(sys_page_map(0, AREA, 0, AREA + PGSIZE, PERM_READ), 0);
	CHECK_EQ(conform_refs(new), 2);
	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	CHECK_EQ(conform_refs(new), 1);
	CHECK_EQ(conform_page(AREA + PGSIZE), new);
	CHECK_EQ(((volatile uint32_t *)(AREA + PGSIZE))[0], 0xBEEF);
	CHECK(is_zero(AREA));
	CHECK_EQ(sys_page_unmap(0, AREA + PGSIZE), 0);
	CHECK_EQ(conform_refs(new), 0);
}

// A page that is allocated for a child is mapped only in the child, and is freed with it.
static void
allocate_for_a_child(void)
{
	struct conform_snapshot before = conform_snapshot();
	envid_t child = sys_exofork();
	physaddr_t pa;

	conform_must(child, "sys_exofork");
	CHECK_EQ(sys_page_alloc(child, AREA + PGSIZE, PERM_WRITE), 0);
	CHECK_EQ(conform_pte(AREA + PGSIZE) & PTE_P, 0);
	pa = conform_page_of(child, AREA + PGSIZE);
	CHECK_EQ(conform_refs(pa), 1);
	CHECK_EQ(sys_page_alloc(sys_getenvid(), AREA + PGSIZE, PERM_WRITE), 0);
	CHECK(conform_page(AREA + PGSIZE) != pa);
	CHECK_EQ(sys_page_unmap(0, AREA + PGSIZE), 0);
	CHECK_EQ(sys_env_destroy(child), 0);
	CHECK_EQ(conform_refs(pa), 0);
	conform_check_unchanged(&before, __LINE__, "a page for a child");
}

// A child calls this while its page is replaced.
static void
read_word(bool replaced)
{
	if (*word != 0 && replaced)
		STATE->words[2]++;
}

static void
replace_in_child(envid_t child)
{
	CHECK_EQ(sys_page_alloc(child, AREA, PERM_READ), 0);
}

static void
replace_in_use(void)
{
	*word = 1;
	CHECK(conform_change_in_use(read_word, replace_in_child));
	CHECK_EQ(STATE->words[2], 0);
}

// Without memory, the old page stays mapped.
static void
run_out_of_memory(void)
{
	volatile uint32_t *own = (volatile uint32_t *)(AREA + PGSIZE); // Not shared, unlike AREA
	envid_t child = sys_exofork();
	int i;

	conform_must(child, "sys_exofork");
	CHECK_EQ(sys_page_alloc(0, AREA + PGSIZE, PERM_WRITE), 0);
	*own = 0x600D;
	conform_take_memory();
	CHECK_REFUSED(sys_page_alloc(0, AREA + PGSIZE, PERM_WRITE), E_NO_MEM);
	CHECK_REFUSED(sys_page_alloc(0, FRESH, PERM_WRITE), E_NO_MEM);
	CHECK_REFUSED(sys_page_alloc(child, AREA, PERM_WRITE), E_NO_MEM);
	CHECK_REFUSED(sys_page_alloc(0, AREA + PGSIZE, PTE_P), E_INVAL);
	CHECK_EQ(*own, 0x600D);

	// One free page is enough only at an address that has a page table.
	CHECK_EQ(sys_page_unmap(0, TAKEN), 0);
	CHECK_EQ(count_free_pages(), 1);
	CHECK_REFUSED(sys_page_alloc(0, FRESH, PERM_WRITE), E_NO_MEM);
	CHECK_REFUSED(sys_page_alloc(child, AREA, PERM_WRITE), E_NO_MEM);
	CHECK_EQ(sys_page_alloc(0, AREA + PGSIZE, PERM_WRITE), 0);
	CHECK(is_zero(own));
	CHECK_EQ(count_free_pages(), 1);
	CHECK_EQ(sys_page_unmap(0, TAKEN + PGSIZE), 0);
	CHECK_EQ(sys_page_alloc(0, FRESH, PERM_WRITE), 0);
	CHECK_EQ(conform_perm(FRESH), PERM_WRITE);
	CHECK_EQ(count_free_pages(), 0);

	for (i = 2; i < 102; i++)
		sys_page_unmap(0, TAKEN + i * PGSIZE);
	CHECK_EQ(count_free_pages(), 100);
	sys_env_destroy(child);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_page_alloc");
	CHECK_EQ(alloc_in(0), 0);
	CHECK_EQ(alloc_in(sys_getenvid()), 0);
	conform_refuse_envids(alloc_in);
	refuse_arguments();
	allow_addresses();
	allow_permissions();
	replace();
	allocate_for_a_child();
	replace_in_use();
	conform_in_child(run_out_of_memory);
	conform_end();
}
