// Forks a binary tree of environments. Each environment prints its id and its path from the root: 0
// for a first child, 1 for a second child.

#include <inc/lib.h>

#define DEPTH 3

static char path[DEPTH + 1];

static void
grow(int depth)
{
	cprintf("%04x: I am '%s'\n", sys_getenvid(), path);
	if (depth == DEPTH)
		return;
	for (char branch = '0'; branch <= '1'; branch++) {
		envid_t child = fork();
		if (child < 0)
			panic("fork: %e", child);
		if (child == 0) {
			path[depth] = branch;
			grow(depth + 1);
			return;
		}
	}
}

void
umain(int argc, char **argv)
{
	grow(0);
}
