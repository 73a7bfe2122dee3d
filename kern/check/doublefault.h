#ifndef JOS_KERN_DOUBLEFAULT_H
#define JOS_KERN_DOUBLEFAULT_H

// Give this CPU a stack and a TSS for double faults, so that a double fault panics (doublefault.c).
// The panic runs with the page directory that is loaded now.
void doublefault_init_percpu(void);

#endif // JOS_KERN_DOUBLEFAULT_H
