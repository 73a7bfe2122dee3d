#ifndef JOS_KERN_DOUBLEFAULT_H
#define JOS_KERN_DOUBLEFAULT_H

// Make this CPU's double faults panic on a stack of their own (doublefault.c), with the
// page directory that is loaded now.
void doublefault_init_percpu(void);

#endif // JOS_KERN_DOUBLEFAULT_H
