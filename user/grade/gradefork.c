// Tests what fork gives to the child: the same memory, which is copied when either of them writes;
// shared and read-only pages; an exception stack of its own. Both fill a table with their page
// table entries before either has written.

#include <user/conform/conform.h>

#define XSTACK    ((char *)UXSTACKTOP - PGSIZE)
#define SHARED    ((volatile uint32_t *)0x10002000) // Writable, PTE_SHARE
#define SHARED_RO ((volatile uint32_t *)0x10003000) // Read-only, PTE_SHARE
#define READONLY  ((volatile uint32_t *)0x20000000)
#define AVAILABLE ((volatile uint32_t *)0x20001000) // Writable, with the AVAIL bit 0x200
#define WORD      100 // The index of the word that is written in each page

static volatile uint32_t data[1024] __attribute__((aligned(PGSIZE))) = { 1 };
static volatile uint32_t bss[2048] __attribute__((aligned(PGSIZE)));

// Private pages: below, between and above the program and its stack
static volatile uint32_t *const private[] = { (void *)PGSIZE, data, bss, bss + 1024,
	(void *)0x20001000, (void *)0x20002000, (void *)0x7FFFF000, (void *)0x80000000,
	(void *)0xC0003000, (void *)(USTACKTOP - 3 * PGSIZE), (void *)(USTACKTOP - 2 * PGSIZE) };
#define PRIVATES ARRAY_SIZE(private)

// In a page that parent and child share
struct tables {
	pte_t child[PRIVATES];
	pte_t child_xstack, child_readonly, child_shared, child_shared_ro;
	volatile uint32_t child_id, grandchild_id;
};
#define TABLES ((struct tables *)AREA)

static void
map(volatile void *va, int perm)
{
	CHECK_EQ(sys_page_alloc(0, (void *)va, PERM_WRITE), 0);
	((volatile uint32_t *)va)[WORD] = (uint32_t)va;
	if (perm != PERM_WRITE)
		CHECK_EQ(sys_page_map(0, (void *)va, 0, (void *)va, perm), 0);
}

static void
set_up(void)
{
	conform_must(sys_page_map(0, STATE, 0, STATE, PERM_WRITE | PTE_SHARE), "sys_page_map");
	map(TABLES, PERM_WRITE | PTE_SHARE);
	map(SHARED, PERM_WRITE | PTE_SHARE);
	map(SHARED_RO, PERM_READ | PTE_SHARE);
	map(READONLY, PERM_READ);
	for (unsigned i = 0; i < PRIVATES; i++) {
		if (!(conform_pte(private[i]) & PTE_P))
			map(private[i], PERM_WRITE | (private[i] == AVAILABLE ? 0x200 : 0));
	}
}

static void
fill(uint32_t value)
{
	for (unsigned i = 0; i < PRIVATES; i++)
	private[i][WORD] = value + i;
}

// Check all private pages. `who` says what was expected.
static void
check(const char *who, uint32_t value)
{
	char text[80];

	for (unsigned i = 0; i < PRIVATES; i++) {
		snprintf(text, sizeof(text), "%s, at va %08x", who, &private[i][WORD]);
		conform_count(
		    private[i][WORD] == value + i, __LINE__, text, value + i, private[i][WORD]);
	}
}

static void
check_ptes(void)
{
	for (unsigned i = 0; i < PRIVATES; i++) {
		pte_t mine = conform_pte(private[i]), childs = TABLES->child[i];
		bool same = PTE_ADDR(mine) == PTE_ADDR(childs);
		char text[80];

		snprintf(text, sizeof(text), "private page at %08x is in the child", private[i]);
		conform_count(childs & PTE_P, __LINE__, text, 1, !!(childs & PTE_P));
		snprintf(text, sizeof(text),
		    "private page at %08x: writable in parent or child although both have it",
		    private[i]);
		conform_count(!same || !((mine | childs) & PTE_W), __LINE__, text, 0,
		    (mine | childs) & PTE_W);
		// Pages near the stack pointer, and of fork's own data, may be copied at once.
		if ((uint32_t) private[i] >= 0x20001000 &&
		    (uint32_t) private[i] < USTACKTOP - PTSIZE) {
			snprintf(text, sizeof(text),
			    "private page at %08x: the child has the same "
			    "page, not a copy",
			    private[i]);
			conform_count(same, __LINE__, text, PTE_ADDR(mine), PTE_ADDR(childs));
		}
	}
	CHECK_EQ(PTE_ADDR(TABLES->child_readonly), conform_page(READONLY));
	CHECK_EQ(TABLES->child_readonly & PTE_W, 0);
	CHECK_EQ(PTE_ADDR(TABLES->child_shared), conform_page(SHARED));
	CHECK_EQ(TABLES->child_shared & PTE_SYSCALL, PERM_WRITE | PTE_SHARE);
	CHECK_EQ(conform_perm(SHARED), PERM_WRITE | PTE_SHARE);
	CHECK_EQ(PTE_ADDR(TABLES->child_shared_ro), conform_page(SHARED_RO));
	CHECK_EQ(TABLES->child_shared_ro & PTE_SYSCALL, PERM_READ | PTE_SHARE);
	CHECK_EQ(TABLES->child_xstack & PTE_SYSCALL, PERM_WRITE);
	CHECK_EQ(conform_perm(XSTACK), PERM_WRITE);
	CHECK(PTE_ADDR(TABLES->child_xstack) != conform_page(XSTACK));
}

