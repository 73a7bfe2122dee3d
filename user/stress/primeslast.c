// The sieve of sieve.h, as far as it goes: up to the last environment that there is.
// That one finds none for the next prime, and ends; so does who sends to it, and so on.
// When all are gone, all that they had must be free.

#include <user/sieve.h>
#include <user/common/testing.h>

// One page for all of them.
static struct {
	volatile int environments; // That have got a prime
	volatile int last_prime;
	volatile int error;        // Why there was not one more
} *const sieve = (void *)0x10000000;

// What all but the first one do.
static void
be_a_prime(void)
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
		be_a_prime();
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
	envid_t child = must_fork(); // The first fork takes a page that stays: for exceptions.
	if (child == 0)
		return;
	wait_until_gone(child);

	int before = count_free_pages();
	run_sieve();
	cprintf("primeslast: %d environments, up to prime %d, then: %e\n",
	    sieve->environments + 1, sieve->last_prime, sieve->error);
	if (count_free_pages() != before)
		panic("%d pages are missing", before - count_free_pages());
	cprintf("primeslast: all are gone\n");
}
