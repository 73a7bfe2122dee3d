// Tests sys_page_map: what it allows, what it refuses, and what it does not change.

#include "inuse.h"
#include "refusals.h"

// Pages of AREA: a writable page, a read-only page, and an unmapped page.
#define WRITABLE AREA
#define READONLY (AREA + PGSIZE)
#define NOTHING  (AREA + 2 * PGSIZE)

static volatile uint32_t *const word = (volatile uint32_t *)WRITABLE;
static volatile uint32_t *const other_word = (volatile uint32_t *)READONLY;

static int
map_from(envid_t envid)
{
	return sys_page_map(envid, WRITABLE, 0, NOTHING, PERM_READ);
}

static int
map_to(envid_t envid)
{
	return sys_page_map(0, WRITABLE, envid, READONLY, PERM_READ);
}

static void
set_up(void)
{
	CHECK_EQ(sys_page_alloc(0, WRITABLE, PERM_WRITE), 0);
	CHECK_EQ(sys_page_alloc(0, READONLY, PERM_READ), 0);
	CHECK_EQ(sys_page_unmap(0, NOTHING), 0);
	*word = 0x600D;
}

static void
refuse_arguments(void)
{
	envid_t child = sys_exofork();
	unsigned i;
	int perm;

	conform_must(child, "sys_exofork");
	for (i = 0; i < CONFORM_BAD_VAS; i++) {
		void *va = (void *)conform_bad_vas[i];

		CHECK_REFUSED_WITH(va, sys_page_map(0, va, 0, NOTHING, PERM_READ), E_INVAL);
		CHECK_REFUSED_WITH(va, sys_page_map(0, va, child, va, PERM_READ), E_INVAL);
		CHECK_REFUSED_WITH(va, sys_page_map(0, WRITABLE, 0, va, PERM_READ), E_INVAL);
		CHECK_REFUSED_WITH(va, sys_page_map(0, WRITABLE, child, va, PERM_READ), E_INVAL);
	}
	for (i = 0; conform_bad_perm(i, &perm); i++) {
		CHECK_REFUSED_WITH(perm, sys_page_map(0, WRITABLE, 0, READONLY, perm), E_INVAL);
		CHECK_REFUSED_WITH(perm, sys_page_map(0, WRITABLE, 0, WRITABLE, perm), E_INVAL);
		CHECK_REFUSED_WITH(perm, sys_page_map(0, WRITABLE, child, FRESH, perm), E_INVAL);
	}
	CHECK_EQ(conform_page_of(child, FRESH), 0);
	sys_env_destroy(child);
}

static void
refuse_sources(void)
{
	envid_t child = sys_exofork();

	conform_must(child, "sys_exofork");
	// Nothing is mapped at the source: with a page table, without a page table, and in a child.
	CHECK_REFUSED(sys_page_map(0, NOTHING, 0, WRITABLE, PERM_READ), E_INVAL);
	CHECK_REFUSED(sys_page_map(0, FRESH, 0, WRITABLE, PERM_READ), E_INVAL);
	CHECK_REFUSED(sys_page_map(0, FRESH, 0, FRESH, PERM_READ), E_INVAL);
	CHECK_REFUSED(sys_page_map(child, WRITABLE, 0, WRITABLE, PERM_READ), E_INVAL);
	CHECK_REFUSED(sys_page_map(child, NULL, 0, NOTHING, PERM_READ), E_INVAL);
	// A read-only source cannot be mapped writable.
	CHECK_REFUSED(sys_page_map(0, READONLY, 0, NOTHING, PERM_WRITE), E_INVAL);
	CHECK_REFUSED(sys_page_map(0, READONLY, 0, READONLY, PERM_WRITE), E_INVAL);
	CHECK_REFUSED(sys_page_map(0, READONLY, 0, NOTHING, PTE_SYSCALL), E_INVAL);
	CHECK_REFUSED(sys_page_map(0, READONLY, child, READONLY, PERM_WRITE), E_INVAL);
	CHECK_EQ(sys_page_map(0, WRITABLE, child, FRESH, PERM_READ), 0);
	CHECK_REFUSED(sys_page_map(child, FRESH, 0, NOTHING, PERM_WRITE), E_INVAL);
	CHECK_REFUSED(sys_page_map(child, FRESH, child, FRESH, PERM_WRITE), E_INVAL);
	CHECK_EQ(sys_env_destroy(child), 0);
}

static void
write_other_word(void)
{
	*other_word = 1;
	STATE->words[0] = 1;
}

