// Exception handlers in a program. After an exception, the kernel starts an upcall, which is code
// in pfentry.S. The upcall calls _pgfault_dispatch or _exception_dispatch in this file, and this
// function calls the handler.

#include <inc/lib.h>

void _exception_upcall(void);
void _pgfault_dispatch(struct UTrapframe *utf);
void _exception_dispatch(struct UTrapframe *utf);

// The program's page-fault handler, and fork's page-fault handler (pgfault in lib/fork.c). fork's
// handler is called first, and returns whether the fault was a copy-on-write fault.
static void (*pgfault_handler)(struct UTrapframe *utf);
static bool (*cow_handler)(struct UTrapframe *utf);

static void (*exception_handlers[T_SIMDERR + 1])(struct UTrapframe *utf);

// Allocate the exception stack if there is none. Returns 0 or -E_NO_MEM.
static int
ensure_exception_stack(void)
{
	void *stack = (void *)(UXSTACKTOP - PGSIZE);

	if ((uvpd[PDX(stack)] & PTE_P) && (uvpt[PGNUM(stack)] & PTE_P))
		return 0;
	return sys_page_alloc(0, stack, PTE_P | PTE_U | PTE_W);
}

// inc/lib.h describes set_pgfault_handler. Exercise 11.
void
set_pgfault_handler(void (*handler)(struct UTrapframe *utf))
{
	int r = ensure_exception_stack();

	if (r < 0)
		panic("set_pgfault_handler: %e", r);
	pgfault_handler = handler;
	sys_env_set_pgfault_upcall(0, handler || cow_handler ? _pgfault_upcall : NULL);
}

// _pgfault_upcall calls this on the exception stack.
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

// Install fork's handler for copy-on-write faults. Returns 0 or -E_NO_MEM. The variable cow_handler
// is written only once. After the first fork, the page of this variable is copy-on-write, so a
// second write would need memory for a copy of the page.
int
_set_cow_handler(bool (*handler)(struct UTrapframe *utf))
{
	int r = ensure_exception_stack();

	if (r < 0)
		return r;
	if (cow_handler != handler)
		cow_handler = handler;
	return sys_env_set_pgfault_upcall(0, _pgfault_upcall);
}

// inc/lib.h describes set_exception_handler. Challenge: exceptions other than page faults.
int
set_exception_handler(uint32_t trapno, void (*handler)(struct UTrapframe *utf))
{
	int r;

	if (trapno == T_PGFLT) {
		set_pgfault_handler(handler);
		return 0;
	}
	if ((r = ensure_exception_stack()) < 0 ||
	    (r = sys_env_set_exception_upcall(0, trapno, handler ? _exception_upcall : NULL)) < 0)
		return r;
	exception_handlers[trapno] = handler;
	return 0;
}

// _exception_upcall calls this on the exception stack. Here, utf_fault_va is not an address but the
// vector of the exception.
void
_exception_dispatch(struct UTrapframe *utf)
{
	exception_handlers[utf->utf_fault_va](utf);
}
