#ifndef JOS_USER_REFUSALS_H
#define JOS_USER_REFUSALS_H

// Bad addresses, bad permissions and bad environment ids, which system calls must refuse.

#include "conform.h"

// Addresses that are not below UTOP, or not on a page boundary
static const uint32_t conform_bad_vas[] = {
	// Not on a page boundary, in mapped and in unmapped pages
	1,
	0xFFF,
	UTEXT + 1,
	0x10001001,
	0x10001800,
	0x10001FFF,
	0x80000001,
	UTOP - PGSIZE + 1,
	UTOP - 1,
	// On a page boundary, but not below UTOP
	UTOP,
	UTOP + PGSIZE,
	UPAGES,
	UVPT,
	UVPT + (UVPT >> PGSHIFT) * 4,
	ULIM - PGSIZE,
	ULIM,
	ULIM + PGSIZE,
	MMIOLIM,
	KERNBASE - PGSIZE,
	KERNBASE,
	KERNBASE + 0x100000,
	0xFFFFF000,
	// Not below UTOP, and not on a page boundary
	UTOP + 1,
	0xFFFFF001,
	0xFFFFFFFF,
};
#define CONFORM_BAD_VAS ARRAY_SIZE(conform_bad_vas)

// Store bad permissions number i in *perm: P or U is missing, or a bit outside of PTE_SYSCALL is
// set. Returns false if i is too large.
static inline bool
conform_bad_perm(unsigned i, int *perm)
{
	static const int without[] = {
		0,
		PTE_P,
		PTE_U,
		PTE_W,
		PTE_P | PTE_W,
		PTE_U | PTE_W,
		PTE_AVAIL,
		PTE_AVAIL | PTE_P,
		PTE_AVAIL | PTE_U,
		PTE_SYSCALL & ~PTE_P,
		PTE_SYSCALL & ~PTE_U,
		~PTE_SYSCALL,
		-1,
	};

	if (i < ARRAY_SIZE(without)) {
		*perm = without[i];
		return true;
	}
	for (i -= ARRAY_SIZE(without), *perm = 1; *perm != 0; *perm = (unsigned)*perm << 1) {
		if (!(*perm & PTE_SYSCALL) && i-- == 0) {
			*perm |= PERM_READ;
			return true;
		}
	}
	return false;
}

// The system call that conform_refuse_envids tests: a function that makes it with a given envid.
static int (*conform_attempt)(envid_t envid);

// A child that has a child too: it has no rights over its parent and its sibling, and the parent
// has no rights over the grandchild.
static inline void
conform_run_middle(void)
{
	envid_t parent = thisenv->env_parent_id, sibling = STATE->envid;
	envid_t child = sys_exofork();

	conform_must(child, "sys_exofork of a grandchild");
	CHECK_REFUSED(conform_attempt(parent), E_BAD_ENV);
	CHECK_REFUSED(conform_attempt(sibling), E_BAD_ENV);
	STATE->envid = child;
	STATE->stage = 1;
	conform_wait_stage(2);
	sys_env_destroy(child);
}

// Check that ids are refused in which one part is wrong: the generation, the slot or the sign.
static inline void
conform_refuse_ids_like(envid_t self, envid_t child)
{
	const envid_t ids[] = {
		self + 0x1000,
		self - 0x1000 + NENV * 0x1000,
		self ^ 0x400,
		self ^ 0x800,
		child + 0x1000,
		child - 0x1000,
		child ^ 0x400,
		child & (NENV - 1),
		self | INT32_MIN,
		child | INT32_MIN,
		INT32_MIN,
		0x7FFFFFFF,
		-1,
		-2,
		-1024,
		NENV - 1,
		0x1000 | (NENV - 1),
		0x7FFFF000 | (NENV - 1),
		NENV,
		2 * NENV,
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		CHECK_REFUSED_WITH(ids[i], conform_attempt(ids[i]), E_BAD_ENV);
}

// Check that a call refuses ids of no environment, and of environments that are neither the caller
// nor its child.
static inline void
conform_refuse_envids(int (*attempt)(envid_t envid))
{
	envid_t dead, middle, child;

	conform_attempt = attempt;
	dead = sys_exofork();
	conform_must(dead, "sys_exofork");
	sys_env_destroy(dead);
	CHECK_REFUSED(attempt(dead), E_BAD_ENV);

	child = sys_exofork(); // Often in the slot of the dead environment
	conform_must(child, "sys_exofork");
	CHECK_REFUSED(attempt(dead), E_BAD_ENV);
	conform_refuse_ids_like(sys_getenvid(), child);

	STATE->envid = child;
	STATE->stage = 0;
	middle = conform_spawn(conform_run_middle);
	conform_wait_stage(1);
	CHECK_REFUSED(attempt(STATE->envid), E_BAD_ENV);
	STATE->stage = 2;
	conform_wait(middle);
	CHECK_REFUSED(attempt(middle), E_BAD_ENV);
	sys_env_destroy(child);
}

#endif // JOS_USER_REFUSALS_H
