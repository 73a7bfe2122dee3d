// A sieve of environments. The first one sends the numbers from 2 on to the second. Each
// other takes the first number that it gets, which is a prime, makes another environment
// to its right, and sends on to that those numbers that the prime does not divide.
//
//	2 3 4 5 6 7 ...      3 5 7 9 ...      5 7 11 ...
//	first env ----------> 2 -------------> 3 -----------> 5 ----> ...
//
// When there is no environment for the next prime, the last one ends. Who sends to one
// that has ended is told so, and ends too: and so on, back to the first.

#include <inc/lib.h>

static void
send_all_numbers(envid_t right)
{
	int n = 2;

	while (ipc_send(right, n, NULL, 0) == 0)
		n++;
}

static void
send_what_is_left(int prime, envid_t right)
{
	int n;

	do {
		n = ipc_recv(NULL, NULL, NULL);
	} while (n % prime == 0 || ipc_send(right, n, NULL, 0) == 0);
}

void
umain(int argc, char **argv)
{
	envid_t right = fork();
	int prime = 1;

	USED(argc);
	USED(argv);
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
		cprintf("\nprimes: nobody for what comes after %d: %e\n", prime, right);
	else
		send_what_is_left(prime, right);
}
