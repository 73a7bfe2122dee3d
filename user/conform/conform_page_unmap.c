// Tests sys_page_unmap: what it allows, what it refuses, and what it does not change.

#include "inuse.h"
#include "refusals.h"

static volatile uint32_t *const word = (volatile uint32_t *)AREA;

static int
unmap_in(envid_t envid)
{
	return sys_page_unmap(envid, AREA);
}

static void
refuse_arguments(void)
{
	envid_t child = sys_exofork();
	unsigned i;

	conform_must(child, "sys_exofork");
	for (i = 0; i < CONFORM_BAD_VAS; i++) {
		void *va = (void *)conform_bad_vas[i];

		CHECK_REFUSED_WITH(va, sys_page_unmap(0, va), E_INVAL);
		CHECK_REFUSED_WITH(va, sys_page_unmap(child, va), E_INVAL);
	}
	sys_env_destroy(child);
}

// At an unmapped address, sys_page_unmap changes nothing: it does not even make a page table.
static void
unmap_nothing(void)
{
	static char *const vas[] = { NULL, AREA + PGSIZE, FRESH, (char *)UTOP - 2 * PGSIZE,
		(char *)UTOP - PGSIZE };
	struct conform_snapshot before;
	envid_t child = sys_exofork();
	unsigned i;

	conform_must(child, "sys_exofork");
	before = conform_snapshot();
	for (i = 0; i < ARRAY_SIZE(vas); i++) {
		CHECK_EQ(sys_page_unmap(0, vas[i]), 0);
		CHECK_EQ(sys_page_unmap(child, vas[i]), 0);
	}
	conform_check_unchanged(&before, __LINE__, "sys_page_unmap of nothing");
	CHECK_EQ(sys_env_destroy(child), 0);
}

static void
read_word(void)
{
	USED(*word);
	STATE->words[0] = 1;
}

static void
unmap_and_read(void)
{
	USED(*word); // Now the TLB has the page.
	CHECK_EQ(sys_page_unmap(0, AREA), 0);
	read_word();
}

// The page is freed with its last mapping.
static void
unmap_page(void)
{
	physaddr_t pa = conform_page(AREA);
	int free = count_free_pages();

	CHECK_EQ(sys_page_map(0, AREA, 0, AREA + PGSIZE, PERM_WRITE), 0);
	CHECK_EQ(conform_refs(pa), 2);
	CHECK_EQ(sys_page_unmap(0, AREA + PGSIZE), 0);
	CHECK_EQ(conform_refs(pa), 1);
	CHECK_EQ(count_free_pages(), free);
	CHECK_EQ(*word, 0x600D);
	CHECK_KILLED(unmap_and_read);
	CHECK_EQ(*word, 0x600D);

	CHECK_EQ(sys_page_unmap(sys_getenvid(), AREA), 0);
	CHECK_EQ(conform_pte(AREA), 0);
	CHECK_EQ(conform_refs(pa), 0);
	CHECK_EQ(count_free_pages(), free + 1);
	CHECK_EQ(sys_page_unmap(0, AREA), 0);
	CHECK_EQ(count_free_pages(), free + 1);
	CHECK_KILLED(read_word);
}

static void
unmap_page_of_a_child(void)
{
	envid_t child = sys_exofork();
	physaddr_t pa;

	conform_must(child, "sys_exofork");
	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	pa = conform_page(AREA);
	CHECK_EQ(sys_page_map(0, AREA, child, AREA, PERM_WRITE), 0);
	CHECK_EQ(conform_refs(pa), 2);
	CHECK_EQ(sys_page_unmap(child, AREA), 0);
	CHECK_EQ(conform_refs(pa), 1);
	CHECK_EQ(conform_page(AREA), pa);
	CHECK_EQ(conform_page_of(child, AREA), 0);
	CHECK_EQ(sys_env_destroy(child), 0);
	CHECK_EQ(conform_refs(pa), 1);
}

// A child calls this until its page is unmapped.
static void
keep_reading(bool unmapped)
{
	USED(*word);
}

static void
unmap_in_child(envid_t child)
{
	CHECK_EQ(sys_page_unmap(child, AREA), 0);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_page_unmap");
	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	*word = 0x600D;
	conform_refuse_envids(unmap_in);
	refuse_arguments();
	unmap_nothing();
	unmap_page();
	unmap_page_of_a_child();
	CHECK(!conform_change_in_use(keep_reading, unmap_in_child));
	conform_end();
}
