#ifndef JOS_KERN_CHECK_ARGUMENTS_H
#define JOS_KERN_CHECK_ARGUMENTS_H

#include <inc/env.h>

// The command lines of the monitor (arguments.c). The caller holds the big lock.

// Split a line into words, in place: every blank becomes a zero. Returns the number of words. argv
// gets the first `most` words, followed by NULL.
int split_line(char *line, char **argv, int most);

// The other functions read an argument. They return false if the text is not such an argument.

// An address: hexadecimal, with or without 0x.
bool address_argument(const char *text, uint32_t *address);

// A number from 1 on: decimal, or hexadecimal with 0x.
bool count_argument(const char *text, uint32_t *count);

// The id of an environment that exists: hexadecimal, with or without 0x. If there is no such
// environment, this prints a message, and returns false.
bool env_argument(const char *text, struct Env **e);

// The address space that a command uses: that of the environment with id `text`, or, if `text` is
// NULL, that of curenv, or the kernel's own if there is no curenv. Prints a message like
// env_argument. *e gets the environment, or NULL.
bool pgdir_argument(const char *text, pde_t **pgdir, struct Env **e);

#endif // JOS_KERN_CHECK_ARGUMENTS_H
