// What fork and sfork do with each kind of page: what was writable is a copy for each
// side, whoever writes first, and in whichever generation; what was not stays the same, and
// not writable; PTE_SHARE is the same for all. The stack is a copy for each side in any
// case, even one of two pages, of which the upper one waits to be copied already; and so
// is the exception stack, when a handler forks. A batch of calls is memory like any other.
//
// With an argument, it tries fork_batched in place of fork.

#include <user/common/testing.h>

// The pages.
#define PRIVATE     ((volatile uint32_t *)0x20000000)
#define AVAILABLE   ((volatile uint32_t *)0x20001000) // With a bit that has no meaning
#define READ_ONLY   ((volatile uint32_t *)0x20002000)
#define SHARED      ((volatile uint32_t *)0x20003000)
#define SHARED_READ ((volatile uint32_t *)0x20004000)

#define PROBE ((volatile uint32_t *)0x20005000) // Not there

// Where fork itself would map pages for a moment.
#define AT_SCRATCH ((volatile uint32_t *)UFORKTEMP)

#define PTE_NO_MEANING 0x200

#define READ_ONLY_VALUE 0x600D
#define HALF_WORDS      (PGSIZE / 2 / sizeof(uint32_t))

static envid_t (*chosen_fork)(void) = fork;

static envid_t
fork_as_chosen(void)
{
	return must(chosen_fork(), "fork");
}

// A variable of the program, which is on a page of its kind.
static volatile uint32_t variable;

// How far things are, for all.
static volatile uint32_t *const stage = (volatile uint32_t *)0x10000000;

static void
reach_stage(uint32_t number)
{
	*stage = number;
}

static void
wait_for_stage(uint32_t number)
{
	while (*stage < number)
		sys_yield();
}

// ---- Looking ----

// That memory holds a value.
static void
check(const char *what, uint32_t is, uint32_t should_be)
{
	if (is != should_be)
		panic("%s is %x, not %x", what, is, should_be);
}

static void
check_perm(const volatile uint32_t *va, int perm)
{
	check("permissions", pte_of(PGNUM(va)) & PTE_SYSCALL, perm);
}

// What a side has that must be its own; its stack has it too, at both ends.
static void
set_own(uint32_t value, volatile uint32_t *stack)
{
	*PRIVATE = *AVAILABLE = *AT_SCRATCH = variable = value;
	stack[0] = stack[HALF_WORDS * 2] = value;
}

static void
check_own(uint32_t value, const volatile uint32_t *stack)
{
	check("the private page", *PRIVATE, value);
	check("the page with the other bit", *AVAILABLE, value);
	check("the page at fork's scratch", *AT_SCRATCH, value);
	check("the variable", variable, value);
	check("the lower page of the stack", stack[0], value);
	check("the upper page of the stack", stack[HALF_WORDS * 2], value);
}

static void
check_same_for_all(uint32_t shared_value)
{
	check("the read-only page", *READ_ONLY, READ_ONLY_VALUE);
	check("the shared read-only page", *SHARED_READ, READ_ONLY_VALUE);
	check("the shared page", *SHARED, shared_value);
	check_perm(READ_ONLY, PERM_READ);
	check_perm(SHARED, PERM_WRITE | PTE_SHARE);
	check_perm(SHARED_READ, PERM_READ | PTE_SHARE);
}

// ---- fork ----

// The child writes first, and the parent must not see it, then the other way round.
static void
child_writes_first(volatile uint32_t *stack)
{
	reach_stage(0);
	set_own(1, stack);
	*SHARED = 1;
	envid_t child = fork_as_chosen();
	if (child == 0) {
		check_own(1, stack);
		check_same_for_all(1);
		check_perm(PRIVATE, PERM_READ | PTE_COW);
		check_perm(AVAILABLE, PERM_READ | PTE_COW | PTE_NO_MEANING);
		set_own(2, stack);
		check_perm(PRIVATE, PERM_WRITE);
		check_perm(AVAILABLE, PERM_WRITE | PTE_NO_MEANING);
		*SHARED = 2;
		reach_stage(1);
		wait_for_stage(2);
		check_own(2, stack);
		check_same_for_all(3);
		exit();
	}
	wait_for_stage(1);
	check_own(1, stack);
	check_same_for_all(2);
	set_own(3, stack);
	*SHARED = 3;
	reach_stage(2);
	wait_until_gone(child);
	check_own(3, stack);
}

static void
parent_writes_first(volatile uint32_t *stack)
{
	reach_stage(0);
	set_own(4, stack);
	envid_t child = fork_as_chosen();
	if (child == 0) {
		wait_for_stage(1);
		check_own(4, stack);
		reach_stage(2);
		exit();
	}
	set_own(5, stack);
	reach_stage(1);
	wait_for_stage(2);
	wait_until_gone(child);
	check_own(5, stack);
}

// A child forks, with all that is to be copied still to be copied; so does its child.
static void
generations(volatile uint32_t *stack)
{
	envid_t envid;
	uint32_t generation = 0;

	set_own(10, stack);
	reach_stage(0);
	do {
		generation++;
		envid = fork_as_chosen();
	} while (envid == 0 && generation < 4);

	if (envid == 0) {
		check_own(10, stack);
		set_own(11, stack);
		check_own(11, stack);
		return;
	}
	wait_until_gone(envid);
	check_own(10, stack);
	set_own(10 + generation, stack);
	check_own(10 + generation, stack);
	reach_stage(*stage + 1);
}

// ---- sfork ----

