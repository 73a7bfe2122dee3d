// The audit. The kernel keeps some data only for speed: reference counts, free lists, the set of
// runnable environments, wait queues. The audit computes this data again, slowly, from the page
// tables, envs[] and cpus[], and compares the results. The audit checks these rules:
//
//	pages          pp_ref is the number of mappings in all page tables, plus 1 if the kernel
//	               holds the page for an environment; a page is on the free list if and
//	               only if its pp_ref is 0
//	page tables    programs cannot access kernel pages, and no entry has a forbidden bit
//	environments   env_status agrees with the CPUs and with the runnable set; an environment
//	               that is free or waits in a queue is in exactly one list
//
// sched.c calls audit() when no environment is left to run, and so does the monitor's command
// `audit`. audit() does not change the data that it checks. Since the data may be corrupt, audit()
// checks each pointer before it follows the pointer.

#include <inc/assert.h>
#include <inc/stdio.h>

#include <kern/check/audit.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/pmap.h>
#include <kern/runq.h>
#include <kern/wait.h>

#define MAX_LINES 20 // Maximum errors to print: one mistake can cause a thousand errors

static uint32_t *found; // One word per page: audit.h
static bool in_list[NENV];
static int errors;
static bool quiet; // Print nothing

static __attribute__((format(printf, 1, 2))) void
report(const char *fmt, ...)
{
	va_list ap;

	if (++errors > MAX_LINES || quiet)
		return;
	va_start(ap, fmt);
	cprintf("audit: ");
	vcprintf(fmt, ap);
	cprintf("\n");
	va_end(ap);
}

// Mark the page at pa, if there is such a page, as wrong if `errors` has increased since it was
// `before`.
static void
mark_page(physaddr_t pa, int before)
{
	if (errors != before && PGNUM(pa) < npages)
		found[PGNUM(pa)] |= PAGE_WRONG;
}

void
audit_init(uint32_t *counts)
{
	found = counts;
	for (size_t i = 0; i < npages; i++)
		found[i] = pages[i].pp_ref ? PAGE_RESERVED : 0;
}

void
audit_reserve(const struct PageInfo *pp)
{
	found[pp - pages] = PAGE_RESERVED | PAGE_ADDED;
}

// ---- Page tables ----

// Count a mapping of the page at pa, and set flags for the page. Returns false if there is no such
// page.
static bool
count_mapping(physaddr_t pa, uint32_t flags)
{
	if (PGNUM(pa) >= npages) {
		report("there is no page 0x%08x, but a mapping of it", pa);
		return false;
	}
	found[PGNUM(pa)] = (found[PGNUM(pa)] + 1) | flags;
	return true;
}

// Check the mappings in kern_pgdir. A program can read pages[] and envs[] through them. It cannot
// read any other page, and cannot write to any page.
static void
audit_kern_pgdir(void)
{
	for (uint32_t pdx = 0; pdx < NPDENTRIES; pdx++) {
		pde_t pde = kern_pgdir[pdx];
		int before = errors;
		if (!(pde & PTE_P) || pdx == PDX(UVPT))
			continue;
		if (pdx < PDX(UTOP) || (pde & (PTE_PS | PTE_U)) == (PTE_PS | PTE_U))
			report("kern_pgdir[%u] is %08x", pdx, pde);
		if ((pde & PTE_PS) || !count_mapping(PTE_ADDR(pde), PAGE_HELD))
			continue;
		const pte_t *table = KADDR(PTE_ADDR(pde));
		for (uint32_t ptx = 0; ptx < NPTENTRIES; ptx++) {
			uint32_t user = table[ptx] & PTE_P ? table[ptx] & (PTE_U | PTE_W) : 0;
			if ((user & PTE_U) && (user & PTE_W || pdx >= PDX(UVPT)))
				report("va %p is the kernel's, but mapped as %08x",
				    PGADDR(pdx, ptx, 0), table[ptx]);
		}
		mark_page(PTE_ADDR(pde), before);
	}
}

static void
audit_table(const struct Env *e, uint32_t pdx, const pte_t *table)
{
	for (uint32_t ptx = 0; ptx < NPTENTRIES; ptx++) {
		pte_t pte = table[ptx];
		int before = errors;
		if (!(pte & PTE_P))
			continue;
		if (!(pte & PTE_U) || PGOFF(pte) & ~(PTE_SYSCALL | PTE_A | PTE_D))
			report(
			    "[%08x] va %p is mapped as %08x", e->env_id, PGADDR(pdx, ptx, 0), pte);
		mark_page(PTE_ADDR(pte), before);
		count_mapping(PTE_ADDR(pte), 0);
	}
}

