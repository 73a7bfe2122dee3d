// Tests the interface of `int $0x30`: numbers of no system call are refused, arguments are taken
// from the right registers, and a call changes only eax.

#include "conform.h"

struct registers {
	uint32_t eax, edx, ecx, ebx, edi, esi, ebp, esp, eflags;
};

// The registers before and after the system call that raw_call makes
struct registers raw_in, raw_out;
void raw_call(void);

// Between the loads and the stores, all registers, even esp, have test values: this code then uses
// only absolute addresses.
__asm__(
    ".text\n"
    ".globl raw_call\n"
    ".type raw_call, @function\n"
    "raw_call:\n"
    "	pushal\n"
    "	pushfl\n"
    "	movl %esp, raw_saved_esp\n"
    "	pushl raw_in + 32\n"
    "	popfl\n"
    "	movl raw_in, %eax\n"
    "	movl raw_in + 4, %edx\n"
    "	movl raw_in + 8, %ecx\n"
    "	movl raw_in + 12, %ebx\n"
    "	movl raw_in + 16, %edi\n"
    "	movl raw_in + 20, %esi\n"
    "	movl raw_in + 24, %ebp\n"
    "	movl raw_in + 28, %esp\n"
    "	int $0x30\n"
    "	movl %eax, raw_out\n"
    "	movl %edx, raw_out + 4\n"
    "	movl %ecx, raw_out + 8\n"
    "	movl %ebx, raw_out + 12\n"
    "	movl %edi, raw_out + 16\n"
    "	movl %esi, raw_out + 20\n"
    "	movl %ebp, raw_out + 24\n"
    "	movl %esp, raw_out + 28\n"
    "	movl raw_saved_esp, %esp\n"
    "	pushfl\n"
    "	popl raw_out + 32\n"
    "	popfl\n"
    "	popal\n"
    "	ret\n"
    ".size raw_call, . - raw_call\n"
    ".local raw_saved_esp\n"
    ".comm raw_saved_esp, 4, 4\n");

// Flags that a program may set. The kernel must not run with some of them: DF and AC would change
// how the kernel accesses memory, NT would change its iret.
#define FLAGS (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_DF | FL_OF | FL_NT | FL_AC)

static int
call(uint32_t number, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t a4, uint32_t a5)
{
	raw_in = (struct registers){ number, a1, a2, a3, a4, a5, 0x0EBBEEB9, 0xBAD57ACC,
		read_eflags() & ~FLAGS };
	raw_call();
	return raw_out.eax;
}

// Check that all registers except eax are unchanged.
static void
check_kept(int line)
{
	uint32_t number = raw_in.eax;

	conform_count_with(number, line, "edx unchanged", raw_in.edx, raw_out.edx);
	conform_count_with(number, line, "ecx unchanged", raw_in.ecx, raw_out.ecx);
	conform_count_with(number, line, "ebx unchanged", raw_in.ebx, raw_out.ebx);
	conform_count_with(number, line, "edi unchanged", raw_in.edi, raw_out.edi);
	conform_count_with(number, line, "esi unchanged", raw_in.esi, raw_out.esi);
	conform_count_with(number, line, "ebp unchanged", raw_in.ebp, raw_out.ebp);
	conform_count_with(number, line, "esp unchanged", raw_in.esp, raw_out.esp);
	conform_count_with(number, line, "eflags unchanged", raw_in.eflags, raw_out.eflags);
}

static void
refuse_numbers(void)
{
	static const uint32_t numbers[] = {
		NSYSCALLS,
		NSYSCALLS + 1,
		NSYSCALLS + 2,
		0x20,
		0x7F,
		0x80,
		0xFF,
		0x100,
		0x100 + SYS_getenvid,
		0x10000,
		0x10000 + SYS_getenvid,
		0x3FFFFFFF,
		0x40000000,
		0x40000000 + SYS_getenvid,
		0x7FFFFFFF,
		0x80000000,
		0x80000000 + SYS_getenvid,
		0xC0000000 + SYS_getenvid,
		0xFFFFFFFE,
		0xFFFFFFFF,
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint32_t number = numbers[i];

		CHECK_REFUSED_WITH(number, call(number, 1, 2, 3, 4, 5), E_INVAL);
		check_kept(__LINE__);
	}
}

static void
keep_registers(void)
{
	static const uint32_t calls[] = { SYS_getenvid, SYS_yield, NSYSCALLS };
	uint32_t i, flag;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		call(calls[i], 0x11111111, 0x22222222, 0x33333333, 0x44444444, 0x55555555);
		check_kept(__LINE__);
		call(calls[i], 0xFFFFFFFF, 0, 0x80000000, 0x7FFFFFFF, KERNBASE);
		check_kept(__LINE__);
		for (flag = 1; flag <= FLAGS; flag <<= 1) {
			if (!(flag & FLAGS))
				continue;
			raw_in.eflags = (read_eflags() & ~FLAGS) | flag;
			raw_call();
			check_kept(__LINE__);
		}
		raw_in.eflags = read_eflags() | FLAGS;
		raw_in.esp = 0;
		raw_call();
		check_kept(__LINE__);
		raw_in.esp = KERNBASE + 3;
		raw_call();
		check_kept(__LINE__);
	}
	CHECK_EQ(call(SYS_getenvid, 0, 0, 0, 0, 0), thisenv->env_id);
}

// Calls with one to five arguments: each argument changes the result.
static void
take_arguments(void)
{
	physaddr_t pa;

	CHECK_EQ(call(SYS_env_destroy, thisenv->env_id + 0x1000, 0, 0, 0, 0), -E_BAD_ENV);
	check_kept(__LINE__);
	CHECK_EQ(call(SYS_page_alloc, 0, (uint32_t)AREA, PERM_WRITE, 0, 0), 0);
	check_kept(__LINE__);
	CHECK_EQ(conform_perm(AREA), PERM_WRITE);
	pa = conform_page(AREA);
	CHECK_EQ(call(SYS_page_map, 0, (uint32_t)AREA, thisenv->env_id, (uint32_t)AREA + PGSIZE,
		     PERM_READ),
	    0);
	check_kept(__LINE__);
	CHECK_EQ(conform_page(AREA + PGSIZE), pa);
	CHECK_EQ(conform_perm(AREA + PGSIZE), PERM_READ);
	CHECK_EQ(call(SYS_page_unmap, 0, (uint32_t)AREA, 0, 0, 0), 0);
	check_kept(__LINE__);
	CHECK_EQ(conform_pte(AREA), 0);
	CHECK_EQ(conform_refs(pa), 1);
}

// The caller's direction flag must not change the direction of the kernel's string instructions.
static void
call_with_direction_flag(void)
{
	volatile uint32_t *words = (volatile uint32_t *)AREA;
	int i, wrong = 0;

	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	for (i = 0; i < PGSIZE / 4; i++)
		words[i] = ~0;
	CHECK_EQ(sys_page_unmap(0, AREA), 0);
	call(SYS_getenvid, 0, (uint32_t)AREA, PERM_WRITE, 0, 0);
	raw_in.eax = SYS_page_alloc;
	raw_in.eflags |= FL_DF;
	raw_call();
	CHECK_EQ(raw_out.eax, 0);
	check_kept(__LINE__);
	for (i = 0; i < PGSIZE / 4; i++)
		wrong += words[i] != 0;
	CHECK_EQ(wrong, 0);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_syscall");
	refuse_numbers();
	keep_registers();
	take_arguments();
	call_with_direction_flag();
	conform_end();
}
