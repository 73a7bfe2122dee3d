// Children loop in virtual-8086 mode with interrupts off, if the CPU lets them enter that mode. No
// interrupt of a timer or a device reaches them. Their parent, on another CPU, destroys a child,
// stops a child, and takes a page from a child. Each time, the kernel must interrupt the child by
// an NMI and destroy it, so that it stops counting. This needs two CPUs: on one CPU, the loop would
// never end.

#include "vm86.h"

// In a page that the parent and its children share
struct shared {
	uint16_t count;
};

static volatile struct shared *const shared = (void *)0x1000;

#define SPARE ((void *)0x20000000) // A page that the child does not use

static void
leave(struct UTrapframe *utf)
{
	exit();
}

static void
loop(void)
{
	struct vm86_result result;

	set_pgfault_handler(leave);
	vm86_set_code("\x2E\xFF\x06\x50\x0E\xEB\xF9", 7); // incw %cs:0xE50 (count); jmp back
	vm86_enter(0, FL_VM | FL_IOPL_3, &result);
}

static void
destroy(envid_t child)
{
	sys_env_destroy(child);
}

static void
stop(envid_t child)
{
	sys_env_set_status(child, ENV_NOT_RUNNABLE);
}

static void
take_page(envid_t child)
{
	sys_page_unmap(child, SPARE);
}

static void
try(const char *what, void (*end)(envid_t child))
{
	shared->count = 0;
	envid_t child = must_fork();
	if (child == 0) {
		loop();
		exit(); // loop returned: the CPU has refused the mode.
	}
	while (shared->count == 0 && is_alive(child))
		sys_yield();
	bool refused = !is_alive(child);
	end(child);
	uint16_t count = shared->count;
	wait_until_gone(child);
	if (shared->count != count)
		panic("%s: the child still counts", what);
	cprintf("vm86loop: %s: %s\n", what, refused ? "refused" : "ended");
}

void
umain(int argc, char **argv)
{
	static_assert(VM86_BASE + 0xE50 == 0x1000);

	vm86_prepare();
	share_memory((void *)shared, PGSIZE);
	must(sys_page_alloc(0, SPARE, PERM_WRITE), "sys_page_alloc");
	if (argc < 2) {
		cprintf("vm86loop: needs the argument 'two-cpus'\n");
		return;
	}
	try("destroyed", destroy);
	try("stopped", stop);
	try("a page taken", take_page);
	cprintf("vm86loop: ok\n");
}
