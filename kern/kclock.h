#ifndef JOS_KERN_KCLOCK_H
#define JOS_KERN_KCLOCK_H

#include <inc/types.h>

// Wait for so many microseconds, at most 50000, with interrupts off.
void udelay(uint32_t microseconds);

// Raise IRQ_TIMER so many times a second, at least 19, and let it through the 8259.
void pit_periodic(uint32_t hz);

// Write a register of the battery-backed memory that sits beside the clock.
void mc146818_write(uint8_t reg, uint8_t datum);

#endif // JOS_KERN_KCLOCK_H
