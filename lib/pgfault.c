// Handlers of a program's own exceptions. The kernel knows of the upcalls in
// pfentry.S; which C function they call is kept here.

#include <inc/lib.h>

void _exception_upcall(void);
void _pgfault_dispatch(struct UTrapframe *utf);
void _exception_dispatch(struct UTrapframe *utf);

// The program's handler, and fork's, which is asked first, and says whether it was
// meant.
static void (*pgfault_handler)(struct UTrapframe *utf);
static bool (*cow_handler)(struct UTrapframe *utf);

static void (*exception_handlers[T_SIMDERR + 1])(struct UTrapframe *utf);

// The exception stack, if there is none yet.
static int
need_exception_stack(void)
{
	void *stack = (void *)(UXSTACKTOP - PGSIZE);

	if ((uvpd[PDX(stack)] & PTE_P) && (uvpt[PGNUM(stack)] & PTE_P))
		return 0;
	return sys_page_alloc(0, stack, PTE_P | PTE_U | PTE_W);
}

void
set_pgfault_handler(void (*handler)(struct UTrapframe *utf))
{
	int r = need_exception_stack();

	if (r < 0)
		panic("set_pgfault_handler: %e", r);
	pgfault_handler = handler;
	sys_env_set_pgfault_upcall(0, handler || cow_handler ? _pgfault_upcall : NULL);
}

// Called by _pgfault_upcall.
void
_pgfault_dispatch(struct UTrapframe *utf)
{
	if (cow_handler && cow_handler(utf))
		return;
	if (!pgfault_handler)
		panic("page fault at va %08x, ip %08x, err %x", utf->utf_fault_va, utf->utf_eip,
		    utf->utf_err);
	pgfault_handler(utf);
}

// Let fork deal with the faults that are its own doing. 0 or -E_NO_MEM. That it does already
// is not written again: since the last fork, a write here is itself such a fault.
int
_set_cow_handler(bool (*handler)(struct UTrapframe *utf))
{
	int r = need_exception_stack();

	if (r < 0)
		return r;
	if (cow_handler != handler)
		cow_handler = handler;
	return sys_env_set_pgfault_upcall(0, _pgfault_upcall);
}

int
set_exception_handler(uint32_t trapno, void (*handler)(struct UTrapframe *utf))
{
	int r;

	if (trapno == T_PGFLT) {
		set_pgfault_handler(handler);
		return 0;
	}
	if ((r = need_exception_stack()) < 0 ||
	    (r = sys_env_set_exception_upcall(0, trapno, handler ? _exception_upcall : NULL)) < 0)
		return r;
	exception_handlers[trapno] = handler;
	return 0;
}

// Called by _exception_upcall: what a page fault's address is, is the vector here.
void
_exception_dispatch(struct UTrapframe *utf)
{
	exception_handlers[utf->utf_fault_va](utf);
}
