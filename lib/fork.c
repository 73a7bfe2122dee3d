// fork and sfork, made of sys_exofork and sys_page_map.
//
// fork gives the child the parent's pages, and copies most of them later: a page that was
// writable becomes read-only in both, marked PTE_COW, and the side that writes first gets a
// copy from the page-fault handler. It goes over the address space twice. First the child
// gets everything; if memory runs out, it does so here, and then the child is destroyed, and
// the parent has not been touched. Only then the parent's own writable pages become PTE_COW,
// which takes no memory. All of this is collected in a batch, which keeps the order: after the
// first call that fails, none is made.
//
// sfork goes over it twice, too. A page that is to be copied later is copied at once, for the
// child, and then mapped by the parent. What the two share from then on is marked by PTE_COW and
// PTE_W together, in both: it must stay the same page for both. So a later fork, by either, does
// not make it read-only; its child gets a copy at once, which it shares with no environment.
//
//	PTE_W            this environment's own         fork: to be copied later
//	PTE_COW          to be copied when written      fork: still so, in both
//	PTE_W | PTE_COW  shared by sfork                fork: a copy for the child
//	PTE_SHARE        shared                         fork: shared
//	none of these    read-only                      fork: shared
//
// The stack that fork itself runs on, and the page of thisenv, are copied at once: both
// sides write to them in the next instant, and might find no memory for it. Nothing else
// may be written before the batch is made.

#include <inc/lib.h>

extern const uint8_t private_start[], private_end[]; // user/user.ld

int _set_cow_handler(bool (*handler)(struct UTrapframe *utf)); // lib/pgfault.c

#define PERM_WRITE   (PTE_P | PTE_U | PTE_W)
#define XSTACK_PAGE  PGNUM(UXSTACKTOP - PGSIZE)
#define STACK_MARGIN 1024 // What fork's own calls need at most, below its frame
#define PRIVATE      __attribute__((section(".bss.private")))

// The pages of the stack that are copied at once: first to last.
PRIVATE static uint32_t stack_first, stack_last;

PRIVATE static struct Batch batch; // The kernel writes to it, but not to a page that is COW

static void *
page_va(uint32_t pn)
{
	return (void *)(pn * PGSIZE);
}

// Whether both sides write to the page in the next instant: the stack, and the page
// of thisenv.
static bool
is_own(uint32_t pn)
{
	const uint8_t *va = page_va(pn);

	return (pn >= stack_first && pn <= stack_last) || (va >= private_start && va < private_end);
}

static int
page_perm(uint32_t pn)
{
	return uvpt[pn] & PTE_SYSCALL;
}

// Whether a child of fork must not see writes to the page.
static bool
must_copy(int perm)
{
	return (perm & (PTE_W | PTE_COW)) && !(perm & PTE_SHARE);
}

// Whether the page waits to be copied.
static bool
is_cow(int perm)
{
	return (perm & (PTE_W | PTE_COW | PTE_SHARE)) == PTE_COW;
}

// Whether sfork has shared the page.
static bool
is_sforked(int perm)
{
	return (perm & (PTE_W | PTE_COW | PTE_SHARE)) == (PTE_W | PTE_COW);
}

