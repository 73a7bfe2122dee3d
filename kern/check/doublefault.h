#ifndef JOS_KERN_DOUBLEFAULT_H
#define JOS_KERN_DOUBLEFAULT_H

// Give this CPU a stack and a TSS for double faults, so that the kernel panics at a double fault
// (doublefault.c). The page directory that is loaded now will also be used during this panic.
void doublefault_init_percpu(void);

#endif // JOS_KERN_DOUBLEFAULT_H
