// Tests fork with little memory. With each number of free pages, fork may fail; but a child that
// runs must have the right memory, and no pages may be lost. With an argument, tests the copies
// after a fork without memory: the library must panic, not loop.

#include <user/conform/conform.h>

#define PAGES    20  // Private pages of the program
#define MOST     60  // Free pages at the end
#define KEPT     400 // Pages for the environments themselves
#define RESULT   STATE->words[0]
#define GO       STATE->words[1]
#define SUCCEEDS STATE->words[2]

static volatile uint32_t memory[PAGES][PGSIZE / 4] __attribute__((aligned(PGSIZE)));
static int free_pages;

static void
check_memory(uint32_t value, const char *who)
{
	for (int i = 0; i < PAGES; i++)
		conform_count_with(i, __LINE__, who, value + i, memory[i][5]);
}

static void
run_child(void)
{
	while (!GO)
		sys_yield();
	check_memory(100, "the child's memory, at this page");
	for (int i = 0; i < PAGES; i++)
		memory[i][5] = 200 + i;
	SUCCEEDS++;
}

// Runs in an environment of its own. fork is called with few free pages; after it has returned,
// there is enough memory again.
static void
fork_with_little_memory(void)
{
	conform_must(sys_page_map(0, STATE, 0, STATE, PERM_WRITE | PTE_SHARE), "sys_page_map");
	for (int i = 0; i < PAGES; i++)
		memory[i][5] = 100 + i;
	conform_take_memory();
	for (int i = 0; i < free_pages; i++)
		sys_page_unmap(0, TAKEN + i * PGSIZE);
	envid_t child = fork();
	if (child == 0) {
		run_child();
		exit();
	}
	for (int i = free_pages; conform_pte(TAKEN + i * PGSIZE) & PTE_P; i++)
		sys_page_unmap(0, TAKEN + i * PGSIZE);
	for (char *va = SPARE; conform_pte(va) & PTE_P; va += PGSIZE)
		sys_page_unmap(0, va);
	if (child > 0) {
		uint32_t before = SUCCEEDS;
		GO = 1;
		conform_wait(child);
		conform_count_with(free_pages, __LINE__,
		    "fork returned a child, which must run to its end; free pages", before + 1,
		    SUCCEEDS);
	}
	check_memory(100, "the parent's memory, at this page");
}

// The child of a fork runs out of memory when it writes: it must panic.
static void
write_without_memory(void)
{
	conform_must(sys_page_map(0, STATE, 0, STATE, PERM_WRITE | PTE_SHARE), "sys_page_map");
	for (int i = 0; i < PAGES; i++)
		memory[i][5] = 100 + i;
	envid_t child = fork();
	if (child == 0) {
		conform_take_memory();
		for (int i = 0; i < PAGES; i++)
			memory[i][5] = 300 + i;
		RESULT = 1;
		exit();
	}
	conform_must(child, "fork");
	conform_wait(child);
	CHECK_EQ(RESULT, 0); // Whether the child wrote to all pages without memory for copies
}

void
umain(int argc, char **argv)
{
	conform_begin("gradelow");
	if (argc > 1) {
		write_without_memory();
		conform_end();
		return;
	}
	conform_take_memory();
	for (int i = 0; i < KEPT; i++)
		sys_page_unmap(0, TAKEN + i * PGSIZE);
	for (free_pages = 0; free_pages <= MOST; free_pages += free_pages < 20 ? 1 : 8) {
		GO = 0;
		conform_in_child(fork_with_little_memory);
	}
	CHECK(SUCCEEDS > 0);
	conform_release_memory();
	conform_end();
}
