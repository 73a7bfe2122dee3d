#ifndef JOS_USER_FUZZMAPS_H
#define JOS_USER_FUZZMAPS_H

// What a call does to its caller's mappings: the page tables, at UVPT, before and after it. A call
// may change the mapping of one page, its target, and of no other; and what stands there
// afterwards is what was asked for.
//
// The parent of a child may change the child's mappings at the same time. It counts in
// slot->interference before and after each such call, so that the child does not judge then.

#include "fuzzcalls.h"

// The pages that are looked at: those of AREA, the user's part of `places`, FRESH's first ones.
#define WATCHED_PLACES 13
#define WATCHED        (AREA_PAGES + WATCHED_PLACES + FRESH_TABLES)

#define NO_VA 0xFFFFFFFF

struct view {
	pte_t watched[WATCHED];
	pte_t source, target; // Of the call's arguments; 0 if it has none
	uint32_t interference;
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

// Where a call maps or unmaps a page for its caller. NO_VA: nowhere.
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

// From where a call takes a page that it maps somewhere else.
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

// The entry for an address, without the bits that the CPU sets by itself; 0 above UTOP.
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

// Whether a page may be mapped somewhere else with these permissions by who has it mapped so.
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

// Whether what stands at the target is right, after a message was received.
static inline bool
is_received_good(const struct view *before, const struct view *now, uint32_t va)
{
	uint32_t perm = thisenv->env_ipc_perm;

	if (perm == 0)
		return now->target == before->target;
	return va < UTOP && PGOFF(now->target) == perm && !is_argument_bad(PERM, perm);
}

// Whether what stands at the target is right, after a call that returned r, 0 or an error that
// has nothing to do with single arguments.
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

// Whether the caller's mappings are what they must be after a call of its own that returned r, if
// they were `before`, and only the caller could change them.
static inline bool
are_mappings_good(const struct call *c, int32_t r, const struct view *before)
{
	struct view now;

	if (c->number == SYS_batch) // Any of its calls may have changed something.
		return true;
	take_view(&now, c);
	if (c->number >= NSYSCALLS || deserved_error(c))
		return are_others_unchanged(before, &now, NO_VA);
	return are_others_unchanged(before, &now, r < 0 ? NO_VA : target_va(c)) &&
	       is_target_good(c, r, before, &now);
}

// The same for a call that a parent makes for a child: nothing changes in the parent, and no child
// gets more than its parent has.
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
