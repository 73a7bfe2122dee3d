// Freeing an environment in parts, so that no CPU holds the big lock for long.
//
// env_free (env.c) takes the environment off its CPU, makes it ENV_DYING and frees the first part.
// If the environment has little memory, the first part is everything. Otherwise the environment is
// put into the set of runnable environments. In each of its turns, the scheduler frees more parts.
// No variable records the progress: a part removes what it frees from the page tables and lists, so
// the next part simply continues.
//
// A part may execute a limited number of instructions. Each function below takes `left`, the number
// that is left before the call, and returns the number after the call. If the result is more than
// 0, the function has done all of its work.

#include <inc/assert.h>
#include <inc/error.h>
#include <inc/x86.h>

#include <kern/env.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>
#include <kern/runq.h>
#include <kern/spinlock.h>
#include <kern/wait.h>

// Approximate numbers of instructions: the limit for a part, and the cost of each operation.
#define PART 10000
enum { COST_TABLE = 1100, COST_PAGE = 30, COST_SENDER = 100, COST_CHILD = 1500 };

// Free the page table at *pde, and the pages that it maps. No CPU has the page directory loaded, so
// no TLB has entries for it.
static int
free_page_table(pde_t *pde, int left)
{
	physaddr_t table = PTE_ADDR(*pde);
	pte_t *ptes = KADDR(table);
	uint32_t ptx = 0;

	left -= COST_TABLE;
	while ((ptx = first_nonzero(ptes, ptx, NPTENTRIES)) < NPTENTRIES) {
		if (left <= 0)
			return left;
		page_decref(pa2page(PTE_ADDR(ptes[ptx])));
		ptes[ptx] = 0;
		left -= COST_PAGE;
	}
	*pde = 0;
	page_decref(pa2page(table));
	return left;
}

static int
free_memory(pde_t *pgdir, int left)
{
	uint32_t pdx = 0;

	while (left > 0 && (pdx = first_nonzero(pgdir, pdx, PDX(UTOP))) < PDX(UTOP))
		left = free_page_table(&pgdir[pdx], left);
	return left;
}

// Make the calls of all environments that wait to send to e (challenge/ipcsend.c) return an error.
static int
refuse_senders(struct Env *e, int left)
{
	for (; left > 0 && e->env_ipc_senders.head; left -= COST_SENDER)
		wait_end(e->env_ipc_senders.head, -E_BAD_ENV);
	return left;
}

// Make e's children orphans. If a later environment gets e's id, it then has no rights over them.
// Destroy each stopped child, because no environment could start it again.
static int
orphan_children(struct Env *e, int left)
{
	if (!e->env_has_children)
		return left;
	for (struct Env *child = envs; child < envs + NENV && left > 0; child++) {
		if (child->env_parent_id != e->env_id)
			continue;
		child->env_parent_id = 0;
		child->env_orphan = true;
		if (child->env_status == ENV_NOT_RUNNABLE && child->env_stopped)
			env_destroy_later(child);
		left -= COST_CHILD;
	}
	return left;
}

void
env_free_part(struct Env *e)
{
	assert(kernel_locked());
	assert(e->env_status == ENV_DYING && !e->env_oncpu);
	int left = free_memory(e->env_pgdir, PART);
	left = refuse_senders(e, left);
	left = orphan_children(e, left);
	if (left <= 0)
		return;
	page_decref(pa2page(PADDR(e->env_pgdir)));
	e->env_pgdir = NULL;
	e->env_parent_id = 0;
	runq_remove(ENVX(e->env_id));
	env_set_status(e, ENV_FREE);
	envs_dying--;
	e->env_link = env_free_list;
	env_free_list = e;
}
