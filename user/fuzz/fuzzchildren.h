#ifndef JOS_USER_FUZZCHILDREN_H
#define JOS_USER_FUZZCHILDREN_H

// The children of a parent, and how the parent makes them.
//
// Only the parent's page at CODE has an exofork. So a child whose code is damaged cannot make
// environments by chance. A child starts at the instruction after exofork, CODE + 2, in its own
// page at CODE, which the parent has filled with other code.

#include "fuzzcode.h"
#include "fuzzmaps.h"

// The kinds of children: see fuzz.c.
enum kind { CALLER, RANDOM_CODE, PARENT };

#define MAX_CHILDREN 5
#define MAX_DEPTH    1

static struct child {
	envid_t id; // 0: this entry is free
	enum kind kind;
	bool destroyed;      // The parent has destroyed it; it may not be gone yet.
	uint32_t calls_seen; // Its calls when the parent last saw progress
	uint32_t runs_seen;  // Its env_runs at that time
} children[MAX_CHILDREN];

static int depth;
static struct counts counts;

// Set before a child is made: the child has a copy.
static enum kind child_kind;
static uint32_t child_seed;

static volatile struct slot *
slot_of(const struct child *c)
{
	return (volatile struct slot *)(SLOTS + (c - children) * PGSIZE);
}

static void
report_wrong(uint32_t wrong, const volatile struct call *c, int32_t result)
{
	cprintf("fuzz: WRONG: call %d(%x, %x, %x, %x, %x) returned %d%s\n", c->number, c->args[0],
	    c->args[1], c->args[2], c->args[3], c->args[4], result,
	    wrong == WRONG_MAPPINGS ? ", but the mappings are wrong" : "");
}

// ---- Parts of a child ----

// Call the exofork at CODE with these values in edi, esi, ebp, ebx, edx, ecx and the flags: the
// child starts with them. Returns the child's id or an error; all registers but eax are kept.
envid_t exofork_with(const uint32_t registers[7]);

__asm__(
    ".text\n"
    "exofork_with:\n"
    "	movl 4(%esp), %eax\n"
    "	pushal\n"
    "	pushfl\n"
    "	pushl 24(%eax)\n"
    "	movl 0(%eax), %edi\n"
    "	movl 4(%eax), %esi\n"
    "	movl 8(%eax), %ebp\n"
    "	movl 12(%eax), %ebx\n"
    "	movl 16(%eax), %edx\n"
    "	movl 20(%eax), %ecx\n"
    "	popfl\n"
    "	movl $7, %eax\n"   // SYS_exofork
    "	call 0x11000000\n" // CODE
    "	popfl\n"
    "	movl %eax, 28(%esp)\n" // popal loads eax from here.
    "	popal\n"
    "	ret\n");

static_assert(SYS_exofork == 7 && CODE == 0x11000000);

// Give a child a page that `fill` writes. Returns 0 or -E_NO_MEM.
static int
give_page(envid_t child, uint32_t va, int perm, void (*fill)(uint8_t *page))
{
	int r = sys_page_alloc(0, SCRATCH, PERM_WRITE);

	if (r < 0)
		return r;
	fill(SCRATCH);
	r = sys_page_map(0, SCRATCH, child, (void *)va, perm);
	sys_page_unmap(0, SCRATCH);
	return r;
}

static uint32_t copied_from;

static void
write_copy(uint8_t *page)
{
	memcpy(page, (const void *)copied_from, PGSIZE);
}

// A child that runs the fuzzer's own code starts here, with an empty stack: fuzz.c.
static void begin_child(void);

static void
write_jump(uint8_t *page)
{
	struct writer w = { page + 2 };

	put_word(&w, OP_MOV_ESP, USTACKTOP - 16);
	put_word(&w, OP_MOV_EAX, (uint32_t)begin_child);
	put(&w, "\xFF\xE0", 2);
}

