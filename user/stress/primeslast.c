// The sieve of sieve.h, until all NENV environments are in use. Then fork fails in the last
// environment, which exits; then the environment that sends to it exits, and so on. When all are
// gone, all their memory must be free.

#include <user/sieve.h>
#include <user/common/testing.h>

// In a page that all environments share
static struct {
	volatile int environments; // Number of environments with a prime
	volatile int last_prime;
	volatile int error; // The error of the last fork
} *const sieve = (void *)0x10000000;

// Run by all environments except the first.
static void
run_prime(void)
{
	envid_t right = 0;
	int prime = 0;

	while (right == 0) {
		prime = ipc_recv(NULL, NULL, NULL);
		sieve->environments++;
		sieve->last_prime = prime;
		right = fork();
	}
	if (right < 0)
		sieve->error = right;
	else
		filter_numbers(prime, right);
}

static void
run_sieve(void)
{
	envid_t right = must_fork();

	if (right == 0) {
		run_prime();
		exit();
	}
	send_all_numbers(right);
	while (count_envs() > 1)
		sys_yield();
}

void
umain(int argc, char **argv)
{
	share_memory(sieve, sizeof(*sieve));
	envid_t child = must_fork(); // The first fork allocates an exception stack, which stays.
	if (child == 0)
		return;
	wait_until_gone(child);

	int before = count_free_pages();
	run_sieve();
	cprintf("primeslast: %d environments, up to prime %d, then: %e\n", sieve->environments + 1,
	    sieve->last_prime, sieve->error);
	if (count_free_pages() != before)
		panic("%d pages are missing", before - count_free_pages());
	cprintf("primeslast: all are gone\n");
}
