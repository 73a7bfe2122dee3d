// Tests page-fault handlers of the library: all registers and flags survive a fault, also in the
// handler itself; a second set_pgfault_handler replaces the handler.

#include <user/conform/conform.h>

#define XSTACK (UXSTACKTOP - PGSIZE)
#define FLAGS  (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)

struct registers {
	uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax, eflags;
};
struct registers in, out;
uint32_t own_sp;
void load_fault_store(void);

// Load all registers and flags from `in`, write to address 0x30000000, store them to `out`.
__asm__(
    ".text\n"
    ".globl load_fault_store\n"
    "load_fault_store:\n"
    "	pushal\n"
    "	movl %esp, own_sp\n"
    "	pushl in + 32\n"
    "	popfl\n"
    "	movl in, %edi\n"
    "	movl in + 4, %esi\n"
    "	movl in + 8, %ebp\n"
    "	movl in + 12, %esp\n"
    "	movl in + 16, %ebx\n"
    "	movl in + 20, %edx\n"
    "	movl in + 24, %ecx\n"
    "	movl in + 28, %eax\n"
    "	movl %eax, 0x30000000\n"
    "	movl %edi, out\n"
    "	movl %esi, out + 4\n"
    "	movl %ebp, out + 8\n"
    "	movl %esp, out + 12\n"
    "	movl %ebx, out + 16\n"
    "	movl %edx, out + 20\n"
    "	movl %ecx, out + 24\n"
    "	movl %eax, out + 28\n"
    "	movl own_sp, %esp\n"
    "	pushfl\n"
    "	popl out + 32\n"
    "	popal\n"
    "	ret\n");

#define FAULT_VA ((volatile uint32_t *)0x30000000)

static volatile int depth, deepest, calls;
static int levels; // How deep the handler faults itself

// Map the page; before that, fault at other addresses, so that this handler runs again.
static void
handler(struct UTrapframe *utf)
{
	volatile uint32_t local[8] = { utf->utf_fault_va, utf->utf_esp, utf->utf_eip };
	void *va = ROUNDDOWN((void *)utf->utf_fault_va, PGSIZE);

	calls++;
	deepest = MAX(deepest, ++depth);
	if (depth <= levels) {
		volatile uint32_t *next = FAULT_VA + depth * PGSIZE;
		*next = depth;
		CHECK_EQ(*next, depth);
	}
	conform_must(sys_page_alloc(0, va, PERM_WRITE), "sys_page_alloc");
	CHECK_EQ(local[0], utf->utf_fault_va);
	CHECK_EQ(local[1], utf->utf_esp);
	CHECK_EQ(local[2], utf->utf_eip);
	depth--;
}

static void
unmap_all(void)
{
	for (int i = 0; i <= 4; i++)
		sys_page_unmap(0, (void *)(FAULT_VA + i * PGSIZE));
}

static void
check_registers(uint32_t esp, uint32_t flags)
{
	struct registers want = { 0x11D11D11, 0x51512222, 0x33EB9EB9, esp, 0x44EB8EB8, 0x55ED8ED8,
		0x66EC8EC8, 0x77EA8EA8, 2 | FL_IF | flags };

	in = want;
	unmap_all();
	calls = 0;
	load_fault_store();
	for (unsigned i = 0; i < sizeof(want) / 4; i++) {
		static const char *const names[] = { "edi", "esi", "ebp", "esp", "ebx", "edx",
			"ecx", "eax", "eflags" };
		char text[48];
		snprintf(text, sizeof(text), "%s after a fault in depth %d", names[i], levels);
		conform_count(((uint32_t *)&out)[i] == ((uint32_t *)&want)[i], __LINE__, text,
		    ((uint32_t *)&want)[i], ((uint32_t *)&out)[i]);
	}
	CHECK_EQ(*FAULT_VA, want.eax);
	CHECK_EQ(calls, levels + 1);
}

static void
other_handler(struct UTrapframe *utf)
{
	STATE->words[0]++;
	conform_must(sys_page_alloc(0, (void *)FAULT_VA, PERM_WRITE), "sys_page_alloc");
}

void
umain(int argc, char **argv)
{
	conform_begin("gradehandler");
	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	set_pgfault_handler(handler);
	CHECK_EQ(conform_perm((void *)XSTACK), PERM_WRITE);
	CHECK_EQ(conform_refs(conform_page((void *)XSTACK)), 1);
	for (levels = 0; levels <= 3; levels++) {
		check_registers((uint32_t)AREA + 2048, 0);
		check_registers((uint32_t)AREA + 2048, FLAGS);
		check_registers((uint32_t)AREA + 16, FL_CF | FL_SF);
		check_registers((uint32_t)AREA + PGSIZE, FL_ZF);
	}
	CHECK_EQ(deepest, 4);

	set_pgfault_handler(other_handler);
	unmap_all();
	*FAULT_VA = 1;
	CHECK_EQ(STATE->words[0], 1);
	CHECK_EQ(*FAULT_VA, 1);
	conform_end();
}
