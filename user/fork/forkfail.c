// Tests fork and sfork without enough memory, and without a free environment. They are called with
// 0, 1, 2, ... free pages until they succeed. After each failure, the parent must be unchanged, and
// all memory of the child must be free. Some of the parent's pages are copy-on-write, shared with
// another child; all its other pages are its own.
//
// A child, the memory holder, takes all memory, and frees a page on request.

#include <user/common/testing.h>

// Where the holder maps the pages. SPARE has a page table already.
#define TAKEN ((char *)0x20000000)
#define SPARE ((char *)0x10000000)

// A page of the parent that is alone in its page table: for this page, fork needs memory after it
// has mapped all pages at lower addresses.
#define FAR ((char *)0x40000000)

// Copy-on-write pages that parent and holder share. Neither writes to them.
static uint8_t in_common[3 * PGSIZE] __attribute__((aligned(PGSIZE))) = "something";

// Messages to the holder; COMPLETE is from a child to its parent.
enum { TAKE_ALL, FREE_ONE, STOP, COMPLETE };

// ---- The parent's memory ----

static bool
is_writable(pte_t pte)
{
	return (pte & PTE_P) && (pte & (PTE_W | PTE_COW)) && !(pte & PTE_SHARE);
}

// Count the pages of in_common that are still copy-on-write. (Pages that sfork shares have PTE_W
// and PTE_COW.)
static int
count_in_common(void)
{
	int count = 0;

	for (size_t done = 0; done < sizeof(in_common); done += PGSIZE)
		count += (pte_of(PGNUM(in_common + done)) & (PTE_W | PTE_COW)) == PTE_COW;
	return count;
}

// Write to all other pages, so that they are not copy-on-write any more.
static void
touch_all_pages(void)
{
	for (uint32_t pn = 0; pn < PGNUM(UTOP); pn++) {
		volatile uint8_t *va = (volatile uint8_t *)(pn * PGSIZE);
		if (!(uvpd[pn / NPTENTRIES] & PTE_P))
			pn |= NPTENTRIES - 1;
		else if (pn == PGNUM(in_common))
			pn += sizeof(in_common) / PGSIZE - 1;
		else if (is_writable(uvpt[pn]))
			*va = *va;
	}
}

extern const uint8_t private_start[], private_end[]; // user/user.ld

struct snapshot {
	uint32_t mappings; // Hash of all mappings
	uint32_t contents; // Hash of all pages except those that fork writes: stacks, .bss.private
	int free_pages, envs;
};

static uint32_t
add_to_sum(uint32_t sum, uint32_t word)
{
	return (sum ^ word) * 0x01000193; // FNV-1a, applied to words
}

static uint32_t
sum_of_page(uint32_t sum, uint32_t pn)
{
	const uint32_t *words = (const uint32_t *)(pn * PGSIZE);

	for (uint32_t i = 0; i < PGSIZE / sizeof(*words); i++)
		sum = add_to_sum(sum, words[i]);
	return sum;
}

static struct snapshot
take_snapshot(void)
{
	struct snapshot s = { 0, 0, count_free_pages(), count_envs() };

	for (uint32_t pn = 0; pn < PGNUM(UTOP); pn++) {
		if (!(uvpd[pn / NPTENTRIES] & PTE_P)) {
			pn |= NPTENTRIES - 1;
			continue;
		}
		s.mappings = add_to_sum(s.mappings, uvpt[pn] & ~(PTE_A | PTE_D));
		bool changes = pn >= PGNUM(USTACKTOP - PGSIZE) ||
			       (pn >= PGNUM(private_start) && pn < PGNUM(private_end));
		if ((uvpt[pn] & PTE_P) && !changes)
			s.contents = sum_of_page(s.contents, pn);
	}
	return s;
}

static void
check_unchanged(const struct snapshot *before, const char *what)
{
	struct snapshot now = take_snapshot();

	if (now.free_pages != before->free_pages)
		panic("%s: %d pages free, not %d", what, now.free_pages, before->free_pages);
	if (now.envs != before->envs)
		panic("%s: %d environments, not %d", what, now.envs, before->envs);
	if (now.mappings != before->mappings)
		panic("%s: the parent's mappings have changed", what);
	if (now.contents != before->contents)
		panic("%s: the parent's memory has changed", what);
	touch_all_pages();
}

// ---- The memory holder ----

