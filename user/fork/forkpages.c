// Tests what fork and sfork do with each kind of page. After fork:
//
//	- writable pages: parent and child have their own copies, whether the parent or the child
//	  writes first, and also after several generations
//	- read-only pages: parent and child share them, and cannot write to them
//	- pages with PTE_SHARE: parent and child share them
//	- stacks: copies, even a stack of two pages whose upper page is copy-on-write, and an
//	  exception stack when a handler forks
//	- a batch of collected calls: a copy, like other memory
//
// With an argument, this program tests fork_batched in place of fork.

#include <user/common/testing.h>

#define PRIVATE     ((volatile uint32_t *)0x20000000)
#define AVAILABLE   ((volatile uint32_t *)0x20001000) // Has an AVAIL bit that has no meaning
#define READ_ONLY   ((volatile uint32_t *)0x20002000)
#define SHARED      ((volatile uint32_t *)0x20003000)
#define SHARED_READ ((volatile uint32_t *)0x20004000)

#define PROBE ((volatile uint32_t *)0x20005000) // Unmapped at first

// The address at which fork itself maps pages temporarily
#define AT_SCRATCH ((volatile uint32_t *)UFORKTEMP)

#define PTE_NO_MEANING 0x200

#define READ_ONLY_VALUE 0x600D
#define HALF_WORDS      (PGSIZE / 2 / sizeof(uint32_t))

static envid_t (*chosen_fork)(void) = fork;

static envid_t
must_chosen_fork(void)
{
	return must(chosen_fork(), "fork");
}

// A variable of the program
static volatile uint32_t variable;

// Shared by all environments: how far the test has got
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

// ---- Checks ----

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

// Write a value to all memory that parent and child must not share: pages, a variable, and both
// ends of an array on the stack.
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
	check("the page with an AVAIL bit", *AVAILABLE, value);
	check("the page at UFORKTEMP", *AT_SCRATCH, value);
	check("the variable", variable, value);
	check("the lower page of the stack", stack[0], value);
	check("the upper page of the stack", stack[HALF_WORDS * 2], value);
}

static void
check_shared(uint32_t shared_value)
{
	check("the read-only page", *READ_ONLY, READ_ONLY_VALUE);
	check("the shared read-only page", *SHARED_READ, READ_ONLY_VALUE);
	check("the shared page", *SHARED, shared_value);
	check_perm(READ_ONLY, PERM_READ);
	check_perm(SHARED, PERM_WRITE | PTE_SHARE);
	check_perm(SHARED_READ, PERM_READ | PTE_SHARE);
}

// ---- fork ----

// The child writes first, and the parent must not see it. Then the parent writes.
static void
child_writes_first(volatile uint32_t *stack)
{
	reach_stage(0);
	set_own(1, stack);
	*SHARED = 1;
	envid_t child = must_chosen_fork();
	if (child == 0) {
		check_own(1, stack);
		check_shared(1);
		check_perm(PRIVATE, PERM_READ | PTE_COW);
		check_perm(AVAILABLE, PERM_READ | PTE_COW | PTE_NO_MEANING);
		set_own(2, stack);
		check_perm(PRIVATE, PERM_WRITE);
		check_perm(AVAILABLE, PERM_WRITE | PTE_NO_MEANING);
		*SHARED = 2;
		reach_stage(1);
		wait_for_stage(2);
		check_own(2, stack);
		check_shared(3);
		exit();
	}
	wait_for_stage(1);
	check_own(1, stack);
	check_shared(2);
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
	envid_t child = must_chosen_fork();
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

// A child forks while all its pages are still copy-on-write, and so does its child.
static void
generations(volatile uint32_t *stack)
{
	envid_t envid;
	uint32_t generation = 0;

	set_own(10, stack);
	reach_stage(0);
	do {
		generation++;
		envid = must_chosen_fork();
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

// Call sfork after a fork, when all pages are copy-on-write.
static void
check_all_shared(volatile uint32_t *stack)
{
	reach_stage(0);
	set_own(20, stack);
	envid_t child = must_chosen_fork();
	if (child == 0)
		exit();
	wait_until_gone(child);
	check_perm(PRIVATE, PERM_READ | PTE_COW);

	child = must(sfork(), "sfork");
	if (child == 0) {
		check_own(20, stack);
		check_shared(3);
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
	check("the page with an AVAIL bit", *AVAILABLE, 21);
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

// Fault once: the handler forks, and parent and child each return to their own stack.
static void
fork_in_handler(envid_t (*fork_function)(void), volatile uint32_t *stack)
{
	envid_t me = sys_getenvid();

	reach_stage(0);
	set_own(30, stack);
	make_child = fork_function;
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

// The calls of the batch start on a page of their own.
static struct {
	char before[PGSIZE - offsetof(struct Batch, calls)];
	struct Batch batch;
} collected __attribute__((aligned(PGSIZE)));

// Fork while a call is collected in a batch: then both parent and child make the call.
static void
fork_with_a_batch(void)
{
	reach_stage(0);
	must(batch_page_alloc(&collected.batch, 0, (void *)PROBE, PERM_WRITE), "batch_page_alloc");
	envid_t child = must_chosen_fork();
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

// ---- All tests ----

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
static __attribute__((noinline)) void
try_all(void)
{
	volatile uint32_t stack[HALF_WORDS * 2 + 1]; // Longer than a page, so it is on two pages.
	envid_t me = sys_getenvid();

	assert(PGNUM(&stack[0]) != PGNUM(&stack[HALF_WORDS * 2]));
	child_writes_first(stack);
	parent_writes_first(stack);
	generations(stack);
	if (sys_getenvid() != me)
		return;
	check("the number of generations", *stage, 4);
	check_all_shared(stack);
	parent_writes_first(stack); // With the pages that sfork has shared
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
