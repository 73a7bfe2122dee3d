// Tests how the kernel reports a page fault to a program: the UTrapframe, its place on the
// exception stack, and the faults with which the kernel must destroy the program. The upcall is
// code of this program, so the library's upcall need not work.

#include <user/conform/refusals.h>

#define XSTACK   (UXSTACKTOP - PGSIZE)
#define FRAME    sizeof(struct UTrapframe)
#define UNMAPPED 0x30000000
#define READONLY (AREA + PGSIZE)

// The last fault: a copy of the frame, its address, and the number of faults.
struct UTrapframe seen;
uint32_t seen_at, faults;

// try_read and try_write access address try_va with stack pointer try_sp (0: their own).
uint32_t try_va, try_sp, try_saved;
void try_read(void);
void try_write(void);
void upcall(void);
extern char read_ip[], write_ip[];

__asm__(
    ".text\n"
    ".globl try_read, try_write, upcall, read_ip, write_ip\n"
    "try_read:\n"
    "	pushal\n"
    "	movl %esp, try_saved\n"
    "	movl try_va, %edx\n"
    "	cmpl $0, try_sp\n"
    "	je read_ip\n"
    "	movl try_sp, %esp\n"
    "read_ip:\n"
    "	movl (%edx), %ecx\n"
    "	jmp try_back\n"
    "try_write:\n"
    "	pushal\n"
    "	movl %esp, try_saved\n"
    "	movl try_va, %edx\n"
    "	cmpl $0, try_sp\n"
    "	je write_ip\n"
    "	movl try_sp, %esp\n"
    "write_ip:\n"
    "	movl %ecx, (%edx)\n"
    "try_back:\n"
    "	movl try_saved, %esp\n"
    "	popal\n"
    "	ret\n"
    "upcall:\n"
    "	movl %esp, seen_at\n"
    "	movl %esp, %esi\n"
    "	movl $seen, %edi\n"
    "	movl $13, %ecx\n" // Words of a struct UTrapframe
    "	rep movsl\n"
    "	incl faults\n"
    "	jmp try_back\n");
static_assert(sizeof(struct UTrapframe) == 13 * 4);

// Cause a fault, and check what the upcall saw. `at` is the expected address of the frame.
static void
check_fault(bool write, uint32_t va, uint32_t sp, uint32_t err, uint32_t at)
{
	uint32_t before = faults;

	try_va = va;
	try_sp = sp;
	(write ? try_write : try_read)();
	conform_count_with(va, __LINE__, "number of faults", before + 1, faults);
	conform_count_with(va, __LINE__, "utf_fault_va", va, seen.utf_fault_va);
	conform_count_with(va, __LINE__, "utf_err", err, seen.utf_err);
	conform_count_with(
	    va, __LINE__, "utf_eip", (uint32_t)(write ? write_ip : read_ip), seen.utf_eip);
	conform_count_with(va, __LINE__, "utf_esp", sp ? sp : try_saved, seen.utf_esp);
	conform_count_with(va, __LINE__, "utf_regs.reg_edx", va, seen.utf_regs.reg_edx);
	conform_count_with(va, __LINE__, "utf_eflags has FL_IF", FL_IF, seen.utf_eflags & FL_IF);
	conform_count_with(sp, __LINE__, "address of the UTrapframe for this utf_esp", at, seen_at);
}

static void
report_all_kinds(void)
{
	uint32_t top = UXSTACKTOP - FRAME;

	check_fault(false, UNMAPPED, 0, FEC_U, top);
	check_fault(true, UNMAPPED, 0, FEC_U | FEC_WR, top);
	check_fault(true, UNMAPPED + 2, 0, FEC_U | FEC_WR, top);
	check_fault(true, (uint32_t)READONLY, 0, FEC_U | FEC_WR | FEC_PR, top);
	check_fault(false, KERNBASE, 0, FEC_U | FEC_PR, top);
	check_fault(true, KERNBASE + EXTPHYSMEM, 0, FEC_U | FEC_WR | FEC_PR, top);
	check_fault(true, (uint32_t)&pages[0], 0, FEC_U | FEC_WR | FEC_PR, top);
	check_fault(false, 0, 0, FEC_U, top);
	check_fault(true, USTACKTOP, 0, FEC_U | FEC_WR, top);
}

