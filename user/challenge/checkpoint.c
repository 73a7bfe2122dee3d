// Checkpoint and restore: saves a running child, destroys it, and makes two new environments that
// continue where the child was. The parent does everything, with the lab's calls.
//
// Memory: the parent maps each page of the stopped child in its own address space, and copies it.
// Registers: the kernel shows env_tf of every environment in envs[]. But no call can set them. A
// new environment starts with the registers of its parent, behind sys_exofork. So new_environment
// continues, in the new environment, with instructions that load the saved registers:
//
//	FRAME    general registers    popal
//	         eflags               popfl
//	         esp - 4              popl %esp        the saved stack
//	                                               eip   <- esp - 4
//	                              ret              ...   <- esp when the child was stopped
//
// So the saved child must be a fork of this program: then its code has the same addresses.
//
// Not saved: the id (the variable thisenv is corrected), the children, a wait in a system call, the
// floating-point registers, and pages in a 4 MB region in which the parent has no page.

#include <inc/lib.h>

#include <user/common/testing.h>

#define STEPS     10000000
#define SAVE_STEP 1000000 // The child is saved when it has done this many steps or more.

#define FRAME     ((void *)UTEMP)          // In a new environment: the registers to load
#define WINDOW    ((void *)UTEMP + PGSIZE) // In the parent: a page of the child
#define COPIES    ((void *)0x20000000)     // In the parent: the copies of the pages
#define MAX_PAGES 64

// In a page that all environments share
static struct {
	volatile uint32_t steps;
} *const shared = (void *)0x10000000;

struct frame {
	struct PushRegs regs;
	uint32_t eflags, esp;
};

static struct {
	struct Trapframe tf;
	void *upcall;
	int npages;
	struct {
		void *va;
		int perm; // A page with PTE_SHARE is not copied.
	} pages[MAX_PAGES];
} image;

// ---- Saving ----

// Map the page at va of the child at WINDOW. Returns its permissions, or 0 if there is no page. The
// parent does not see the child's bit PTE_COW: a page is also writable if it is so in the parent.
static int
map_page(envid_t child, void *va)
{
	pte_t mine = pte_of(PGNUM(va));

	if (mine & PTE_SHARE)
		return PERM_WRITE | PTE_SHARE;
	if (sys_page_map(child, va, 0, WINDOW, PERM_WRITE) == 0)
		return PERM_WRITE;
	if (sys_page_map(child, va, 0, WINDOW, PERM_READ) < 0)
		return 0;
	return mine & (PTE_W | PTE_COW) ? PERM_WRITE : PERM_READ;
}

static void
save_page(envid_t child, void *va)
{
	int perm = map_page(child, va), n = image.npages;

	if (perm == 0 || va == FRAME || va == WINDOW)
		return;
	if (n == MAX_PAGES)
		panic("the child has more than %d pages", MAX_PAGES);
	if (!(perm & PTE_SHARE)) {
		must(sys_page_alloc(0, COPIES + n * PGSIZE, PERM_WRITE), "sys_page_alloc");
		memcpy(COPIES + n * PGSIZE, WINDOW, PGSIZE);
	}
	image.pages[n].va = va;
	image.pages[n].perm = perm;
	image.npages++;
}

// Stop the child and save it in `image`.
static void
save(envid_t child)
{
	const volatile struct Env *e = env_of(child);

	must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "sys_env_set_status");
	while (e->env_oncpu) // Until then, its registers are not in env_tf.
		sys_yield();
	if (e->env_ipc_recving || e->env_queue)
		panic("the child waits in a system call");
	image.tf = *(const struct Trapframe *)&e->env_tf;
	image.upcall = e->env_pgfault_upcall;
	for (uint32_t pdx = 0; pdx < PDX(UTOP); pdx++) {
		for (uint32_t i = 0; i < NPTENTRIES && (uvpd[pdx] & PTE_P); i++)
			save_page(child, PGADDR(pdx, i, 0));
	}
	sys_page_unmap(0, WINDOW);
}

// ---- Restoring ----