// Take all pages, then free a page for each FREE_ONE.
static void
hold_memory(void)
{
	static char *page = TAKEN, *spare = SPARE + PGSIZE;

	// After the first loop, a page may be left, if the next mapping needs a page table too.
	while (sys_page_alloc(0, page, PERM_WRITE) == 0)
		page += PGSIZE;
	while (sys_page_alloc(0, spare, PERM_WRITE) == 0)
		spare += PGSIZE;
	must(ipc_send_checked(thisenv->env_parent_id, 0, NULL, 0), "ipc_send");

	while (ipc_recv(NULL, NULL, NULL) == FREE_ONE) {
		page -= PGSIZE;
		must(sys_page_unmap(0, page), "sys_page_unmap");
		must(ipc_send_checked(thisenv->env_parent_id, 0, NULL, 0), "ipc_send");
	}
}

// Send a request to the holder, and wait until it is done.
static void
ask_holder(envid_t holder, uint32_t request)
{
	must(ipc_send_checked(holder, request, NULL, 0), "ipc_send");
	must(ipc_recv(NULL, NULL, NULL), "ipc_recv");
}

static envid_t
start_holder(void)
{
	envid_t holder = must_fork();

	if (holder == 0) {
		// This also makes the page table for SPARE.
		must(sys_page_alloc(0, SPARE, PERM_WRITE), "sys_page_alloc");
		touch_all_pages();
		while (ipc_recv(NULL, NULL, NULL) == TAKE_ALL)
			hold_memory();
	}
	touch_all_pages();
	return holder;
}

// ---- The tests ----

// Tell the parent that this child has all its pages. FAR is the last page below the stack: it is
// missing if fork started the child after an error.
static void
report_complete(void)
{
	if (*(volatile char *)FAR != 0)
		panic("the child's page at %p differs from the parent's", FAR);
	must(ipc_send_checked(thisenv->env_parent_id, COMPLETE, NULL, 0), "ipc_send");
}

// Let the holder free page after page until make_child succeeds. Then parent and child may write
// only to their stacks until the child ends: there may be no memory to copy other pages.
static void
try_with_little_memory(envid_t holder, envid_t (*make_child)(void), const char *name)
{
	struct snapshot before;
	envid_t child;
	int failures = 0, to_copy = count_in_common();

	if (to_copy != sizeof(in_common) / PGSIZE)
		panic("%s: %d pages are copy-on-write", name, to_copy);
	ask_holder(holder, TAKE_ALL);
	for (;;) {
		before = take_snapshot();
		child = make_child();
		if (child == 0) {
			report_complete();
			exit();
		}
		if (child > 0)
			break;
		if (child != -E_NO_MEM)
			panic("%s: %e", name, child);
		check_unchanged(&before, name);
		failures++;
		ask_holder(holder, FREE_ONE);
	}
	if (ipc_recv(NULL, NULL, NULL) != COMPLETE)
		panic("%s: the child has sent another message", name);
	wait_until_gone(child);
	// sfork copies the copy-on-write pages, and the parent keeps the copies.
	int pages = before.free_pages - (to_copy - count_in_common());
	if (count_free_pages() != pages)
		panic("%s: %d pages are free after the child's end, not %d", name,
		    count_free_pages(), pages);
	touch_all_pages();
	cprintf("forkfail: %s failed with 0 to %d pages, and then succeeded\n", name, failures - 1);
	must(ipc_send_checked(holder, STOP, NULL, 0), "ipc_send");
}

static void
try_without_environments(void)
{
	static envid_t taken[NENV];
	int count = 0;
	envid_t child;

	while ((child = sys_exofork()) > 0)
		taken[count++] = child;
	if (child != -E_NO_FREE_ENV)
		panic("sys_exofork: %e", child);

	struct snapshot before = take_snapshot();
	if ((child = fork()) != -E_NO_FREE_ENV)
		panic("fork: %d", child);
	check_unchanged(&before, "fork");
	if ((child = sfork()) != -E_NO_FREE_ENV)
		panic("sfork: %d", child);
	check_unchanged(&before, "sfork");
	cprintf("forkfail: fork and sfork failed with %d environments\n", count_envs());
	while (count > 0)
		must(sys_env_destroy(taken[--count]), "sys_env_destroy");
}

void
umain(int argc, char **argv)
{
	must(sys_page_alloc(0, FAR, PERM_WRITE), "sys_page_alloc");
	// The first fork allocates pages that stay: an exception stack and page tables.
	envid_t child = must_fork();
	if (child == 0)
		return;
	wait_until_gone(child);
	touch_all_pages();
	int free_pages = count_free_pages();

	envid_t holder = start_holder();
	try_with_little_memory(holder, fork, "fork");
	try_with_little_memory(holder, fork_batched, "fork_batched");
	try_with_little_memory(holder, sfork, "sfork");
	must(sys_env_destroy(holder), "sys_env_destroy");
	wait_until_gone(holder);
	try_without_environments();
	if (count_free_pages() != free_pages)
		panic("%d pages are free at the end, not %d", count_free_pages(), free_pages);
	cprintf("forkfail: ok\n");
}