// Map a page at two addresses.
static void
share(void)
{
	static char *const vas[] = { NULL, FRESH, (char *)UTOP - PGSIZE };
	physaddr_t pa = conform_page(WRITABLE), old = conform_page(READONLY);
	int free = count_free_pages();
	unsigned i;

	CHECK_EQ(sys_page_map(0, WRITABLE, 0, READONLY, PERM_WRITE), 0);
	CHECK_EQ(conform_page(READONLY), pa);
	CHECK_EQ(conform_perm(READONLY), PERM_WRITE);
	CHECK_EQ(conform_refs(pa), 2);
	CHECK_EQ(conform_refs(old), 0);
	CHECK_EQ(count_free_pages(), free + 1);
	*other_word = 0xCAFE;
	CHECK_EQ(*word, 0xCAFE);

	CHECK_EQ(sys_page_map(0, WRITABLE, 0, READONLY, PERM_READ), 0);
	CHECK_EQ(conform_perm(READONLY), PERM_READ);
	CHECK_EQ(conform_perm(WRITABLE), PERM_WRITE);
	CHECK_EQ(conform_refs(pa), 2);
	*word = 0xF00D;
	CHECK_EQ(*other_word, 0xF00D);
	CHECK_KILLED(write_other_word);
	CHECK_EQ(*word, 0xF00D);

	for (i = 0; i < ARRAY_SIZE(vas); i++) {
		CHECK_EQ(sys_page_map(0, READONLY, 0, vas[i], PERM_READ), 0);
		CHECK_EQ(conform_page(vas[i]), pa);
		CHECK_EQ(conform_refs(pa), 3);
		CHECK_EQ(sys_page_unmap(0, vas[i]), 0);
		CHECK_EQ(conform_refs(pa), 2);
	}
}

// Mapping a page at its own address only changes its permissions.
static void
map_over_itself(void)
{
	physaddr_t pa = conform_page(WRITABLE);
	int perm, refs = conform_refs(pa);

	*word = 0x1234;
	for (perm = PTE_SYSCALL; perm >= 0; perm--) {
		if ((perm & ~PTE_SYSCALL) || (perm & PERM_WRITE) != PERM_WRITE)
			continue;
		CHECK_EQ(sys_page_map(0, WRITABLE, 0, WRITABLE, perm), 0);
		CHECK_EQ(conform_perm(WRITABLE), perm);
		CHECK_EQ(conform_page(WRITABLE), pa);
		CHECK_EQ(conform_refs(pa), refs);
		CHECK_EQ(*word, 0x1234);
		*word = 0x1234;
	}
	for (perm = PTE_AVAIL; perm >= 0; perm -= PTE_AVAIL & -PTE_AVAIL) {
		CHECK_EQ(sys_page_map(0, WRITABLE, 0, WRITABLE, PERM_READ | perm), 0);
		CHECK_EQ(conform_perm(WRITABLE), PERM_READ | perm);
		CHECK_EQ(conform_refs(pa), refs);
	}
	CHECK_EQ(conform_page(WRITABLE), pa);
	CHECK_EQ(*word, 0x1234);
	CHECK_REFUSED(sys_page_map(0, WRITABLE, 0, WRITABLE, PERM_WRITE), E_INVAL);
}

// The CPU sets PTE_D when a page is written to. Mapping the page at its own address clears PTE_D,
// until the next write.
static void
clear_dirty_bit(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		*word = 0x600D;
		CHECK(pte_of(PGNUM(WRITABLE)) & PTE_D);
		CHECK_EQ(sys_page_map(0, WRITABLE, 0, WRITABLE, PERM_WRITE), 0);
		CHECK(!(pte_of(PGNUM(WRITABLE)) & PTE_D));
	}
}

static void
write_word(void)
{
	*word = 1;
	STATE->words[0] = 1;
}

// A page that becomes read-only is read-only at once: a writable entry in the TLB is flushed.
static void
make_readonly(void)
{
	*word = 0x600D;
	CHECK_EQ(sys_page_map(0, WRITABLE, 0, WRITABLE, PERM_READ), 0);
	write_word();
}

