// The kernel frees the memory of an environment in parts. Until it is all free, a system call that
// needs memory, or a slot in envs[], must wait instead of failing. In this test, a child takes all
// memory so that the first parts of its end free no page. As soon as the child is destroyed, its
// parent needs memory, in each of several ways.

#include <user/common/testing.h>

#define SHARED ((volatile uint32_t *)0x10000000) // A page that all environments share
#define FULL   0          // A page table full of mappings of SHARED: freed first, in several parts
#define TAKEN  0x30000000 // Where the child maps all other memory
#define FRESH  0x0E000000 // Has no page tables at first
#define READY  0          // Word of SHARED: no memory is left

// After the loops, this must not write to a copy-on-write page: there is no memory for the copy.
static void
take_all_memory(void)
{
	for (uint32_t va = FULL; va < FULL + PTSIZE; va += PGSIZE)
		must(sys_page_map(0, (void *)SHARED, 0, (void *)va, PERM_READ), "page_map");
	for (uint32_t va = TAKEN; sys_page_alloc(0, (void *)va, PERM_WRITE) == 0; va += PGSIZE)
		continue;
	while (sys_page_alloc(0, UTEMP, PERM_WRITE) == 0) // A page may be left. UTEMP has a table.
		continue;
	SHARED[READY] = 1;
	for (;;)
		sys_yield();
}

static void *
fresh(int i)
{
	return (void *)(FRESH + i * PTSIZE);
}

// ---- Functions that need memory: each returns 0 or an error ----

static int
alloc_page(envid_t sender)
{
	return sys_page_alloc(0, fresh(0), PERM_WRITE);
}

static int
map_page(envid_t sender)
{
	return sys_page_map(0, (void *)SHARED, 0, fresh(1), PERM_READ);
}

static int
make_child(envid_t sender)
{
	envid_t child = sys_exofork();
	return child < 0 ? child : sys_env_destroy(child);
}

static int
make_batch(envid_t sender)
{
	struct BatchCall calls[3] = {
		{ SYS_getenvid, { 0 }, 1 },
		{ SYS_page_alloc, { 0, (uint32_t)fresh(2), PERM_WRITE }, 1 },
		{ SYS_page_alloc, { 0, (uint32_t)fresh(3), PERM_WRITE }, 1 },
	};
	int made = 0, r;

	for (; made < 3; made += r) {
		r = sys_batch(calls + made, 3 - made, BATCH_STOP);
		if (r <= 0)
			return r < 0 ? r : -E_UNSPECIFIED;
		if (calls[made + r - 1].result < 0)
			return calls[made + r - 1].result;
	}
	return 0;
}

// The sender waits to send a page. To map it here, a page table is needed.
static int
receive_page(envid_t sender)
{
	return sys_ipc_recv(fresh(4));
}

// `sender` receives a page at an address without a page table.
static int
send_page(envid_t sender)
{
	return sys_ipc_try_send(sender, 0, (void *)SHARED, PERM_READ);
}

static int
use_fpu(envid_t sender)
{
	__asm__ volatile("fninit");
	return 0;
}

static const struct {
	const char *name;
	int (*need)(envid_t sender);
} ways[] = {
	{ "page_alloc", alloc_page },
	{ "page_map", map_page },
	{ "exofork", make_child },
	{ "batch", make_batch },
	{ "ipc_recv", receive_page },
	{ "ipc_try_send", send_page },
	{ "floating point", use_fpu },
};

// Make a child that sends a page and then receives a page, for receive_page and send_page.
static envid_t
start_partner(void)
{
	envid_t partner = must_fork();

	if (partner == 0) {
		must(sys_ipc_send(thisenv->env_parent_id, 0, (void *)SHARED, PERM_READ), "send");
		must(sys_ipc_recv(fresh(5)), "receive");
		exit();
	}
	return partner;
}

static void
wait_until_receiving(envid_t envid)
{
	while (!env_of(envid)->env_ipc_recving)
		sys_yield();
}

// ---- Slots ----

// Make a stopped child with more page tables than the kernel frees in one part.
static envid_t
large_child(void)
{
	envid_t child = sys_exofork();

	for (int i = 0; child > 0 && i < 20; i++)
		must(sys_page_map(0, (void *)SHARED, child, (void *)(FULL + i * PTSIZE), PERM_READ),
		    "page_map");
	return child;
}

// Fill all slots with children. Then destroy each, and make a new child in its slot at once.
static void
use_slots_again(void)
{
	static envid_t children[NENV];
	int n = 0;

	while ((children[n] = large_child()) > 0)
		n++;
	if (children[n] != -E_NO_FREE_ENV)
		panic("no child: %e", children[n]);
	for (int i = 0; i < n; i++) {
		must(sys_env_destroy(children[i]), "destroy");
		if (i < 100)
			children[i] = must(large_child(), "exofork in place of a dying child");
	}
	for (int i = 0; i < n && i < 100; i++)
		must(sys_env_destroy(children[i]), "destroy");
	cprintf("reclaim: slots used again\n");
}

void
umain(int argc, char **argv)
{
	share_memory((void *)SHARED, PGSIZE);
	use_slots_again();
	envid_t partner = start_partner();
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		SHARED[READY] = 0;
		envid_t child = must_fork();
		if (child == 0)
			take_all_memory();
		if (ways[i].need == send_page)
			wait_until_receiving(partner);
		else if (ways[i].need == receive_page)
			wait_until_asleep(partner);
		while (!SHARED[READY])
			sys_yield();
		if (count_free_pages() != 0)
			panic("%d pages are free", count_free_pages());
		must(sys_env_destroy(child), "destroy");
		must(ways[i].need(partner), ways[i].name);
		wait_until_gone(child);
		cprintf("reclaim: %s\n", ways[i].name);
	}
	cprintf("reclaim: ok\n");
}