static void
audit_address_space(const struct Env *e)
{
	const pde_t *pgdir = e->env_pgdir;
	physaddr_t pa = PADDR(pgdir);

	count_mapping(pa, PAGE_HELD);
	for (uint32_t pdx = 0; pdx < NPDENTRIES; pdx++) {
		// Ignore PTE_A and PTE_D, which the CPU sets by itself.
		pde_t pde = pgdir[pdx] & ~(PTE_A | PTE_D), wanted;
		int before = errors;
		if (pdx < PDX(UTOP) && !(pde & PTE_P))
			continue;
		if (pdx < PDX(UTOP))
			wanted = PTE_ADDR(pde) | PTE_P | PTE_W | PTE_U;
		else if (pdx == PDX(UVPT))
			wanted = pa | PTE_P | PTE_U;
		else
			wanted = kern_pgdir[pdx] & ~(PTE_A | PTE_D);
		if (pde != wanted)
			report(
			    "[%08x] env_pgdir[%u] is %08x, not %08x", e->env_id, pdx, pde, wanted);
		mark_page(pa, before);
		if (pde == wanted && pdx < PDX(UTOP) && count_mapping(PTE_ADDR(pde), PAGE_HELD))
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
			report("the list of free pages has the bad pointer %p", pp);
			return;
		}
		if (found[i] & PAGE_LISTED) {
			found[i] |= PAGE_WRONG;
			report("page 0x%08x is on the free list twice", page2pa(pp));
			return;
		}
		found[i] |= PAGE_LISTED;
	}
	if (n != page_free_count())
		report("%u pages are counted as free, %u are listed", page_free_count(), n);
}

// Compare pages[] with found[]. The caller must have counted all mappings before. Returns the
// number of pages in use, not including the pages that have been in use since boot.
static size_t
audit_pages(void)
{
	size_t used = 0;

	for (size_t i = 0; i < npages; i++) {
		uint32_t mappings = found[i] & PAGE_MAPPINGS, ref = pages[i].pp_ref;
		physaddr_t pa = i << PGSHIFT;
		int before = errors;
		if (found[i] & PAGE_RESERVED)
			mappings++;
		else
			used += mappings > 0;
		if (ref != mappings)
			report(
			    "page 0x%08x has %u references, %u mappings found", pa, ref, mappings);
		if ((found[i] & (PAGE_HELD | PAGE_RESERVED)) && mappings != 1)
			report("page 0x%08x is the kernel's, but mapped elsewhere", pa);
		if ((found[i] & PAGE_LISTED) && (ref || mappings))
			report("page 0x%08x is on the free list, but in use", pa);
		if (!(found[i] & PAGE_LISTED) && !ref && !mappings)
			report("page 0x%08x is lost: neither in use nor free", pa);
		mark_page(pa, before);
	}
	return used;
}

// ---- Environments ----

// Check the list of environments that begins at head: a queue, or the free list if `queue` is NULL.
// Returns the last environment that was checked, or NULL if the list is empty.
static const struct Env *
audit_list(const struct Env *head, const struct EnvQueue *queue)
{
	const struct Env *last = NULL;

	for (const struct Env *e = head; e; e = e->env_link) {
		size_t slot = e - envs;
		if (slot >= NENV || e != &envs[slot]) {
			report("a list of environments has the bad pointer %p", e);
			break;
		}
		if (in_list[slot]) {
			report("[%08x] is in two lists, or twice in one", e->env_id);
			break;
		}
		in_list[slot] = true;
		if (e->env_queue != queue || (!queue && e->env_status != ENV_FREE))
			report("[%08x] is in a list where it does not belong", e->env_id);
		if (queue && e->env_prev != last)
			report("[%08x] has a wrong env_prev", e->env_id);
		last = e;
	}
	return last;
}

static void
audit_queue(const struct EnvQueue *queue, const char *owner, envid_t id)
{
	if (queue->tail != audit_list(queue->head, queue))
		report("[%08x] the queue of its %s has a wrong tail", id, owner);
}