// Give a child a copy of this program, a stack, and a slot for its reports.
static int
give_program(const struct child *c)
{
	extern char end[]; // user/user.ld
	int r;

	for (uint32_t va = UTEXT; va < (uint32_t)end; va += PGSIZE) {
		copied_from = va;
		r = pte_of(PGNUM(va)) & PTE_W
			? give_page(c->id, va, PERM_WRITE, write_copy)
			: sys_page_map(0, (void *)va, c->id, (void *)va, PERM_READ);
		if (r < 0)
			return r;
	}
	memset((void *)slot_of(c), 0, sizeof(struct slot));
	if ((r = sys_page_map(0, (void *)slot_of(c), c->id, (void *)MY_SLOT, PERM_WRITE)) < 0 ||
	    (r = sys_page_alloc(c->id, (void *)(USTACKTOP - PGSIZE), PERM_WRITE)) < 0)
		return r;
	return give_page(c->id, CODE, PERM_READ, write_jump);
}

static void
write_random_words(uint8_t *page)
{
	for (uint32_t *word = (uint32_t *)page; word < (uint32_t *)(page + PGSIZE); word++)
		*word = any_register_value();
}

static int
set_upcalls(envid_t child, uint32_t upcall)
{
	int r = 0;

	for (uint32_t trapno = 0; trapno <= T_SIMDERR && r != -E_BAD_ENV; trapno++)
		r = sys_env_set_exception_upcall(child, trapno, (void *)upcall);
	return r;
}

// Give a child random code, and perhaps a stack, an exception stack and upcalls.
static int
give_snippets(const struct child *c)
{
	int r = give_page(c->id, CODE, PERM_READ, write_code);

	if (r == 0 && !one_in(4))
		r = give_page(c->id, USTACKTOP - PGSIZE, PERM_WRITE, write_random_words);
	if (r == 0 && !one_in(8))
		r = sys_page_alloc(
		    c->id, (void *)(UXSTACKTOP - PGSIZE), one_in(8) ? PERM_READ : PERM_WRITE);
	if (r == 0 && one_in(2))
		r = sys_page_map(0, (void *)AREA, c->id, (void *)area_page(), PERM_WRITE);
	if (r == 0 && one_in(2))
		r = give_page(c->id, VM86, PERM_WRITE, write_vm86_code);
	if (r == 0 && !one_in(4))
		set_upcalls(c->id, one_in(4) ? any_register_value() : HANDLER_VA);
	return r;
}

// ---- Making a child ----

static bool
has_parent_child(void)
{
	for (int i = 0; i < MAX_CHILDREN; i++) {
		if (children[i].id && children[i].kind == PARENT)
			return true;
	}
	return false;
}

static enum kind
any_kind(void)
{
	if (one_in(8) && depth < MAX_DEPTH && !has_parent_child())
		return PARENT;
	return one_in(2) ? CALLER : RANDOM_CODE;
}

// Make a child in a free entry, if there is enough memory.
static void
make_child(struct child *c)
{
	uint32_t registers[7] = { 0 };
	enum kind kind = any_kind();

	if (kind == RANDOM_CODE) {
		for (int i = 0; i < 6; i++)
			registers[i] = any_register_value();
		registers[6] = PICK(odd_flags) & ~FL_TF; // The parent would be stepped.
	}
	if (one_in(4))
		__asm__ volatile("fninit; fld1"); // The child gets a copy of this FPU state.
	envid_t id = exofork_with(registers);
	counts.calls++;
	if (id < 0) {
		if (id != -E_NO_MEM && id != -E_NO_FREE_ENV)
			report_wrong(WRONG_RESULT, &(struct call){ SYS_exofork, { 0 } }, id);
		return;
	}
	child_kind = kind;
	child_seed = random();
	*c = (struct child){ .id = id, .kind = kind };
	if ((kind == RANDOM_CODE ? give_snippets(c) : give_program(c)) < 0) {
		must(sys_env_destroy(id), "sys_env_destroy of a child that never ran");
		c->id = 0;
		return;
	}
	must(sys_env_set_status(id, ENV_RUNNABLE), "sys_env_set_status");
	counts.children++;
}

#endif // JOS_USER_FUZZCHILDREN_H
