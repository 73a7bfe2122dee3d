// Tests that a page-fault handler gets the right address and error code for faults at all kinds of
// addresses: below and above UTOP, with and without a page table. fork's own handler runs first,
// and must not fault itself.

#include <user/common/testing.h>

#define WRITE      ".byte 0x89, 0x0A" // movl %ecx, (%edx)
#define WRITE_SIZE 2

static const uint32_t addresses[] = { 0, PGSIZE, 0x30000000, UTOP - 2 * PTSIZE, USTACKTOP,
	UXSTACKTOP - PGSIZE - 4, UTOP, UTOP + PTSIZE - 4, UENVS, UPAGES, UVPT, UVPT + (UVPT >> 10),
	UVPT + (UTOP >> 10), UVPT + (KERNBASE >> 10), UVPT + PTSIZE - 4, ULIM, MMIOLIM,
	KSTACKTOP - 4, KERNBASE, 0xF0100000, 0xF1000000, 0xFFFFFFFC };

static volatile uint32_t faults, fault_va, fault_err;

static void
handler(struct UTrapframe *utf)
{
	faults++;
	fault_va = utf->utf_fault_va;
	fault_err = utf->utf_err;
	utf->utf_eip += WRITE_SIZE;
}

static void
check(const char *what, uint32_t va, uint32_t err)
{
	if (faults != 1 || fault_va != va || (fault_err & ~FEC_PR) != err)
		panic("%s %08x: %u faults, va %08x, err %x", what, va, faults, fault_va, fault_err);
	faults = 0;
}

static void
try_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		uint32_t va = addresses[i];
		__asm__ volatile(WRITE : : "d"(va), "c"(0) : "memory");
		check("writing to", va, FEC_U | FEC_WR);
	}
}

void
umain(int argc, char **argv)
{
	set_pgfault_handler(handler);
	try_all();
	envid_t child = must_fork();
	try_all();
	if (child == 0)
		return;
	wait_until_gone(child);
	child = must(sfork(), "sfork");
	if (child == 0)
		return;
	wait_until_gone(child);
	try_all();
	cprintf("faultanywhere: ok\n");
}
