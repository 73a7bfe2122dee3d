// One system call can make several environments runnable: the end of a receiver wakes all senders
// in its queue. If enough CPUs are idle, each sender must get a CPU of its own at once. wakeall,N
// is for N CPUs.

#include <user/common/testing.h>

#define ROUNDS      20
#define MAX_SENDERS 31
#define NO_PAGE     ((void *)UTOP)

// If a CPU has not woken up after so many slices of all senders together, the wake-up was lost.
#define MAX_SLICES 1500

static struct {
	volatile envid_t receiver;
	volatile int round;
} *const shared = (void *)0x10000000;

static int nsenders;
static envid_t senders[MAX_SENDERS];

// In each round, sleep in the receiver's queue. When the receiver is gone, loop until the next
// round.
static void
send_in_each_round(void)
{
	for (int round = 1; round <= ROUNDS; round++) {
		while (shared->round < round)
			continue;
		if (sys_ipc_send(shared->receiver, 0, NO_PAGE, 0) != -E_BAD_ENV)
			panic("round %d: the receiver was not destroyed", round);
	}
	while (shared->round == ROUNDS)
		continue;
	exit();
}

static bool
all_run(void)
{
	for (int i = 0; i < nsenders; i++) {
		if (env_of(senders[i])->env_status != ENV_RUNNING)
			return false;
	}
	return true;
}

static uint32_t
count_slices(void)
{
	uint32_t n = 0;

	for (int i = 0; i < nsenders; i++)
		n += env_of(senders[i])->env_runs;
	return n;
}

// Wait until all senders run at the same time, each on a CPU of its own.
static void
wait_until_all_run(int round)
{
	uint32_t before = count_slices();

	while (!all_run()) {
		if (count_slices() - before > MAX_SLICES)
			panic("round %d: runnable environments wait while a CPU sleeps", round);
	}
}

void
umain(int argc, char **argv)
{
	nsenders = argc > 1 ? strtol(argv[1], NULL, 10) - 1 : 0;
	if (nsenders < 1 || nsenders > MAX_SENDERS) {
		cprintf("Usage: wakeall,CPUS with 2 to %d\n", MAX_SENDERS + 1);
		return;
	}
	share_memory(shared, sizeof(*shared));
	for (int i = 0; i < nsenders; i++) {
		senders[i] = must_fork();
		if (senders[i] == 0)
			send_in_each_round();
	}
	for (int round = 1; round <= ROUNDS; round++) {
		shared->receiver = must(sys_exofork(), "exofork");
		shared->round = round;
		for (int i = 0; i < nsenders; i++)
			wait_until_asleep(senders[i]);
		must(sys_env_destroy(shared->receiver), "destroy");
		wait_until_all_run(round);
	}
	shared->round++;
	cprintf("wakeall: %d environments were woken at once, %d times\n", nsenders, ROUNDS);
}
