// Copy-on-write fork, and sfork.
//
// A child of fork gets all pages of the parent. fork itself copies only a few pages. Any other
// writable page becomes read-only in both environments, and is marked PTE_COW (copy-on-write). When
// an environment later writes to such a page, a page fault occurs, and pgfault maps a copy at the
// same address.
//
// If memory runs out, fork fails and the parent is unchanged. To guarantee this, fork goes through
// the address space twice. First, the child gets all its pages. Only this step needs memory; if the
// step fails, fork destroys the child. Second, the parent's own writable pages become read-only.
//
// The permission bits of a page decide how fork treats the page:
//
//	PTE_W            private               fork makes it PTE_COW in both environments
//	PTE_COW          private, not yet      fork maps it in the child, too
//	                 copied
//	PTE_W | PTE_COW  shared by sfork       fork copies it for the child at once: the page must
//	                                       stay writable for all that share it
//	PTE_SHARE        always shared         fork maps it in the child, too
//	none of these    read-only             fork maps it in the child, too
//
// lib/challenge/forkbatch.c has a fork that enters the kernel less often.

#include <lib/fork.h>

int _set_cow_handler(bool (*handler)(struct UTrapframe *utf)); // lib/pgfault.c

extern const uint8_t private_start[], private_end[]; // The page of the variable thisenv: user.ld

// ---- The pages ----

// The page numbers of the first and the last stack page that fork copies at once. Each environment
// has its own copy of these variables, even after sfork.
PRIVATE static uint32_t stack_first, stack_last;

// Returns the page number of the first mapped page from pn up to the exception stack. If none of
// these pages is mapped, returns XSTACK_PAGE, the page number of the exception stack, which ends
// the loops in fork. (Below UTOP, every nonzero entry of a page table is present, so this function
// looks for nonzero entries.)
uint32_t
_next_page(uint32_t pn)
{
	while (pn < XSTACK_PAGE) {
		uint32_t pdx = first_nonzero(uvpd, pn / NPTENTRIES, PDX(UTOP));
		uint32_t end = (pdx + 1) * NPTENTRIES;

		if (pdx == PDX(UTOP))
			break;
		pn = first_nonzero(uvpt, MAX(pn, pdx * NPTENTRIES), end);
		if (pn < end)
			return pn;
	}
	return XSTACK_PAGE;
}

// Returns the permissions of a mapped page, as an argument for sys_page_map.
int
_page_perm(uint32_t pn)
{
	return uvpt[pn] & PTE_SYSCALL;
}

// Returns whether a page with these permissions is private: after a fork, other environments must
// not see what this environment writes to the page.
static bool
is_private(int perm)
{
	return (perm & (PTE_W | PTE_COW)) && !(perm & PTE_SHARE);
}

// Returns whether a page with these permissions is copy-on-write: private and not yet copied.
static bool
is_cow(int perm)
{
	return (perm & (PTE_W | PTE_COW | PTE_SHARE)) == PTE_COW;
}

static bool
is_sforked(int perm)
{
	return (perm & (PTE_W | PTE_COW | PTE_SHARE)) == (PTE_W | PTE_COW);
}

// Returns whether the page is never shared, not even by sfork. Two kinds of pages are never shared:
// the stack pages that this code uses, and the page of thisenv. Parent and child write to these
// pages immediately after a fork, when there may be no memory left for a copy. So fork and sfork
// copy these pages at once.
static bool
never_shared(uint32_t pn)
{
	const uint8_t *va = page_va(pn);

	return (pn >= stack_first && pn <= stack_last) || (va >= private_start && va < private_end);
}

// Returns whether fork copies the page for the child at once.
bool
_copied_at_once(uint32_t pn)
{
	int perm = _page_perm(pn);

	return is_private(perm) && (never_shared(pn) || is_sforked(perm));
}

// Returns the permissions that a page with permissions perm gets in both environments if fork does
// not copy the page at once.
int
_cow_perm(int perm)
{
	return is_private(perm) ? (perm & ~PTE_W) | PTE_COW : perm;
}

