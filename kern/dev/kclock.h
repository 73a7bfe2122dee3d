#ifndef JOS_KERN_KCLOCK_H
#define JOS_KERN_KCLOCK_H

#include <inc/types.h>

// Wait for so many microseconds, at most 50000, with interrupts off.
void udelay(uint32_t microseconds);

#define PIT_HZ       1193182
#define PIT_PATIENCE 1000000 // Reads of a port, of about 1 us each: there is no 8254

// Let the 8254's counter 2 run. pit_elapsed returns how many of its ticks, of which there are
// PIT_HZ in a second, have passed since, modulo 65536. udelay uses the same counter.
void pit_start(void);
uint32_t pit_elapsed(void);

// Raise IRQ_TIMER so many times a second, at least 19, and let it through the 8259.
void pit_periodic(uint32_t hz);

// Read and write a register of the battery-backed memory that sits beside the clock.
uint8_t mc146818_read(uint8_t reg);
void mc146818_write(uint8_t reg, uint8_t datum);

#endif // JOS_KERN_KCLOCK_H