// Make a child. The child never returns from here: it loads the registers at FRAME. The code uses
// no stack, because the child's stack is the saved one.
static envid_t
new_environment(void)
{
	envid_t eax = SYS_exofork;

	__asm__ volatile(
	    "int %1\n\t"
	    "testl %%eax, %%eax\n\t"
	    "jnz 1f\n\t"
	    "movl %2, %%esp\n\t"
	    "popal\n\t"
	    "popfl\n\t"
	    "popl %%esp\n\t"
	    "ret\n"
	    "1:"
	    : "+a"(eax)
	    : "i"(T_SYSCALL), "i"(FRAME)
	    : "memory", "cc");
	return must(eax, "sys_exofork");
}

// If the address `where` is in the page at `page`, write a word there, in the copy at WINDOW.
static void
patch(void *page, uintptr_t where, uint32_t word)
{
	if (PGNUM(where) == PGNUM(page))
		*(uint32_t *)(WINDOW + PGOFF(where)) = word;
}

// Move the page at WINDOW to the child.
static void
give_page(envid_t child, void *va, int perm)
{
	must(sys_page_map(0, WINDOW, child, va, perm), "sys_page_map");
	must(sys_page_unmap(0, WINDOW), "sys_page_unmap");
}

// Make an environment from `image`, and let it run.
static envid_t
restore(void)
{
	envid_t child = new_environment();
	struct frame *frame = WINDOW;

	for (int i = 0; i < image.npages; i++) {
		void *va = image.pages[i].va;
		if (image.pages[i].perm & PTE_SHARE) {
			must(sys_page_map(0, va, child, va, image.pages[i].perm), "sys_page_map");
			continue;
		}
		must(sys_page_alloc(0, WINDOW, PERM_WRITE), "sys_page_alloc");
		memcpy(WINDOW, COPIES + i * PGSIZE, PGSIZE);
		patch(va, image.tf.tf_esp - 4, image.tf.tf_eip);
		patch(va, (uintptr_t)&thisenv, (uint32_t)env_of(child));
		give_page(child, va, image.pages[i].perm);
	}
	must(sys_page_alloc(0, WINDOW, PERM_WRITE), "sys_page_alloc");
	frame->regs = image.tf.tf_regs;
	frame->eflags = image.tf.tf_eflags;
	frame->esp = image.tf.tf_esp - 4;
	give_page(child, FRAME, PERM_READ);
	must(sys_env_set_pgfault_upcall(child, image.upcall), "sys_env_set_pgfault_upcall");
	must(sys_env_set_status(child, ENV_RUNNABLE), "sys_env_set_status");
	return child;
}

// ---- The example ----

static uint32_t result; // In a page that is copy-on-write in the child

static uint32_t
compute(volatile uint32_t *steps)
{
	uint32_t value = 1;

	for (int i = 0; i < STEPS; i++) {
		value = value * 1664525 + 1013904223;
		__atomic_fetch_add(steps, 1, __ATOMIC_RELAXED);
	}
	return value;
}

static void
compute_in_child(envid_t parent)
{
	result = compute(&shared->steps);
	cprintf("checkpoint: %08x has computed %08x\n", thisenv->env_id, result);
	ipc_send(parent, result, NULL, 0);
}

void
umain(int argc, char **argv)
{
	uint32_t mine = 0;
	envid_t parent = sys_getenvid(), child, from;

	share_memory(shared, sizeof(*shared));
	child = must_fork();
	if (child == 0) {
		compute_in_child(parent);
		return;
	}
	while (shared->steps < SAVE_STEP)
		sys_yield();
	save(child);
	uint32_t saved = shared->steps;
	cprintf("checkpoint: %08x is saved: eip %08x, %d pages\n", child, image.tf.tf_eip,
	    image.npages);
	sys_env_destroy(child);

	// Two environments continue at the same time. Together, they do the steps after the saved
	// one twice.
	uint32_t expected = compute(&mine);
	envid_t restored[2] = { restore(), restore() };
	for (int i = 0; i < 2; i++) {
		uint32_t value = ipc_recv(&from, NULL, NULL);
		if ((from != restored[0] && from != restored[1]) || value != expected)
			panic("%08x of %08x, not %08x", value, from, expected);
	}
	if (shared->steps != 2 * STEPS - saved)
		panic("%u steps instead of %u", shared->steps, 2 * STEPS - saved);
	cprintf("checkpoint: ok\n");
}