// Returns the first page address from UFORKTEMP on where nothing is mapped. UFORKTEMP itself can be
// in use for two reasons. The program may have mapped a page there. Or _copy_page is called a
// second time before the first call has ended: if the first call writes to its own stack while the
// stack is PTE_COW, pgfault calls _copy_page again. The second call must not use the same address.
static void *
scratch_va(void)
{
	uint32_t pn = PGNUM(UFORKTEMP);

	while (uvpt[pn] & PTE_P)
		pn++;
	return page_va(pn);
}

// Map a copy of this environment's page pn at the same address in envid, with permissions perm.
// Returns 0 or -E_NO_MEM.
int
_copy_page(envid_t envid, uint32_t pn, int perm)
{
	void *scratch = scratch_va();
	int r = sys_page_alloc(0, scratch, PTE_P | PTE_U | PTE_W);

	if (r < 0)
		return r;
	memcpy(scratch, page_va(pn), PGSIZE);
	r = sys_page_map(0, scratch, envid, page_va(pn), perm);
	sys_page_unmap(0, scratch);
	return r;
}

// ---- The copy-on-write fault ----

// Handle a page fault. If the fault was a write to a PTE_COW page, map a copy in the place of the
// page and return true. For any other fault return false; lib/pgfault.c then calls the program's
// handler. The address is compared with UTOP before uvpt is read, because a program cannot read all
// entries of uvpt for addresses at or above UTOP. Exercise 12.
static bool
pgfault(struct UTrapframe *utf)
{
	uint32_t pn = PGNUM(utf->utf_fault_va);

	if (!(utf->utf_err & FEC_WR) || utf->utf_fault_va >= UTOP ||
	    !(uvpd[pn / NPTENTRIES] & PTE_P) || (uvpt[pn] & (PTE_P | PTE_COW)) != (PTE_P | PTE_COW))
		return false;
	int r = _copy_page(0, pn, own_perm(_page_perm(pn)));
	if (r < 0)
		panic("copy on write at va %08x: %e", utf->utf_fault_va, r);
	return true;
}

// ---- Code that fork and sfork share ----

// Must be called before sys_exofork. Installs pgfault, and records which stack pages are copied at
// once: the pages from stack_low to stack_high. Returns 0 or -E_NO_MEM.
int
_begin_fork(uintptr_t stack_low, uintptr_t stack_high)
{
	stack_first = PGNUM(stack_low);
	stack_last = PGNUM(stack_high);
	return _set_cow_handler(pgfault);
}

// Give the child an exception stack. If an exception handler called fork, this code runs on the
// exception stack: then the child gets a copy of this stack, so that the handler can return in the
// child, too. Returns 0 or an error.
static int
give_exception_stack(envid_t child)
{
	int perm = PTE_P | PTE_U | PTE_W;

	if (PGNUM(read_esp()) == XSTACK_PAGE)
		return _copy_page(child, XSTACK_PAGE, perm);
	return sys_page_alloc(child, page_va(XSTACK_PAGE), perm);
}

// Give the child an exception stack, and the upcalls that this environment has. Returns 0 or an
// error.
int
_give_upcalls(envid_t child)
{
	int r;

	if ((r = give_exception_stack(child)) < 0 ||
	    (r = sys_env_set_pgfault_upcall(child, _pgfault_upcall)) < 0)
		return r;
	for (uint32_t trapno = 0; trapno <= T_SIMDERR && r == 0; trapno++) {
		void *upcall = thisenv->env_upcalls[trapno];
		if (upcall)
			r = sys_env_set_exception_upcall(child, trapno, upcall);
	}
	return r;
}

// If r is 0, let the child run and return its id. If r is an error, destroy the child and return r.
envid_t
_end_fork(envid_t child, int r)
{
	if (r == 0)
		r = sys_env_set_status(child, ENV_RUNNABLE);
	if (r == 0)
		return child;
	sys_env_destroy(child);
	return r;
}

// ---- fork ----

// Map page pn in a child of fork: a copy of the page, or the same page. Returns 0 or an error.
// Exercise 12.
static int
duppage(envid_t envid, uint32_t pn)
{
	int perm = _page_perm(pn);

	if (_copied_at_once(pn))
		return _copy_page(envid, pn, own_perm(perm));
	return sys_page_map(0, page_va(pn), envid, page_va(pn), _cow_perm(perm));
}

