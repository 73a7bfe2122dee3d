// Whether the kernel's books balance. What it notes down for speed (reference counts,
// free lists, the set of runnable environments, who waits where) is counted again here,
// slowly, from what it stands for, and compared:
//
//	pages          each page's pp_ref is the number of mappings in all page tables,
//	               with 1 for what the kernel holds for an environment; a page is on
//	               the free list if nobody has it, and only then
//	page tables    give users nothing of the kernel's, and no bit that is not theirs
//	environments   their statuses agree with the CPUs that run them, the runnable set,
//	               and the one list that each that is free or waits must be in
//
// It runs whenever there is nothing left to run, and at the monitor's command. It only
// reads, and trusts nothing that it reads: a broken list must be named, not followed.

#include <inc/assert.h>
#include <inc/stdio.h>

#include <kern/check/audit.h>
#include <kern/dev/console.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/pmap.h>
#include <kern/runq.h>

#define MAX_LINES 20 // One mistake can have a thousand consequences.

// What is found out about each page: how many mappings it has, and these.
#define RESERVED (1U << 31) // Taken for ever: the kernel itself, or no RAM
#define HELD     (1U << 30) // The kernel's: not for users, and for one purpose
#define LISTED   (1U << 29) // On the free list
#define MAPPINGS (LISTED - 1)

static uint32_t *found;
static bool in_list[NENV];
static int errors;

static __attribute__((format(printf, 1, 2))) void
complain(const char *fmt, ...)
{
	va_list ap;

	if (++errors > MAX_LINES)
		return;
	va_start(ap, fmt);
	cprintf("audit: ");
	vcprintf(fmt, ap);
	cprintf("\n");
	va_end(ap);
}

void
audit_init(uint32_t *counts)
{
	found = counts;
	for (size_t i = 0; i < npages; i++)
		found[i] = pages[i].pp_ref ? RESERVED : 0;
}

// ---- Page tables ----

// There is one more mapping of the page at pa. False: there is no such page.
static bool
count(physaddr_t pa, uint32_t flags)
{
	if (PGNUM(pa) >= npages) {
		complain("there is no page 0x%08x, but a mapping of it", pa);
		return false;
	}
	found[PGNUM(pa)] = (found[PGNUM(pa)] + 1) | flags;
	return true;
}

// The kernel's own: users see pages[] and envs[] there, and may change nothing.
static void
audit_kern_pgdir(void)
{
	for (uint32_t pdx = 0; pdx < NPDENTRIES; pdx++) {
		pde_t pde = kern_pgdir[pdx];
		if (!(pde & PTE_P) || pdx == PDX(UVPT))
			continue;
		if (pdx < PDX(UTOP) || (pde & (PTE_PS | PTE_U)) == (PTE_PS | PTE_U))
			complain("kern_pgdir[%u] is %08x", pdx, pde);
		if ((pde & PTE_PS) || !count(PTE_ADDR(pde), HELD))
			continue;
		const pte_t *table = KADDR(PTE_ADDR(pde));
		for (uint32_t ptx = 0; ptx < NPTENTRIES; ptx++) {
			uint32_t user = table[ptx] & PTE_P ? table[ptx] & (PTE_U | PTE_W) : 0;
			if ((user & PTE_U) && (user & PTE_W || pdx >= PDX(UVPT)))
				complain("va %p is the kernel's, but mapped as %08x",
				    PGADDR(pdx, ptx, 0), table[ptx]);
		}
	}
}

static void
audit_table(const struct Env *e, uint32_t pdx, const pte_t *table)
{
	for (uint32_t ptx = 0; ptx < NPTENTRIES; ptx++) {
		pte_t pte = table[ptx];
		if (!(pte & PTE_P))
			continue;
		if (!(pte & PTE_U) || PGOFF(pte) & ~(PTE_SYSCALL | PTE_A | PTE_D))
			complain(
			    "[%08x] va %p is mapped as %08x", e->env_id, PGADDR(pdx, ptx, 0), pte);
		count(PTE_ADDR(pte), 0);
	}
}

