#ifndef JOS_KERN_PICIRQ_H
#define JOS_KERN_PICIRQ_H

// Make the two 8259s deliver line i as vector IRQ_OFFSET + i, all but the
// keyboard's masked, and say so. The boot CPU calls it, once.
void pic_init(void);

// Let one more line through, and say which are.
void irq_enable(int irq);

#endif // JOS_KERN_PICIRQ_H
