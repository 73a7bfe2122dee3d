#ifndef JOS_USER_SIEVE_H
#define JOS_USER_SIEVE_H

// A sieve that finds primes, made of a row of environments. The first environment sends the numbers
// from 2 on to the second environment. Every other environment receives numbers from the
// environment to its left; the first number is a prime. The receiver then forks an environment to
// its right, and sends to this environment each number that the prime does not divide:
//
//	2 3 4 5 6 7 ...      3 5 7 9 ...      5 7 11 ...
//	first env ----------> 2 -------------> 3 -----------> 5 ----> ...
//
// When no free environment is left for the next prime, the last environment exits. Then the
// environment to its left cannot send to it any more, and exits too; and so on, back to the first.

#include <inc/lib.h>

// Run by the first environment.
static inline void
send_all_numbers(envid_t right)
{
	int n = 2;

	while (ipc_send_checked(right, n, NULL, 0) == 0)
		n++;
}

// Run by every other environment, after it has received its prime.
static inline void
filter_numbers(int prime, envid_t right)
{
	int n;

	do {
		n = ipc_recv(NULL, NULL, NULL);
	} while (n % prime == 0 || ipc_send_checked(right, n, NULL, 0) == 0);
}

#endif // JOS_USER_SIEVE_H
