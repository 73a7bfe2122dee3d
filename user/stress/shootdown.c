// A page that is taken from an environment is taken from all CPUs: though another one
// writes to it in a loop, and remembers where it is, no write lands any more when the
// call that took it has returned. Each round gives the writer, a child, a page; waits
// until it writes to it, on another CPU if there is one; takes the page in one of the
// ways that there are; and then looks at it, which has got another owner by now. The writer writes
// by itself, or lets the kernel write for it: to the results of a batch of calls.

#include <user/common/testing.h>

#define ROUNDS 1000
#define WRITES 3   // Which the writer is given time for, after its page was taken
#define TRIES  100 // To see the writer on another CPU

#define SPOT  ((volatile uint32_t *)0x10000000) // Where the writer has its page
#define OWN   ((volatile uint32_t *)0x20000000) // Where its parent looks at it
#define OTHER ((void *)0x20001000)

// Where the kernel writes if a page is a batch of calls.
#define RESULT_OF(page) ((page) + offsetof(struct BatchCall, result) / sizeof(uint32_t))

// One page for both of them.
static struct {
	volatile uint32_t round;  // Which the writer may take part in
	volatile uint32_t writes; // How many it made
	volatile bool parked;     // It has no page: it waits for a round
	volatile bool alone;      // There is one CPU: both must have it in turn
	volatile bool by_kernel;  // The writer lets the kernel write
} *const shared = (void *)0x30000000;

static envid_t writer;

// Wait a little, mostly without the kernel, where only one can be at a time.
static void
wait_a_little(void)
{
	for (volatile int i = 0; i < 1000 && !shared->alone; i++)
		continue;
	sys_yield();
}

// ---- The writer ----

// The page is gone: wait for the next one.
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

// A page of zeroes is a batch of calls that are refused, each of which gets its result.
static void
write_by_kernel(void)
{
	must(sys_batch((struct BatchCall *)SPOT, 1, 0), "sys_batch");
}

static void
write_for_ever(void)
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

// ---- The ways to take a page, with the writer's mapping the only one, or one of two ----

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

// It stays, but is not to be written to.
static void
narrow(void)
{
	must(sys_page_map(writer, (void *)SPOT, writer, (void *)SPOT, PERM_READ), "narrow");
}

static const struct way {
	const char *name;
	void (*take)(void);
	bool keep;      // The parent has the page too, all the while
	bool by_kernel; // The kernel writes, which would end a writer that has no page
} ways[] = {
	{ "page_unmap", unmap, false, false },
	{ "page_map over it", map_another, false, false },
	{ "page_alloc over it", alloc_another, false, false },
	{ "page_map without PTE_W", narrow, true, false },
	{ "page_alloc over it, while the kernel writes", alloc_another, true, true },
};

// ---- The rounds ----

// Give the writer, when it has noticed that its last one is gone, a page, and wait until it
// has written to it.
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

// Wait until the writer is on another CPU. If it never is, in the first round, there is
// no other.
static void
wait_until_beside(bool first)
{
	for (int i = 0; env_of(writer)->env_status != ENV_RUNNING && !shared->alone; i++) {
		wait_a_little();
		shared->alone = first && i == TRIES;
	}
}

// Nothing may change in the page, which is ours, or ours alone, since it was taken. Looks
// until the writer has found out, or has written more often, wherever to: so it does not
// matter when the machine below lets its CPU run. Without a call, which might do what the
// one before has left undone.
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
		panic("round %d: a write landed after %s", round, way->name);
}

// Let the writer write by the kernel, or by itself again, and wait until it does.
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
		// What was freed last is given first.
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
		write_for_ever();
	// The page tables, which stay, are made before pages are counted on.
	must(sys_page_alloc(writer, (void *)SPOT, PERM_WRITE), "alloc");
	unmap();
	for (int round = 0; round < ROUNDS; round++)
		play_round(&ways[round % ARRAY_SIZE(ways)], round);
	cprintf("shootdown: %d rounds, with the writer %s: ok\n", ROUNDS,
	    shared->alone ? "on the same CPU" : "on another CPU");
	must(sys_env_destroy(writer), "destroy");
}