// Map a page from a child to another child, then to the caller and back.
static void
map_between_environments(void)
{
	struct conform_snapshot before = conform_snapshot();
	envid_t one = sys_exofork(), two = sys_exofork();
	physaddr_t pa;

	conform_must(one, "sys_exofork");
	conform_must(two, "sys_exofork");
	CHECK_EQ(sys_page_alloc(one, FRESH, PERM_WRITE), 0);
	pa = conform_page_of(one, FRESH);
	CHECK_EQ(conform_refs(pa), 1);
	CHECK_EQ(sys_page_map(one, FRESH, two, AREA, PERM_WRITE), 0);
	CHECK_EQ(conform_page_of(two, AREA), pa);
	CHECK_EQ(conform_refs(pa), 2);
	CHECK_EQ(sys_page_map(two, AREA, 0, NOTHING, PERM_WRITE), 0);
	CHECK_EQ(conform_page(NOTHING), pa);
	CHECK_EQ(sys_page_map(0, NOTHING, one, AREA, PERM_READ), 0);
	CHECK_EQ(conform_refs(pa), 4);
	CHECK_EQ(sys_env_destroy(one), 0);
	CHECK_EQ(conform_refs(pa), 2);
	CHECK_EQ(sys_env_destroy(two), 0);
	CHECK_EQ(conform_refs(pa), 1);
	CHECK_EQ(sys_page_unmap(0, NOTHING), 0);
	CHECK_EQ(conform_refs(pa), 0);
	conform_check_unchanged(&before, __LINE__, "pages of two children");
}

// A child calls this while replace_in_child maps the same page again and again, and then another
// page: the child must see only the last change.
static void
read_other_word(bool replaced)
{
	if (*other_word != 2 && replaced)
		STATE->words[2]++;
}

static void
replace_in_child(envid_t child)
{
	int i, failed = 0;

	for (i = 0; i < 1000; i++)
		failed += sys_page_map(0, READONLY, child, READONLY, PERM_READ) != 0;
	CHECK_EQ(failed, 0);
	CHECK_EQ(sys_page_map(0, WRITABLE, child, READONLY, PERM_READ), 0);
}

static void
replace_in_use(void)
{
	*word = 2;
	CHECK(conform_change_in_use(read_other_word, replace_in_child));
	CHECK_EQ(STATE->words[2], 0);
}

// A child calls this until its page is read-only.
static void
keep_writing(bool changed)
{
	*word = 3;
}

static void
make_readonly_in_child(envid_t child)
{
	CHECK_EQ(sys_page_map(0, WRITABLE, child, WRITABLE, PERM_READ), 0);
}

static void
run_out_of_memory(void)
{
	envid_t child = sys_exofork();
	physaddr_t pa = conform_page(WRITABLE);
	int refs = conform_refs(pa);

	conform_must(child, "sys_exofork");
	conform_take_memory();
	CHECK_REFUSED(sys_page_map(0, WRITABLE, 0, FRESH, PERM_READ), E_NO_MEM);
	CHECK_REFUSED(sys_page_map(0, WRITABLE, child, FRESH, PERM_READ), E_NO_MEM);
	CHECK_REFUSED(sys_page_map(0, NOTHING, child, FRESH, PERM_READ), E_INVAL);
	CHECK_EQ(conform_refs(pa), refs);
	// At an address that has a page table, a mapping needs no memory. The page that it replaces
	// is freed.
	CHECK_EQ(sys_page_map(0, WRITABLE, 0, NOTHING, PERM_READ), 0);
	CHECK_EQ(conform_refs(pa), refs + 1);
	CHECK_EQ(sys_page_map(0, WRITABLE, 0, TAKEN, PERM_READ), 0);
	CHECK_EQ(conform_refs(pa), refs + 2);
	CHECK_EQ(count_free_pages(), 1);
	// One free page is enough for a page table.
	CHECK_EQ(sys_page_map(0, WRITABLE, child, FRESH, PERM_READ), 0);
	CHECK_EQ(conform_refs(pa), refs + 3);
	CHECK_EQ(count_free_pages(), 0);
	CHECK_REFUSED(sys_page_map(0, WRITABLE, 0, FRESH, PERM_READ), E_NO_MEM);
	CHECK_EQ(sys_env_destroy(child), 0);
	CHECK_EQ(conform_refs(pa), refs + 2);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_page_map");
	set_up();
	conform_refuse_envids(map_from);
	conform_refuse_envids(map_to);
	refuse_arguments();
	refuse_sources();
	// Now NULL and FRESH have page tables: `share` counts free pages, and must not need any.
	sys_page_alloc(0, NULL, PERM_READ);
	sys_page_alloc(0, FRESH, PERM_READ);
	sys_page_unmap(0, NULL);
	sys_page_unmap(0, FRESH);
	share();
	map_over_itself();
	set_up();
	clear_dirty_bit();
	CHECK_KILLED(make_readonly);
	map_between_environments();
	replace_in_use();
	CHECK(!conform_change_in_use(keep_writing, make_readonly_in_child));
	conform_in_child(run_out_of_memory);
	conform_end();
}
