#ifndef JOS_USER_INUSE_H
#define JOS_USER_INUSE_H

// Changes a page of an environment that uses the page at the same time, perhaps on another CPU.
// After the call has returned, the environment must not see the old page. For the conformance
// programs of the calls on pages.

#include "conform.h"

// The child calls this again and again; `changed` is true if the parent's system call has returned.
// Like conform_body, this cannot be a local variable.
static void (*conform_use)(bool changed);

static inline void
conform_keep_using(void)
{
	bool changed = false;
	int i;

	STATE->stage = 1;
	while (!changed) {
		for (i = 0; i < 100000 && !changed; i++) {
			changed = STATE->words[1];
			conform_use(changed);
		}
		sys_yield();
	}
	STATE->words[0] = 1;
}

// Change the memory of a child that uses it. Returns whether the child survived. words[2] is set
// to 0 first; `use` may count in it.
static inline bool
conform_change_in_use(void (*use)(bool changed), void (*change)(envid_t child))
{
	envid_t child;

	STATE->stage = STATE->words[0] = STATE->words[1] = STATE->words[2] = 0;
	conform_use = use;
	child = conform_spawn(conform_keep_using);
	conform_wait_stage(1);
	change(child);
	STATE->words[1] = 1;
	conform_wait(child);
	return STATE->words[0];
}

#endif // JOS_USER_INUSE_H
