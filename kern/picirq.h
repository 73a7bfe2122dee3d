#ifndef JOS_KERN_PICIRQ_H
#define JOS_KERN_PICIRQ_H

#include <inc/types.h>

#define MAX_IRQS 16

// Make the two 8259s deliver line i as vector IRQ_OFFSET + i, all but the
// keyboard's masked, and say so. The boot CPU calls it, once.
void pic_init(void);

// Let one more line through.
void irq_enable(int irq);

// Let through the lines whose bits in mask are 0, and say which those are.
void irq_setmask_8259A(uint16_t mask);

#endif // JOS_KERN_PICIRQ_H
