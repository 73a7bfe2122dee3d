#ifndef JOS_USER_INUSE_H
#define JOS_USER_INUSE_H

// Changing the memory of an environment that uses it meanwhile, maybe on another CPU: once
// the call has returned, what was there before is not to be had any more. For the conformance
// programs of the calls on pages.

#include "conform.h"

// What the child does again and again; `changed` if the call had returned before that. Not a
// local variable, for conform_body's reason.
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

// Change the memory of a child that uses it, and say whether the child survived that.
// words[2] is 0 before, and for `use` to count in.
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
