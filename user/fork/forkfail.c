// fork and sfork when there is not enough: of environments, and of memory, with which
// they are tried with no page free, one, two, and so on until they succeed. Each time that
// they fail, the parent must be as it was, and of the child nothing may be left. Some of
// the parent's pages wait to be copied when they are written, for it has them in common
// with another child; the others are all its own to write to.
//
// All memory is held by a child, the hoarder, that gives back a page when it is told to.

#include <user/common/testing.h>

// Where the hoarder puts them. From SPARE on, there is a page table already.
#define HOARD ((char *)0x20000000)
#define SPARE ((char *)0x10000000)

// A page of the parent's that has a page table of its own: a child needs one for it, after it
// has got all that is at lower addresses.
#define FAR ((char *)0x40000000)

// What waits to be copied: parent and hoarder have it, and neither writes to it.
static uint8_t in_common[3 * PGSIZE] __attribute__((aligned(PGSIZE))) = "something";

// Messages to the hoarder, and one from a child to its parent.
enum { TAKE_ALL, GIVE_ONE, STOP, COMPLETE };

// ---- The parent's memory ----

static bool
is_writable(pte_t pte)
{
	return (pte & PTE_P) && (pte & (PTE_W | PTE_COW)) && !(pte & PTE_SHARE);
}

// How many of the pages that are to be copied are not yet. (sfork marks by PTE_W and PTE_COW what
// it has shared.)
static int
count_in_common(void)
{
	int count = 0;

	for (size_t done = 0; done < sizeof(in_common); done += PGSIZE)
		count += (pte_of(PGNUM(in_common + done)) & (PTE_W | PTE_COW)) == PTE_COW;
	return count;
}

// Write to all other pages, so that none of them is left to be copied.
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
	uint32_t mappings; // A sum over all of them, and
	uint32_t contents; // one over the program's own pages, but not what fork keeps its books in
	int free_pages, envs;
};

static uint32_t
add_to_sum(uint32_t sum, uint32_t word)
{
	return (sum ^ word) * 0x01000193; // FNV-1a, by words
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

// ---- The hoarder ----

// Take all pages, then give one back whenever it is asked for.
static void
hoard(void)
{
	static char *page = HOARD, *spare = SPARE + PGSIZE;

	// There may be one left in the end, if the next one would need a page table too.
	while (sys_page_alloc(0, page, PERM_WRITE) == 0)
		page += PGSIZE;
	while (sys_page_alloc(0, spare, PERM_WRITE) == 0)
		spare += PGSIZE;
	must(ipc_send_checked(thisenv->env_parent_id, 0, NULL, 0), "ipc_send");

	while (ipc_recv(NULL, NULL, NULL) == GIVE_ONE) {
		page -= PGSIZE;
		must(sys_page_unmap(0, page), "sys_page_unmap");
		must(ipc_send_checked(thisenv->env_parent_id, 0, NULL, 0), "ipc_send");
	}
}

// Tell the hoarder what to do, and wait until it is done.
static void
tell_hoarder(envid_t hoarder, uint32_t what)
{
	must(ipc_send_checked(hoarder, what, NULL, 0), "ipc_send");
	must(ipc_recv(NULL, NULL, NULL), "ipc_recv");
}

static envid_t
start_hoarder(void)
{
	envid_t hoarder = must_fork();

	if (hoarder == 0) {
		must(sys_page_alloc(0, SPARE, PERM_WRITE), "sys_page_alloc"); // And a page table
		touch_all_pages();
		while (ipc_recv(NULL, NULL, NULL) == TAKE_ALL)
			hoard();
	}
	touch_all_pages();
	return hoarder;
}

// ---- Trying ----

// Tell the parent that this child has all its pages. The page at FAR is the last one below the
// stack: it is not there if the child was started after an error.
static void
report_complete(void)
{
	if (*(volatile char *)FAR != 0)
		panic("the child's page at %p is not the parent's", FAR);
	must(ipc_send_checked(thisenv->env_parent_id, COMPLETE, NULL, 0), "ipc_send");
}

// Tell the hoarder to give back page after page until this succeeds. From then until the child's
// end, parent and child may write only to their stacks: there may be no memory for other copies.
static void
try_with_little_memory(envid_t hoarder, envid_t (*make_child)(void), const char *name)
{
	struct snapshot before;
	envid_t child;
	int failures = 0, to_copy = count_in_common();

	if (to_copy != sizeof(in_common) / PGSIZE)
		panic("%s: %d pages are to be copied", name, to_copy);
	tell_hoarder(hoarder, TAKE_ALL);
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
		tell_hoarder(hoarder, GIVE_ONE);
	}
	if (ipc_recv(NULL, NULL, NULL) != COMPLETE)
		panic("%s: the child has sent something else", name);
	wait_until_gone(child);
	// sfork makes copies, of which the parent now has one of each.
	int pages = before.free_pages - (to_copy - count_in_common());
	if (count_free_pages() != pages)
		panic("%s: %d pages are free when the child has gone, not %d", name,
		    count_free_pages(), pages);
	touch_all_pages();
	cprintf("forkfail: %s failed with 0 to %d pages, and then succeeded\n", name, failures - 1);
	must(ipc_send_checked(hoarder, STOP, NULL, 0), "ipc_send");
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
	// What the first fork takes stays: an exception stack, page tables.
	envid_t child = must_fork();
	if (child == 0)
		return;
	wait_until_gone(child);
	touch_all_pages();
	int free_pages = count_free_pages();

	envid_t hoarder = start_hoarder();
	try_with_little_memory(hoarder, fork, "fork");
	try_with_little_memory(hoarder, fork_batched, "fork_batched");
	try_with_little_memory(hoarder, sfork, "sfork");
	must(sys_env_destroy(hoarder), "sys_env_destroy");
	wait_until_gone(hoarder);
	try_without_environments();
	if (count_free_pages() != free_pages)
		panic("%d pages are free in the end, not %d", count_free_pages(), free_pages);
	cprintf("forkfail: ok\n");
}