// If page pn is private and writable, and the child has the same page, make the page copy-on-write
// in this environment. Returns 0 or an error.
static int
protect_page(uint32_t pn)
{
	int perm = _page_perm(pn);

	if (_copied_at_once(pn) || perm == _cow_perm(perm))
		return 0;
	return sys_page_map(0, page_va(pn), 0, page_va(pn), _cow_perm(perm));
}

// inc/lib.h describes fork. fork must call sys_exofork itself: the child starts at the return from
// sys_exofork, on a copy of this stack that fork makes after the call. If another function called
// sys_exofork, its stack frame would be overwritten before the copy is made. Exercise 12.
envid_t
fork(void)
{
	int r = _begin_fork(read_esp() - STACK_MARGIN, (uintptr_t)__builtin_frame_address(0));

	if (r < 0)
		return r;
	envid_t child = sys_exofork();
	if (child < 0)
		return child;
	if (child == 0) {
		thisenv = &envs[ENVX(sys_getenvid())];
		return 0;
	}
	r = _give_upcalls(child);
	for (uint32_t pn = _next_page(0); pn < XSTACK_PAGE && r == 0; pn = _next_page(pn + 1))
		r = duppage(child, pn);
	for (uint32_t pn = _next_page(0); pn < XSTACK_PAGE && r == 0; pn = _next_page(pn + 1))
		r = protect_page(pn);
	return _end_fork(child, r);
}

// ---- sfork ----

// Returns the number of the lowest stack page. All pages from this page up to USTACKTOP are mapped.
static uint32_t
lowest_stack_page(void)
{
	uint32_t pn = PGNUM(USTACKTOP - PGSIZE);

	while ((uvpd[(pn - 1) / NPTENTRIES] & PTE_P) && (uvpt[pn - 1] & PTE_P))
		pn--;
	return pn;
}

// Map page pn in a child of sfork. Returns 0 or an error. There are three kinds of pages:
//
// - A page that is never shared: the child gets a copy of its own.
// - A copy-on-write page that is not yet copied: this function copies the page for the child.
//   Later, adopt_page maps the same copy in the parent.
// - Any other page: the child gets the same page. If the page is private, the mapping in the child
//   is marked as shared by sfork.
static int
share_page(envid_t child, uint32_t pn)
{
	int perm = _page_perm(pn);

	if (is_private(perm) && never_shared(pn))
		return _copy_page(child, pn, own_perm(perm));
	if (is_cow(perm))
		return _copy_page(child, pn, perm | PTE_W);
	if (is_private(perm))
		perm |= PTE_COW;
	return sys_page_map(0, page_va(pn), child, page_va(pn), perm);
}

// If sfork shares page pn, parent and child must both map the page with PTE_W | PTE_COW (shared by
// sfork). If the parent's mapping is not yet like this, map the child's page in the parent, with
// these two bits. Returns 0 or an error.
static int
adopt_page(envid_t child, uint32_t pn)
{
	int perm = _page_perm(pn);

	if (!is_private(perm) || never_shared(pn) || is_sforked(perm))
		return 0;
	return sys_page_map(child, page_va(pn), 0, page_va(pn), perm | PTE_W | PTE_COW);
}

// inc/lib.h describes sfork. The whole stack is copied at once. Challenge: shared-memory fork.
envid_t
sfork(void)
{
	int r = _begin_fork(lowest_stack_page() * PGSIZE, USTACKTOP - 1);

	if (r < 0)
		return r;
	envid_t child = sys_exofork();
	if (child < 0)
		return child;
	if (child == 0) {
		thisenv = &envs[ENVX(sys_getenvid())];
		return 0;
	}
	r = _give_upcalls(child);
	for (uint32_t pn = _next_page(0); pn < XSTACK_PAGE && r == 0; pn = _next_page(pn + 1))
		r = share_page(child, pn);
	for (uint32_t pn = _next_page(0); pn < XSTACK_PAGE && r == 0; pn = _next_page(pn + 1))
		r = adopt_page(child, pn);
	return _end_fork(child, r);
}