// Call visit for each page of this environment, but the exception stack's. Stops at
// an error, and returns it.
static int
for_each_page(envid_t child, int (*visit)(envid_t child, uint32_t pn))
{
	for (uint32_t pdx = 0; (pdx = first_nonzero(uvpd, pdx, PDX(UTOP))) < PDX(UTOP); pdx++) {
		uint32_t pn = pdx * NPTENTRIES, end = pn + NPTENTRIES;
		for (; (pn = first_nonzero(uvpt, pn, end)) < end; pn++) {
			if (!(uvpt[pn] & PTE_P) || pn == XSTACK_PAGE)
				continue;
			int r = visit(child, pn);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

// Where to map a page for a moment: the first place where nothing is. (The program itself may
// have something there; or it is copy_page, whose stack is COW, and has to be copied now.)
static void *
scratch_va(void)
{
	uint32_t pn = PGNUM(UFORKTEMP);

	while (uvpt[pn] & PTE_P)
		pn++;
	return page_va(pn);
}

// Put a copy of this environment's page into envid's place for it, with permissions perm.
static int
copy_page(envid_t envid, uint32_t pn, int perm)
{
	void *scratch = scratch_va();
	int r = sys_page_alloc(0, scratch, PERM_WRITE);

	if (r < 0)
		return r;
	memcpy(scratch, page_va(pn), PGSIZE);
	r = sys_page_map(0, scratch, envid, page_va(pn), perm);
	sys_page_unmap(0, scratch);
	return r;
}

// The permissions of a copy that belongs to one environment alone.
static int
own_perm(int perm)
{
	return (perm & ~PTE_COW) | PTE_W;
}

// A write to a copy-on-write page: give this environment a copy to write to. (From UTOP up, a
// user may not read the page tables.)
static bool
pgfault(struct UTrapframe *utf)
{
	uint32_t pn = PGNUM(utf->utf_fault_va);

	if (!(utf->utf_err & FEC_WR) || utf->utf_fault_va >= UTOP ||
	    !(uvpd[pn / NPTENTRIES] & PTE_P) || (uvpt[pn] & (PTE_P | PTE_COW)) != (PTE_P | PTE_COW))
		return false;
	int r = copy_page(0, pn, own_perm(page_perm(pn)));
	if (r < 0)
		panic("copy on write at va %08x: %e", utf->utf_fault_va, r);
	return true;
}

// fork, first time: what the child gets of a page.
static int
duppage(envid_t child, uint32_t pn)
{
	int perm = page_perm(pn);

	if (must_copy(perm) && (is_own(pn) || is_sforked(perm)))
		return copy_page(child, pn, own_perm(perm));
	if (must_copy(perm))
		perm = (perm & ~PTE_W) | PTE_COW;
	return batch_page_map(&batch, 0, page_va(pn), child, page_va(pn), perm);
}

// fork, second time: what the parent keeps.
static int
protect_page(envid_t child, uint32_t pn)
{
	int perm = page_perm(pn);

	USED(child);
	if (!(perm & PTE_W) || !must_copy(perm) || is_own(pn) || is_sforked(perm))
		return 0;
	return batch_page_map(&batch, 0, page_va(pn), 0, page_va(pn), (perm & ~PTE_W) | PTE_COW);
}

// sfork, first time: the same page for both, unless it is the stack, or what each has
// for itself. A page that waits to be copied is copied now.
static int
share_page(envid_t child, uint32_t pn)
{
	int perm = page_perm(pn);

	if (must_copy(perm) && is_own(pn))
		return copy_page(child, pn, own_perm(perm));
	if (is_cow(perm))
		return copy_page(child, pn, perm | PTE_W);
	if (must_copy(perm))
		perm |= PTE_COW;
	return batch_page_map(&batch, 0, page_va(pn), child, page_va(pn), perm);
}

// sfork, second time: the parent, too, maps what the child has, the copy if there is one.
static int
adopt_page(envid_t child, uint32_t pn)
{
	int perm = page_perm(pn);

	if (!must_copy(perm) || is_own(pn) || is_sforked(perm))
		return 0;
	return batch_page_map(&batch, child, page_va(pn), 0, page_va(pn), perm | PTE_W | PTE_COW);
}

// An exception stack for the child: a copy, if a handler forks, which is on it.
static int
give_exception_stack(envid_t child)
{
	if (PGNUM(read_esp()) == XSTACK_PAGE)
		return copy_page(child, XSTACK_PAGE, PERM_WRITE);
	return batch_page_alloc(&batch, child, page_va(XSTACK_PAGE), PERM_WRITE);
}

// Let the child handle the exceptions that this environment does.
static int
copy_upcalls(envid_t child)
{
	int r = give_exception_stack(child);

	for (uint32_t trapno = 0; trapno <= T_SIMDERR && r == 0; trapno++) {
		void *upcall =
		    trapno == T_PGFLT ? thisenv->env_pgfault_upcall : thisenv->env_upcalls[trapno];
		if (upcall)
			r = batch_env_set_exception_upcall(&batch, child, trapno, upcall);
	}
	return r;
}

// What is done with each page: first for the child, then to this environment.
struct plan {
	int (*give)(envid_t child, uint32_t pn);
	int (*keep)(envid_t child, uint32_t pn);
};

// Give the child all that it needs, and let it run.
static int
set_up(envid_t child, const struct plan *plan)
{
	int r;

	batch.count = 0;
	if ((r = copy_upcalls(child)) < 0 || (r = for_each_page(child, plan->give)) < 0 ||
	    (r = for_each_page(child, plan->keep)) < 0 ||
	    (r = batch_env_set_status(&batch, child, ENV_RUNNABLE)) < 0)
		return r;
	return batch_flush(&batch);
}

static envid_t
make_child(const struct plan *plan)
{
	int r = _set_cow_handler(pgfault);

	if (r < 0)
		return r;
	envid_t child = sys_exofork();
	if (child < 0)
		return child;
	if (child == 0) {
		thisenv = &envs[ENVX(sys_getenvid())];
		return 0;
	}
	if ((r = set_up(child, plan)) < 0) {
		sys_env_destroy(child);
		return r;
	}
	return child;
}

envid_t
fork(void)
{
	stack_first = PGNUM(read_esp() - STACK_MARGIN);
	stack_last = PGNUM(read_esp());
	return make_child(&(struct plan){ duppage, protect_page });
}

envid_t
sfork(void)
{
	// All of the stack: as far down as something is mapped, without a gap.
	stack_last = stack_first = PGNUM(USTACKTOP - 1);
	while ((uvpd[(stack_first - 1) / NPTENTRIES] & PTE_P) && (uvpt[stack_first - 1] & PTE_P))
		stack_first--;
	return make_child(&(struct plan){ share_page, adopt_page });
}
