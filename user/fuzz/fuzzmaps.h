#ifndef JOS_USER_FUZZMAPS_H
#define JOS_USER_FUZZMAPS_H

// Checks what a call does to its caller's mappings: compares the page tables at UVPT before and
// after the call. A call may change only the mapping of one page, its target, and only as its
// arguments say.
//
// The parent of a child may change the child's mappings at the same time. It adds 1 to
// slot->parent_seq before and after each such call. If parent_seq was odd or has changed, the child
// does not check its mappings.

#include "fuzzcalls.h"

// The watched pages: AREA, the addresses in `places` below UTOP, and the first pages of the page
// tables of FRESH.
#define WATCHED_PLACES 13
#define WATCHED        (AREA_PAGES + WATCHED_PLACES + FRESH_TABLES)

#define NO_VA 0xFFFFFFFF

struct view {
	pte_t watched[WATCHED];
	pte_t source, target; // Entries for the call's addresses, 0 if it has none
	uint32_t parent_seq;
};

static inline uint32_t
watched_va(uint32_t i)
{
	if (i < AREA_PAGES)
		return AREA + i * PGSIZE;
	if (i < AREA_PAGES + WATCHED_PLACES)
		return places[i - AREA_PAGES];
	return FRESH + (i - AREA_PAGES - WATCHED_PLACES) * PTSIZE;
}

// Returns the address where a call maps or unmaps a page of its caller, or NO_VA.
static inline uint32_t
target_va(const struct call *c)
{
	switch (c->number) {
	case SYS_page_alloc:
	case SYS_page_unmap:
		return c->args[1];
	case SYS_page_map:
		return c->args[3];
	case SYS_ipc_recv:
		return c->args[0];
	case SYS_ipc_call:
		return c->args[4];
	default:
		return NO_VA;
	}
}

// Returns the address of the page that a call maps somewhere else, or NO_VA.
static inline uint32_t
source_va(const struct call *c)
{
	switch (c->number) {
	case SYS_page_map:
		return c->args[1];
	case SYS_ipc_try_send:
	case SYS_ipc_send:
	case SYS_ipc_call:
		return c->args[2];
	default:
		return NO_VA;
	}
}

// Returns the entry for an address, without the bits that the CPU sets; 0 from UTOP on.
static inline pte_t
entry_of(uint32_t va)
{
	return va < UTOP ? pte_of(PGNUM(va)) & ~(PTE_A | PTE_D) : 0;
}

static inline void
take_view(struct view *view, const struct call *c)
{
	for (uint32_t i = 0; i < WATCHED; i++)
		view->watched[i] = entry_of(watched_va(i));
	view->source = entry_of(source_va(c));
	view->target = entry_of(target_va(c));
}

// Whether a page whose entry is `source` may be mapped somewhere else with these permissions.
static inline bool
may_share(pte_t source, uint32_t perm)
{
	return (source & PTE_P) && !is_argument_bad(PERM, perm) &&
	       (!(perm & PTE_W) || (source & PTE_W));
}

// Whether a call that sends may have succeeded.
static inline bool
may_send(const struct call *c, const struct view *before)
{
	uint32_t va = source_va(c);

	return va >= UTOP || (PGOFF(va) == 0 && may_share(before->source, c->args[3]));
}

static inline bool
is_new_page(const struct view *before, pte_t entry, uint32_t va)
{
	const uint32_t *words = (const uint32_t *)va;

	if (PTE_ADDR(entry) == PTE_ADDR(before->target) || pages[PGNUM(entry)].pp_ref != 1)
		return false;
	for (uint32_t i = 0; i < PGSIZE / sizeof(uint32_t); i++) {
		if (words[i] != 0)
			return false;
	}
	return true;
}

// Whether the target's entry is right after a message was received.
static inline bool
is_received_good(const struct view *before, const struct view *now, uint32_t va)
{
	uint32_t perm = thisenv->env_ipc_perm;

	if (perm == 0)
		return now->target == before->target;
	return va < UTOP && PGOFF(now->target) == perm && !is_argument_bad(PERM, perm);
}

// Whether the target's entry is right after a call that returned r. Not for calls whose arguments
// are bad (expected_error).
static inline bool
is_target_good(const struct call *c, int32_t r, const struct view *before, const struct view *now)
{
	bool same = now->target == before->target;

	if (c->number == SYS_page_map && (r == -E_INVAL) == may_share(before->source, c->args[4]))
		return false;
	if (r < 0)
		return same;
	switch (c->number) {
	case SYS_page_alloc:
		return PGOFF(now->target) == c->args[2] &&
		       is_new_page(before, now->target, c->args[1]);
	case SYS_page_map:
		return now->target == (PTE_ADDR(before->source) | c->args[4]);
	case SYS_page_unmap:
		return now->target == 0;
	case SYS_ipc_try_send:
	case SYS_ipc_send:
		return may_send(c, before);
	case SYS_ipc_call:
		return may_send(c, before) && is_received_good(before, now, c->args[4]);
	case SYS_ipc_recv:
		return is_received_good(before, now, c->args[0]);
	default:
		return same;
	}
}

static inline bool
are_others_unchanged(const struct view *before, const struct view *now, uint32_t target)
{
	for (uint32_t i = 0; i < WATCHED; i++) {
		if (now->watched[i] != before->watched[i] &&
		    watched_va(i) != ROUNDDOWN(target, PGSIZE))
			return false;
	}
	return true;
}

// Whether the caller's mappings are right after its call returned r. The mappings were `before`,
// and no other environment has changed them.
static inline bool
are_mappings_good(const struct call *c, int32_t r, const struct view *before)
{
	struct view now;

	if (c->number == SYS_batch) // Any of its calls may have changed something.
		return true;
	take_view(&now, c);
	if (c->number >= NSYSCALLS || expected_error(c))
		return are_others_unchanged(before, &now, NO_VA);
	return are_others_unchanged(before, &now, r < 0 ? NO_VA : target_va(c)) &&
	       is_target_good(c, r, before, &now);
}

// The same for a call that a parent makes to change a child: the parent's mappings must not change,
// and the child must not get more permissions than the parent has.
static inline bool
are_parents_mappings_good(const struct call *c, int32_t r, const struct view *before)
{
	struct view now;

	take_view(&now, c);
	if (!are_others_unchanged(before, &now, NO_VA))
		return false;
	if (r == 0 && c->number == SYS_page_map && c->args[0] == 0)
		return may_share(before->source, c->args[4]);
	return r < 0 || c->number != SYS_ipc_try_send || may_send(c, before);
}

#endif // JOS_USER_FUZZMAPS_H
