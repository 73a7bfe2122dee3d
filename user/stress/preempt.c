// Tests preemption. More children than there are CPUs loop without system calls; still, all of
// them, their parent and a child that computes must run. Also tests that preemption at any
// instruction does not change registers.

#include <user/common/testing.h>

#define LOOPING   10 // Children
#define PREEMPTED 10 // How often each child is preempted, at least
#define YIELDS    20 // Of the parent

// In a page that all environments share
static struct {
	volatile uint32_t loops[LOOPING];
	volatile bool kept; // The child that computes found its registers unchanged.
} *const shared = (void *)0x10000000;

static void
loop_until_destroyed(int i)
{
	for (;;)
		shared->loops[i]++;
}

// Compare the registers again and again, until this environment has had `times` more turns. eax and
// edi are used to read env_runs; all other registers, and the direction flag, have values that no
// other environment uses. Returns whether all registers are unchanged.
static bool
keep_registers(uint32_t times)
{
	static uint32_t esp;
	const volatile uint32_t *runs = &thisenv->env_runs, *same_runs = runs;
	uint32_t until = *runs + times, same_until = until, kept, flags;

	__asm__ volatile(
	    "pushl %%ebp\n\t"
	    "movl %%esp, %[esp]\n\t"
	    "movl $0x11223344, %%ebx\n\t"
	    "movl $0x55667788, %%ecx\n\t"
	    "movl $0x99AABBCC, %%edx\n\t"
	    "movl $0xDDEEFF00, %%esi\n\t"
	    "movl $0xBADCAB1E, %%ebp\n\t"
	    "std\n"
	    "1:\tcmpl $0x11223344, %%ebx\n\t"
	    "jne 2f\n\t"
	    "cmpl $0x55667788, %%ecx\n\t"
	    "jne 2f\n\t"
	    "cmpl $0x99AABBCC, %%edx\n\t"
	    "jne 2f\n\t"
	    "cmpl $0xDDEEFF00, %%esi\n\t"
	    "jne 2f\n\t"
	    "cmpl $0xBADCAB1E, %%ebp\n\t"
	    "jne 2f\n\t"
	    "cmpl %%esp, %[esp]\n\t"
	    "jne 2f\n\t"
	    "cmpl %%eax, (%%edi)\n\t"
	    "jb 1b\n\t"
	    "pushfl\n\t"
	    "popl %%edx\n\t"
	    "movl $1, %%ecx\n\t"
	    "jmp 3f\n"
	    "2:\tmovl $0, %%ecx\n"
	    "3:\tcld\n\t"
	    "movl %[esp], %%esp\n\t"
	    "popl %%ebp"
	    : "=c"(kept), "=d"(flags), "+a"(same_until), "+D"(same_runs), [esp] "=m"(esp)
	    :
	    : "ebx", "esi", "memory", "cc");
	return kept && (flags & FL_DF) && same_until == until && same_runs == runs;
}

static bool
all_have_run(const envid_t *children)
{
	for (int i = 0; i < LOOPING; i++) {
		if (env_of(children[i])->env_runs < PREEMPTED || shared->loops[i] == 0)
			return false;
	}
	return true;
}

void
umain(int argc, char **argv)
{
	envid_t children[LOOPING];

	assert(read_eflags() & FL_IF);
	share_memory(shared, sizeof(*shared));
	for (int i = 0; i < LOOPING; i++) {
		children[i] = must_fork();
		if (children[i] == 0)
			loop_until_destroyed(i);
	}
	envid_t computing = must_fork();
	if (computing == 0) {
		shared->kept = keep_registers(PREEMPTED);
		return;
	}

	for (int i = 0; i < YIELDS; i++)
		sys_yield();
	wait_until_gone(computing);
	while (!all_have_run(children))
		sys_yield();
	for (int i = 0; i < LOOPING; i++)
		must(sys_env_destroy(children[i]), "sys_env_destroy");
	for (int i = 0; i < LOOPING; i++)
		wait_until_gone(children[i]);
	if (!shared->kept)
		panic("a register has changed");
	cprintf("preempt: all environments ran beside %d endless loops\n", LOOPING);
	cprintf("preempt: no register has changed\n");
}