// After a fork, so that all pages wait to be copied.
static void
check_all_shared(volatile uint32_t *stack)
{
	reach_stage(0);
	set_own(20, stack);
	envid_t child = fork_as_chosen();
	if (child == 0)
		exit();
	wait_until_gone(child);
	check_perm(PRIVATE, PERM_READ | PTE_COW);

	child = must(sfork(), "sfork");
	if (child == 0) {
		check_own(20, stack);
		check_same_for_all(3);
		set_own(21, stack);
		check("thisenv's id", thisenv->env_id, sys_getenvid());
		reach_stage(1);
		wait_for_stage(2);
		check("the private page", *PRIVATE, 22);
		check("the lower page of the stack", stack[0], 21);
		check("the upper page of the stack", stack[HALF_WORDS * 2], 21);
		exit();
	}
	wait_for_stage(1);
	check("the private page", *PRIVATE, 21);
	check("the page with the other bit", *AVAILABLE, 21);
	check("the variable", variable, 21);
	check("the lower page of the stack", stack[0], 20);
	check("the upper page of the stack", stack[HALF_WORDS * 2], 20);
	check("thisenv's id", thisenv->env_id, sys_getenvid());
	set_own(22, stack);
	reach_stage(2);
	wait_until_gone(child);
	check_own(22, stack);
}

// ---- In a handler ----

static envid_t (*make_child)(void);
static volatile envid_t made;

static void
handler(struct UTrapframe *utf)
{
	envid_t child = must(make_child(), "fork in a handler");

	if (child > 0)
		made = child;
	must(sys_page_alloc(0, (void *)utf->utf_fault_va, PERM_WRITE), "sys_page_alloc");
}

// Fault once, and go on as two, each with a stack of its own.
static void
fork_in_handler(envid_t (*how)(void), volatile uint32_t *stack)
{
	envid_t me = sys_getenvid();

	reach_stage(0);
	set_own(30, stack);
	make_child = how;
	set_pgfault_handler(handler);
	*PROBE = 1;
	check("the lower page of the stack", stack[0], 30);
	check("the upper page of the stack", stack[HALF_WORDS * 2], 30);
	if (sys_getenvid() != me) {
		stack[0] = stack[HALF_WORDS * 2] = 31;
		reach_stage(1);
		exit();
	}
	wait_for_stage(1);
	check("the lower page of the stack", stack[0], 30);
	check("the upper page of the stack", stack[HALF_WORDS * 2], 30);
	wait_until_gone(made);
	must(sys_page_unmap(0, (void *)PROBE), "sys_page_unmap");
}

// ---- A batch ----

// Where its first calls begin, there is another page.
static struct {
	char before[PGSIZE - offsetof(struct Batch, calls)];
	struct Batch batch;
} collected __attribute__((aligned(PGSIZE)));

// Fork with a call that is collected, and not made: then both sides make it.
static void
fork_with_a_batch(void)
{
	reach_stage(0);
	must(batch_page_alloc(&collected.batch, 0, (void *)PROBE, PERM_WRITE), "batch_page_alloc");
	envid_t child = fork_as_chosen();
	must(batch_flush(&collected.batch), "batch_flush");
	*PROBE = 1;
	if (child == 0) {
		reach_stage(1);
		exit();
	}
	wait_until_gone(child);
	check("the child's stage", *stage, 1);
	must(sys_page_unmap(0, (void *)PROBE), "sys_page_unmap");
}

// ---- All of it ----

static void
make_pages(void)
{
	share_memory((void *)stage, PGSIZE);
	share_memory((void *)SHARED, PGSIZE);
	share_memory((void *)SHARED_READ, PGSIZE);
	must(sys_page_alloc(0, (void *)PRIVATE, PERM_WRITE), "sys_page_alloc");
	must(sys_page_alloc(0, (void *)AVAILABLE, PERM_WRITE | PTE_NO_MEANING), "sys_page_alloc");
	must(sys_page_alloc(0, (void *)AT_SCRATCH, PERM_WRITE), "sys_page_alloc");
	must(sys_page_alloc(0, (void *)READ_ONLY, PERM_WRITE), "sys_page_alloc");
	*READ_ONLY = *SHARED_READ = READ_ONLY_VALUE;
	must(sys_page_map(0, (void *)READ_ONLY, 0, (void *)READ_ONLY, PERM_READ), "sys_page_map");
	must(sys_page_map(0, (void *)SHARED_READ, 0, (void *)SHARED_READ, PERM_READ | PTE_SHARE),
	    "sys_page_map");
	must(sys_page_alloc(0, (void *)(USTACKTOP - 2 * PGSIZE), PERM_WRITE), "sys_page_alloc");
}

// On a stack of two pages.
static void __attribute__((noinline)) try_all(void)
{
	volatile uint32_t stack[HALF_WORDS * 2 + 1]; // More than a page: its ends are on two.
	envid_t me = sys_getenvid();

	assert(PGNUM(&stack[0]) != PGNUM(&stack[HALF_WORDS * 2]));
	child_writes_first(stack);
	parent_writes_first(stack);
	generations(stack);
	if (sys_getenvid() != me)
		return;
	check("the number of generations", *stage, 4);
	check_all_shared(stack);
	parent_writes_first(stack); // Of pages that sfork has left.
	fork_in_handler(chosen_fork, stack);
	fork_in_handler(sfork, stack);
	fork_with_a_batch();
	cprintf("forkpages: %s: ok\n", chosen_fork == fork ? "fork" : "fork_batched");
}

void
umain(int argc, char **argv)
{
	if (argc > 1)
		chosen_fork = fork_batched;
	make_pages();
	try_all();
}
