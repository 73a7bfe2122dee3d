#ifndef JOS_KERN_PICIRQ_H
#define JOS_KERN_PICIRQ_H

// The two 8259A interrupt controllers.

// Set up both 8259As: line i raises the interrupt with vector IRQ_OFFSET + i. Only two lines are
// unmasked: the keyboard's line, and line 2, to which the second 8259A is connected. Prints the
// unmasked lines. Called once, by the boot CPU.
void pic_init(void);

// Unmask one more line, and print the unmasked lines.
void irq_enable(int irq);

#endif // JOS_KERN_PICIRQ_H
