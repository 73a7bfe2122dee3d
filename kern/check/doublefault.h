#ifndef JOS_KERN_DOUBLEFAULT_H
#define JOS_KERN_DOUBLEFAULT_H

// Give this CPU a stack and a TSS for double faults, so that a double fault panics (doublefault.c).
// The panic will run with the page directory that is loaded when this function is called.
void doublefault_init_percpu(void);

#endif // JOS_KERN_DOUBLEFAULT_H