// Only a fault on the exception stack leaves an empty word, and goes below the stack pointer. The
// ordinary stack may be anywhere, and may have any size.
static void
place_frames(void)
{
	uint32_t top = UXSTACKTOP - FRAME, err = FEC_U | FEC_WR;
	static const uint32_t ordinary[] = { USTACKTOP - 16, USTACKTOP - PGSIZE,
		USTACKTOP - PGSIZE - 64, USTACKTOP - 3 * PGSIZE + 8, 0x20000800, PGSIZE };
	static const uint32_t nested[] = { UXSTACKTOP - 4, UXSTACKTOP - FRAME, UXSTACKTOP - 200,
		UXSTACKTOP - 2048, XSTACK + FRAME + 4 };

	for (unsigned i = 0; i < ARRAY_SIZE(ordinary); i++)
		check_fault(true, UNMAPPED, ordinary[i], err, top);
	for (unsigned i = 0; i < ARRAY_SIZE(nested); i++) {
		uint32_t sp = nested[i], empty = sp - 4;
		*(volatile uint32_t *)empty = 0x600D600D;
		check_fault(true, UNMAPPED, sp, err, sp - 4 - FRAME);
		conform_count_with(sp, __LINE__, "the empty word above the frame is untouched",
		    0x600D600D, *(volatile uint32_t *)empty);
	}
}

// ---- Faults with which the kernel must destroy the program: each runs in a child ----

static void
set_up(int perm)
{
	if (perm)
		conform_must(sys_page_alloc(0, (void *)XSTACK, perm), "sys_page_alloc");
	conform_must(sys_env_set_pgfault_upcall(0, upcall), "sys_env_set_pgfault_upcall");
	try_va = UNMAPPED;
	try_sp = 0;
}

static void
fault_without_stack(void)
{
	set_up(0);
	try_write();
	STATE->words[0] = 1;
}

// The stack is a page that the parent can read, too: the kernel must not have written to it.
static void
fault_with_readonly_stack(void)
{
	set_up(0);
	conform_must(sys_page_map(0, AREA, 0, (void *)XSTACK, PERM_READ), "sys_page_map");
	try_write();
	STATE->words[0] = 1;
}

static uint32_t nested_sp;

static void
fault_without_room(void)
{
	set_up(PERM_WRITE);
	try_sp = nested_sp;
	try_write();
	STATE->words[0] = 1;
}

static void
fault_in_readonly_nested(void)
{
	set_up(PERM_READ);
	try_sp = UXSTACKTOP - 200;
	try_write();
	STATE->words[0] = 1;
}

static void
fault_after_reset(void)
{
	set_up(PERM_WRITE);
	conform_must(sys_env_set_pgfault_upcall(0, NULL), "sys_env_set_pgfault_upcall");
	try_write();
	STATE->words[0] = 1;
}

static void
destroy(void)
{
	static const uint32_t sps[] = { XSTACK + FRAME, XSTACK + 8, XSTACK + 4 };

	CHECK_KILLED(fault_without_stack);
	memset(AREA, 0x5A, PGSIZE);
	CHECK_KILLED(fault_with_readonly_stack);
	for (int i = 0; i < PGSIZE; i++) {
		if (AREA[i] != 0x5A) {
			CHECK_EQ(AREA[i], 0x5A); // In a read-only exception stack
			break;
		}
	}
	CHECK_KILLED(fault_in_readonly_nested);
	for (unsigned i = 0; i < ARRAY_SIZE(sps); i++) {
		nested_sp = sps[i];
		CHECK_KILLED(fault_without_room);
	}
	CHECK_KILLED(fault_after_reset);
}

// ---- sys_env_set_pgfault_upcall ----

static int
set_upcall(envid_t envid)
{
	return sys_env_set_pgfault_upcall(envid, upcall);
}

static void
fault_in_child(void)
{
	try_va = UNMAPPED;
	try_sp = 0;
	try_write();
	STATE->words[0] = faults;
}

// A parent sets the upcall of its child. The child of a program with an upcall has none at first.
static void
set_for_child(void)
{
	CHECK_KILLED(fault_in_child);
	STATE->words[0] = 0;
	faults = 0;
	envid_t child = conform_clone(fault_in_child);
	CHECK_EQ((uint32_t)env_of(child)->env_pgfault_upcall, 0);
	CHECK_EQ(sys_page_alloc(child, (void *)XSTACK, PERM_WRITE), 0);
	CHECK_EQ(sys_env_set_pgfault_upcall(child, upcall), 0);
	CHECK_EQ((uint32_t)env_of(child)->env_pgfault_upcall, (uint32_t)upcall);
	CHECK_EQ(sys_env_set_status(child, ENV_RUNNABLE), 0);
	conform_wait(child);
	CHECK_EQ(STATE->words[0], 1);
}

void
umain(int argc, char **argv)
{
	conform_begin("gradeupcall");
	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	CHECK_EQ(sys_page_alloc(0, READONLY, PERM_READ), 0);
	CHECK_EQ(sys_page_alloc(0, (void *)XSTACK, PERM_WRITE), 0);
	CHECK_EQ(sys_env_set_pgfault_upcall(0, upcall), 0);
	report_all_kinds();
	place_frames();
	CHECK_EQ(sys_env_set_pgfault_upcall(0, NULL), 0);
	CHECK_EQ((uint32_t)thisenv->env_pgfault_upcall, 0);
	destroy();
	CHECK_EQ(sys_env_set_pgfault_upcall(0, upcall), 0);
	set_for_child();
	conform_refuse_envids(set_upcall);
	conform_end();
}