static void
audit_address_space(const struct Env *e)
{
	const pde_t *pgdir = e->env_pgdir;
	physaddr_t pa = PADDR(pgdir);

	count(pa, HELD);
	for (uint32_t pdx = 0; pdx < NPDENTRIES; pdx++) {
		// The CPU notes by itself that an entry was used.
		pde_t pde = pgdir[pdx] & ~(PTE_A | PTE_D), wanted;
		if (pdx < PDX(UTOP) && !(pde & PTE_P))
			continue;
		if (pdx < PDX(UTOP))
			wanted = PTE_ADDR(pde) | PTE_P | PTE_W | PTE_U;
		else if (pdx == PDX(UVPT))
			wanted = pa | PTE_P | PTE_U;
		else
			wanted = kern_pgdir[pdx] & ~(PTE_A | PTE_D);
		if (pde != wanted)
			complain(
			    "[%08x] env_pgdir[%u] is %08x, not %08x", e->env_id, pdx, pde, wanted);
		else if (pdx < PDX(UTOP) && count(PTE_ADDR(pde), HELD))
			audit_table(e, pdx, KADDR(PTE_ADDR(pde)));
	}
}

// ---- Pages ----

static void
audit_free_list(void)
{
	size_t n = 0;

	for (const struct PageInfo *pp = page_free_list; pp; pp = pp->pp_link, n++) {
		size_t i = pp - pages;
		if (i >= npages || pp != &pages[i]) {
			complain("the list of free pages leads to %p", pp);
			return;
		}
		if (found[i] & LISTED) {
			complain("page 0x%08x is on the free list twice", page2pa(pp));
			return;
		}
		found[i] |= LISTED;
	}
	if (n != page_free_count())
		complain("%u pages are counted as free, %u are listed", page_free_count(), n);
}

// Compare, when all is counted. Returns how many pages are in use.
static size_t
audit_pages(void)
{
	size_t used = 0;

	for (size_t i = 0; i < npages; i++) {
		uint32_t mappings = found[i] & MAPPINGS, ref = pages[i].pp_ref;
		physaddr_t pa = i << PGSHIFT;
		if (found[i] & RESERVED)
			mappings++;
		else
			used += mappings > 0;
		if (ref != mappings)
			complain(
			    "page 0x%08x has %u references, %u mappings found", pa, ref, mappings);
		if ((found[i] & (HELD | RESERVED)) && mappings != 1)
			complain("page 0x%08x is the kernel's, but mapped elsewhere", pa);
		if ((found[i] & LISTED) && (ref || mappings))
			complain("page 0x%08x is on the free list, but in use", pa);
		if (!(found[i] & LISTED) && !ref && !mappings)
			complain("page 0x%08x is lost: neither in use nor free", pa);
	}
	return used;
}

// ---- Environments ----

// Check a list of environments that wait in a queue, or of the free ones, with NULL.
// Returns the last one.
static const struct Env *
audit_list(const struct Env *head, const struct EnvQueue *queue)
{
	const struct Env *last = NULL;

	for (const struct Env *e = head; e; e = e->env_link) {
		size_t slot = e - envs;
		if (slot >= NENV || e != &envs[slot]) {
			complain("a list of environments leads to %p", e);
			break;
		}
		if (in_list[slot]) {
			complain("[%08x] is in a list twice, or in two", e->env_id);
			break;
		}
		in_list[slot] = true;
		if (e->env_queue != queue || (!queue && e->env_status != ENV_FREE))
			complain("[%08x] is in a list where it does not belong", e->env_id);
		if (queue && e->env_prev != last)
			complain("[%08x] does not know the one before it in its queue", e->env_id);
		last = e;
	}
	return last;
}

static void
audit_queue(const struct EnvQueue *queue, const char *owner, envid_t id)
{
	if (queue->tail != audit_list(queue->head, queue))
		complain("[%08x] the end of the queue of its %s is not its tail", id, owner);
}