static void
report_ptes(void)
{
	for (unsigned i = 0; i < PRIVATES; i++)
		TABLES->child[i] = conform_pte(private[i]);
	TABLES->child_xstack = conform_pte(XSTACK);
	TABLES->child_readonly = conform_pte(READONLY);
	TABLES->child_shared = conform_pte(SHARED);
	TABLES->child_shared_ro = conform_pte(SHARED_RO);
}

static void
run_grandchild(void)
{
	check("the grandchild sees its parent's memory", 2000);
	fill(4000);
	check("the grandchild sees its own memory", 4000);
	TABLES->grandchild_id = sys_getenvid();
	CHECK_EQ(thisenv->env_id, sys_getenvid());
}

static void
run_child(void)
{
	TABLES->child_id = sys_getenvid();
	report_ptes();
	STATE->stage = 1;
	conform_wait_stage(2);
	CHECK_EQ(thisenv->env_id, sys_getenvid());
	check("the child sees the parent's memory from before fork", 1000);
	fill(2000);
	check("the child sees its own memory", 2000);
	CHECK_EQ(*SHARED, 1);
	*SHARED = 2;
	STATE->stage = 3;
	conform_wait_stage(4);
	check("the child does not see what the parent writes", 2000);

	envid_t grandchild = fork();
	if (grandchild == 0) {
		run_grandchild();
		exit();
	}
	conform_must(grandchild, "fork in a child");
	conform_wait(grandchild);
	CHECK_EQ(TABLES->grandchild_id, grandchild);
	check("the child does not see what the grandchild writes", 2000);
}

// Wait until the child has reached a stage. If it ends before that, say so, and end the test.
static void
wait_for_child(envid_t child, uint32_t stage)
{
	while (STATE->stage < stage) {
		if (!is_alive(child)) {
			conform_count(false, __LINE__, "the child of fork has ended too early",
			    stage, STATE->stage);
			conform_end();
			exit();
		}
		sys_yield();
	}
}

// One fork. Returns the number of free pages at the end.
static int
play_round(void)
{
	STATE->stage = 0;
	fill(1000);
	*SHARED = 1;
	envid_t child = fork();
	if (child == 0) {
		run_child();
		exit();
	}
	conform_must(child, "fork");
	CHECK_EQ(env_of(child)->env_parent_id, sys_getenvid());
	CHECK_EQ(
	    (uint32_t)env_of(child)->env_pgfault_upcall, (uint32_t)thisenv->env_pgfault_upcall);
	wait_for_child(child, 1);
	CHECK_EQ(TABLES->child_id, child);
	check_ptes();
	STATE->stage = 2;
	wait_for_child(child, 3);
	check("the parent does not see what the child writes", 1000);
	CHECK_EQ(*SHARED, 2);
	fill(3000);
	check("the parent sees its own memory", 3000);
	STATE->stage = 4;
	conform_wait(child);
	check("the parent sees its own memory after the end of the child", 3000);
	return count_free_pages();
}

// The parent writes first: its TLB must not keep the pages writable.
static void
write_first(void)
{
	STATE->stage = 0;
	fill(5000);
	envid_t child = fork();
	if (child == 0) {
		conform_wait_stage(1);
		check("the child does not see what the parent writes right after fork", 5000);
		exit();
	}
	conform_must(child, "fork");
	fill(6000);
	STATE->stage = 1;
	conform_wait(child);
	check("the parent sees what it wrote right after fork", 6000);
}

void
umain(int argc, char **argv)
{
	conform_begin("gradefork");
	set_up();
	play_round();
	int free = play_round();
	CHECK_EQ(play_round(), free);
	write_first();
	for (int i = 0; i < 20; i++) {
		envid_t child = fork();
		if (child == 0)
			exit();
		conform_must(child, "fork");
		conform_wait(child);
	}
	conform_end();
}
