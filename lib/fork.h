#ifndef JOS_LIB_FORK_H
#define JOS_LIB_FORK_H

// The functions of lib/fork.c that lib/challenge/forkbatch.c also calls. Programs must not call
// these functions. lib/fork.c describes each function.

#include <inc/lib.h>

#define XSTACK_PAGE  PGNUM(UXSTACKTOP - PGSIZE) // The last page below UTOP
#define STACK_MARGIN 1024 // Maximum bytes of stack that functions called by fork use
#define PRIVATE      __attribute__((section(".bss.private")))

int _begin_fork(uintptr_t stack_low, uintptr_t stack_high);
envid_t _end_fork(envid_t child, int r);
int _give_upcalls(envid_t child);

uint32_t _next_page(uint32_t pn);
int _page_perm(uint32_t pn);
bool _copied_at_once(uint32_t pn);
int _cow_perm(int perm);
int _copy_page(envid_t envid, uint32_t pn, int perm);

static inline void *
page_va(uint32_t pn)
{
	return (void *)(pn * PGSIZE);
}

// Returns the permissions for a copy that an environment does not share: writable, and not PTE_COW.
static inline int
own_perm(int perm)
{
	return (perm & ~PTE_COW) | PTE_W;
}

#endif // JOS_LIB_FORK_H
