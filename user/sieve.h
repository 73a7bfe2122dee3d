#ifndef JOS_USER_SIEVE_H
#define JOS_USER_SIEVE_H

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

// What the first one does.
static inline void
send_all_numbers(envid_t right)
{
	int n = 2;

	while (ipc_send_checked(right, n, NULL, 0) == 0)
		n++;
}

// What the others do, once they have a prime.
static inline void
send_what_is_left(int prime, envid_t right)
{
	int n;

	do {
		n = ipc_recv(NULL, NULL, NULL);
	} while (n % prime == 0 || ipc_send_checked(right, n, NULL, 0) == 0);
}

#endif // JOS_USER_SIEVE_H
