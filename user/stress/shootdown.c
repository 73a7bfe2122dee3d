// Tests TLB shootdown. When a system call that takes a page from an environment has returned, no
// write to the page may succeed, even if the environment runs on another CPU and that CPU's TLB had
// the page. In each round, the parent gives the writer, a child, a page, and waits until the writer
// writes to it, on another CPU if there is one. Then the parent takes the page, in one of several
// ways, and checks that it does not change any more. The writer writes itself, or lets the kernel
// write for it: to the results of a batch of calls.

#include <user/common/testing.h>

#define ROUNDS 1000
#define WRITES 3   // The parent waits for so many more writes after it took the page.
#define TRIES  100 // How often the parent checks whether the writer runs on another CPU

#define SPOT  ((volatile uint32_t *)0x10000000) // The page in the writer
#define OWN   ((volatile uint32_t *)0x20000000) // The same page in the parent
#define OTHER ((void *)0x20001000)

// Where the kernel stores the result if the page is a batch of calls
#define RESULT_OF(page) ((page) + offsetof(struct BatchCall, result) / sizeof(uint32_t))

// In a page that parent and writer share
static struct {
	volatile uint32_t round;  // The round in which the writer may write
	volatile uint32_t writes; // Number of writes
	volatile bool parked;     // The writer has no page, and waits for the next round.
	volatile bool alone;      // There is only one CPU: parent and writer must yield.
	volatile bool by_kernel;  // The writer lets the kernel write.
} *const shared = (void *)0x30000000;

static envid_t writer;

// Wait a little, mostly in user mode, so that the other environment can use the kernel.
static void
wait_a_little(void)
{
	for (volatile int i = 0; i < 1000 && !shared->alone; i++)
		continue;
	sys_yield();
}

// ---- The writer ----

// Page-fault handler: the page was taken. Wait for the next round.
static void
wait_for_round(struct UTrapframe *utf)
{
	static uint32_t last;

	if (utf->utf_fault_va != (uintptr_t)SPOT)
		panic("writer: page fault at %08x", utf->utf_fault_va);
	shared->parked = true;
	while (shared->round == last)
		wait_a_little();
	last = shared->round;
}

// A page of zeroes is a batch of calls that are refused: the kernel stores a result for each call.
static void
write_by_kernel(void)
{
	must(sys_batch((struct BatchCall *)SPOT, 1, 0), "sys_batch");
}

static void
write_until_destroyed(void)
{
	set_pgfault_handler(wait_for_round);
	for (;;) {
		if (shared->by_kernel)
			write_by_kernel();
		else
			*SPOT = 0xBAD;
		shared->writes++;
		if (shared->alone)
			sys_yield();
	}
}

// ---- The ways to take a page ----

static physaddr_t
page_at(volatile void *va)
{
	return PTE_ADDR(pte_of(PGNUM(va)));
}

static void
unmap(void)
{
	must(sys_page_unmap(writer, (void *)SPOT), "unmap");
}

static void
map_another(void)
{
	must(sys_page_map(0, OTHER, writer, (void *)SPOT, PERM_WRITE), "map another");
}

static void
alloc_another(void)
{
	must(sys_page_alloc(writer, (void *)SPOT, PERM_WRITE), "alloc another");
}

// The page stays mapped, but becomes read-only.
static void
make_readonly(void)
{
	must(sys_page_map(writer, (void *)SPOT, writer, (void *)SPOT, PERM_READ), "make read-only");
}

static const struct way {
	const char *name;
	void (*take)(void);
	bool keep;      // The parent keeps a mapping of the page.
	bool by_kernel; // The kernel writes: then the writer must always have a page.
} ways[] = {
	{ "page_unmap", unmap, false, false },
	{ "page_map over it", map_another, false, false },
	{ "page_alloc over it", alloc_another, false, false },
	{ "page_map without PTE_W", make_readonly, true, false },
	{ "page_alloc over it, while the kernel writes", alloc_another, true, true },
};

// ---- The rounds ----

// Wait until the writer has noticed that its last page was taken. Give it a new page, and wait
// until it has written to the page.
static physaddr_t
give_page(bool keep)
{
	while (!shared->parked)
		wait_a_little();
	must(sys_page_alloc(0, (void *)OWN, PERM_WRITE), "alloc");
	physaddr_t pa = page_at(OWN);
	must(sys_page_map(0, (void *)OWN, writer, (void *)SPOT, PERM_WRITE), "map");
	if (!keep)
		must(sys_page_unmap(0, (void *)OWN), "unmap");

	uint32_t before = shared->writes;
	shared->parked = false;
	shared->round++;
	while (shared->writes < before + 2)
		wait_a_little();
	return pa;
}

// Wait until the writer runs on another CPU. If it does not within TRIES checks of the first round,
// there is only one CPU.
static void
wait_until_beside(bool first)
{
	for (int i = 0; env_of(writer)->env_status != ENV_RUNNING && !shared->alone; i++) {
		wait_a_little();
		shared->alone = first && i == TRIES;
	}
}

// Check that the page does not change after it was taken. Wait until the writer has faulted, or has
// written WRITES more times, perhaps to another page: so the result does not depend on when the
// host runs the writer's CPU. This makes no system calls, which could complete a late shootdown.
static void
check_page(const struct way *way, int round)
{
	volatile uint32_t *word = way->by_kernel ? RESULT_OF(OWN) : OWN;
	uint32_t before = shared->writes;

	*word = 0;
	while (!shared->parked && shared->writes - before < WRITES) {
		if (shared->alone)
			sys_yield();
	}
	if (*word != 0)
		panic("round %d: the page was written after %s", round, way->name);
}

// Let the writer write through the kernel, or by itself again. Wait until it does.
static void
set_by_kernel(bool by_kernel)
{
	uint32_t before = shared->writes;

	shared->by_kernel = by_kernel;
	while (shared->writes < before + 2)
		wait_a_little();
}

static void
play_round(const struct way *way, int round)
{
	physaddr_t pa = give_page(way->keep);

	if (way->by_kernel)
		set_by_kernel(true);
	wait_until_beside(round == 0);
	way->take();
	if (!way->keep) {
		// The page that was freed last is allocated first.
		must(sys_page_alloc(0, (void *)OWN, PERM_WRITE), "alloc");
		if (page_at(OWN) != pa)
			panic("round %d: %s: page %08x, not %08x", round, way->name, page_at(OWN),
			    pa);
	}
	check_page(way, round);
	if (way->by_kernel)
		set_by_kernel(false);
	unmap();
	must(sys_page_unmap(0, (void *)OWN), "unmap");
}

void
umain(int argc, char **argv)
{
	share_memory(shared, PGSIZE);
	share_memory(OTHER, PGSIZE);
	writer = must_fork();
	if (writer == 0)
		write_until_destroyed();
	// Make the page table for SPOT now, so that later rounds allocate no page tables.
	must(sys_page_alloc(writer, (void *)SPOT, PERM_WRITE), "alloc");
	unmap();
	for (int round = 0; round < ROUNDS; round++)
		play_round(&ways[round % ARRAY_SIZE(ways)], round);
	cprintf("shootdown: %d rounds, with the writer %s: ok\n", ROUNDS,
	    shared->alone ? "on the same CPU" : "on another CPU");
	must(sys_env_destroy(writer), "destroy");
}
