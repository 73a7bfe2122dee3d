#ifndef JOS_KERN_PICIRQ_H
#define JOS_KERN_PICIRQ_H

// The two 8259A interrupt controllers.

// Set up both 8259As: line i interrupts with vector IRQ_OFFSET + i, and only the keyboard's line
// is unmasked (with line 2, where the second 8259A is connected). Prints the unmasked lines.
// Called once, by the boot CPU.
void pic_init(void);

// Unmask one more line, and print the unmasked lines.
void irq_enable(int irq);

#endif // JOS_KERN_PICIRQ_H