// What is wrong with an environment by itself, or NULL.
static const char *
wrong_with(const struct Env *e)
{
	unsigned status = e->env_status;
	bool waits = e->env_queue || e->env_ipc_recving;
	bool free = status == ENV_FREE;

	if (status > ENV_NOT_RUNNABLE)
		return "has no such status";
	if ((!free || e->env_id) && ENVX(e->env_id) != e - envs)
		return "has an id of another slot";
	if (free != !e->env_pgdir || (free && e->env_fpu))
		return "is free and has memory, or is not and has none";
	if (e->env_oncpu ? free || status == ENV_RUNNABLE : status == ENV_RUNNING)
		return "is on a CPU and may not be, or should be and is not";
	if (waits && (e->env_oncpu || status != ENV_NOT_RUNNABLE))
		return "waits, but not asleep";
	if (e->env_stopped && (status == ENV_RUNNABLE || status == ENV_RUNNING))
		return "is stopped, but may run";
	if (e->env_queue && e->env_ipc_recving)
		return "waits for two things";
	if (free != (in_list[e - envs] && !e->env_queue) || (e->env_queue && !in_list[e - envs]))
		return "is not in the list where it belongs";
	if (e->env_oncpu &&
	    (e->env_cpunum < 0 || e->env_cpunum >= ncpu || cpus[e->env_cpunum].cpu_env != e))
		return "is on a CPU that does not know it";
	return NULL;
}

static void
audit_cpus(void)
{
	for (int i = 0; i < ncpu; i++) {
		const struct Env *e = cpus[i].cpu_env;
		if (e && (!e->env_oncpu || e->env_cpunum != i))
			complain("[%08x] is run by CPU %d, but is not there", e->env_id, i);
		if (e && (cpus[i].cpu_status == CPU_POLLING || cpus[i].cpu_status == CPU_HALTED))
			complain("[%08x] is run by CPU %d, which sleeps", e->env_id, i);
		if (cpus[i].cpu_fpu_live && (!e || !e->env_fpu))
			complain("CPU %d has a floating-point state of nobody's", i);
	}
}

// Whether an environment must be in the runnable set: the scheduler frees a part of the memory
// of one that is dying when its turn comes.
static bool
gets_turns(const struct Env *e)
{
	return e->env_status == ENV_RUNNABLE || (e->env_status == ENV_DYING && !e->env_oncpu);
}

// From each slot on, the scheduler must find the environment that a scan finds.
static void
audit_runnable_set(void)
{
	int next = -1;

	// Backwards, and twice around: in the second round the ones behind the end are known.
	for (int i = 2 * NENV; i-- > 0;) {
		int slot = i % NENV;
		if (gets_turns(&envs[slot]))
			next = slot;
		int got = i < NENV ? runq_first(slot) : next;
		if (got != next) {
			complain("from slot %d on, slot %d is runnable, but %d is found", slot,
			    next, got);
			return;
		}
	}
}

// Returns how many there are.
static size_t
audit_envs(void)
{
	size_t n = 0, dying = 0;

	for (size_t i = 0; i < NENV; i++)
		in_list[i] = false;
	audit_list(env_free_list, NULL);
	audit_queue(&cons_readers, "console", 0);
	for (const struct Env *e = envs; e < envs + NENV; e++)
		audit_queue(&e->env_ipc_senders, "senders", e->env_id);
	for (const struct Env *e = envs; e < envs + NENV; e++) {
		const char *wrong = wrong_with(e);
		if (wrong)
			complain("[%08x] %s (status %u)", e->env_id, wrong, e->env_status);
		n += e->env_status != ENV_FREE;
		dying += e->env_status == ENV_DYING;
		if (e->env_pgdir)
			audit_address_space(e);
		if (e->env_fpu)
			count(PADDR(e->env_fpu), HELD);
	}
	if (dying != envs_dying)
		complain("%u environments are counted as dying, %u are", envs_dying, dying);
	audit_cpus();
	audit_runnable_set();
	return n;
}

int
audit(void)
{
	errors = 0;
	for (size_t i = 0; i < npages; i++)
		found[i] &= RESERVED;
	audit_kern_pgdir();
	size_t nenvs = audit_envs();
	audit_free_list();
	size_t used = audit_pages();
	if (errors)
		cprintf("audit: %d errors\n", errors);
	else
		cprintf("audit: %u pages, %u environments, balanced\n", used, nenvs);
	return errors;
}
