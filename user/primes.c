// Finds primes with the environments of sieve.h. Each environment prints its prime, and the CPU
// that it runs on.

#include "sieve.h"

void
umain(int argc, char **argv)
{
	envid_t right = fork();
	int prime = 1;

	if (right > 0) {
		send_all_numbers(right);
		return;
	}
	while (right == 0) {
		prime = ipc_recv(NULL, NULL, NULL);
		cprintf("CPU %d: %d ", thisenv->env_cpunum, prime);
		right = fork();
	}
	if (right < 0)
		cprintf("\nprimes: no environment for the prime after %d: %e\n", prime, right);
	else
		filter_numbers(prime, right);
}
