// A parent stops and starts a child again and again, on another CPU, while the child enters the
// kernel by into, int $T_SYSCALL and sysenter. If the kernel stops the child at such an
// instruction, the instruction must be executed again when the child is started: none may be lost.

#include <user/common/testing.h>

#define STOPS 500

// The number of no system call. The result is -E_INVAL, so a call that is lost can be seen in eax.
#define NO_CALL 0x1234

static struct {
	volatile bool done;
	volatile uint32_t rounds;
} *const shared = (void *)0x10000000;

static volatile uint32_t overflows;

static void
count_overflow(struct UTrapframe *utf)
{
	overflows++;
}

static void
overflow(void)
{
	uint32_t before = overflows;

	__asm__ volatile("movb $0x7F, %%al; incb %%al; into" : : : "eax", "cc");
	if (overflows != before + 1)
		panic("an into was lost");
}

static void
call_by_int(void)
{
	int r;

	__asm__ volatile("int %1" : "=a"(r) : "i"(T_SYSCALL), "a"(NO_CALL) : "memory", "cc");
	if (r != -E_INVAL)
		panic("a call by int was lost: eax is %08x", r);
}

// In the way that lib/syscall.S chooses: sysenter, if the CPU has it
static void
call_by_library(void)
{
	int r = sys_env_set_status(0, -1);

	if (r != -E_INVAL)
		panic("a call was lost: it returned %08x", r);
}

static void
enter_again_and_again(void)
{
	must(set_exception_handler(T_OFLOW, count_overflow), "set_exception_handler");
	while (!shared->done) {
		for (int i = 0; i < 20; i++) {
			overflow();
			call_by_int();
			call_by_library();
		}
		shared->rounds++;
		sys_yield(); // On one CPU, let the parent run.
	}
	exit();
}

void
umain(int argc, char **argv)
{
	share_memory(shared, sizeof(*shared));
	envid_t child = must_fork();
	if (child == 0)
		enter_again_and_again();
	for (int i = 0; i < STOPS; i++) {
		uint32_t before = shared->rounds;
		while (shared->rounds == before && is_alive(child))
			sys_yield();
		must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "stop");
		while (env_of(child)->env_oncpu)
			continue;
		must(sys_env_set_status(child, ENV_RUNNABLE), "start");
	}
	shared->done = true;
	wait_until_gone(child);
	cprintf("restarts: %d stops, and no instruction was lost\n", STOPS);
}