// Check that the fields of an environment agree with each other. Returns the text of an error, or
// NULL if there is no error.
static const char *
check_env(const struct Env *e)
{
	unsigned status = e->env_status;
	bool waits = e->env_queue || e->env_ipc_recving;
	bool free = status == ENV_FREE;

	if (status > ENV_NOT_RUNNABLE)
		return "has no such status";
	if ((!free || e->env_id) && ENVX(e->env_id) != e - envs)
		return "has an id of another slot";
	if (free != !e->env_pgdir || (free && e->env_fpu))
		return "is free but has memory, or is in use but has none";
	if (e->env_oncpu ? free || status == ENV_RUNNABLE : status == ENV_RUNNING)
		return "has an env_status that contradicts env_oncpu";
	if (waits && (e->env_oncpu || status != ENV_NOT_RUNNABLE))
		return "waits, but is on a CPU or not ENV_NOT_RUNNABLE";
	if (e->env_stopped && (status == ENV_RUNNABLE || status == ENV_RUNNING))
		return "is stopped, but may run";
	if (e->env_queue && e->env_ipc_recving)
		return "waits for two things";
	if (free != (in_list[e - envs] && !e->env_queue) || (e->env_queue && !in_list[e - envs]))
		return "is not in the list where it belongs";
	if (e->env_oncpu &&
	    (e->env_cpunum < 0 || e->env_cpunum >= ncpu || cpus[e->env_cpunum].cpu_env != e))
		return "is on a CPU whose cpu_env is not this environment";
	return NULL;
}

static void
audit_cpus(void)
{
	for (int i = 0; i < ncpu; i++) {
		const struct Env *e = cpus[i].cpu_env;
		if (e && (!e->env_oncpu || e->env_cpunum != i))
			report("[%08x] is cpu_env of CPU %d, but is not on that CPU", e->env_id, i);
		if (e && (cpus[i].cpu_status == CPU_POLLING || cpus[i].cpu_status == CPU_HALTED))
			report("[%08x] is cpu_env of CPU %d, which is idle", e->env_id, i);
		if (cpus[i].cpu_fpu_live && (!e || !e->env_fpu))
			report("CPU %d has a live FPU state that no environment owns", i);
	}
}

// Return whether an environment must be in the runnable set. A dying environment is in the set,
// too: each time the scheduler selects such an environment, a part of the environment's memory is
// freed.
static bool
belongs_in_runq(const struct Env *e)
{
	return e->env_status == ENV_RUNNABLE || (e->env_status == ENV_DYING && !e->env_oncpu);
}

// Compare runq_first for every slot with the result of a scan of envs[].
static void
audit_runnable_set(void)
{
	int next = -1; // First runnable slot from `slot` on, in circular order; -1 if there is none

	// Scan envs[] backwards, twice. The order is circular: if no slot from `slot` to the end of
	// envs[] is runnable, `next` is the first runnable slot of envs[]. The first scan only
	// finds that slot. The second scan compares.
	for (int i = 2 * NENV; i-- > 0;) {
		int slot = i % NENV;
		if (belongs_in_runq(&envs[slot]))
			next = slot;
		int got = i < NENV ? runq_first(slot) : next;
		if (got != next) {
			report("from slot %d on, slot %d is runnable, but %d is found", slot, next,
			    got);
			return;
		}
	}
}

// Check all environments. Returns the number of environments in use.
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
		const char *wrong = check_env(e);
		if (wrong)
			report("[%08x] %s (status %u)", e->env_id, wrong, e->env_status);
		n += e->env_status != ENV_FREE;
		dying += e->env_status == ENV_DYING;
		if (e->env_pgdir)
			audit_address_space(e);
		if (e->env_fpu)
			count_mapping(PADDR(e->env_fpu), PAGE_HELD);
	}
	if (dying != envs_dying)
		report("%u environments are counted as dying, %u are", envs_dying, dying);
	audit_cpus();
	audit_runnable_set();
	return n;
}

// Check everything. Returns the number of pages in use, as audit_pages does. *nenvs gets the number
// of environments.
static size_t
audit_all(size_t *nenvs)
{
	errors = 0;
	for (size_t i = 0; i < npages; i++)
		found[i] &= PAGE_RESERVED | PAGE_ADDED;
	audit_kern_pgdir();
	*nenvs = audit_envs();
	audit_free_list();
	return audit_pages();
}

int
audit(void)
{
	size_t nenvs, used = audit_all(&nenvs);

	if (errors)
		cprintf("audit: %d errors\n", errors);
	else
		cprintf("audit: %u pages, %u environments, balanced\n", used, nenvs);
	return errors;
}

uint32_t *
audit_page_words(void)
{
	size_t nenvs;

	quiet = true;
	audit_all(&nenvs);
	quiet = false;
	return found;
}
