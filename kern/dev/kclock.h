#ifndef JOS_KERN_KCLOCK_H
#define JOS_KERN_KCLOCK_H

#include <inc/types.h>

// The clock chips: short waits, a periodic timer, and the real-time clock's memory.

// Wait for the given number of microseconds, at most 50000. Interrupts must be off.
void udelay(uint32_t microseconds);

#define PIT_HZ        1193182 // Ticks of the 8254 per second
#define PIT_MAX_POLLS 1000000 // Port reads (about 1 us each) before the kernel gives up

// pit_start starts the 8254's counter 2. pit_elapsed returns the number of ticks since the last
// pit_start, modulo 65536. udelay restarts the same counter.
void pit_start(void);
uint32_t pit_elapsed(void);

// Make the 8254 raise IRQ_TIMER hz times per second, and unmask this line in the 8259. hz must be
// at least 19.
void pit_periodic(uint32_t hz);

// Read or write a register of the real-time clock's battery-backed memory.
uint8_t mc146818_read(uint8_t reg);
void mc146818_write(uint8_t reg, uint8_t datum);

#endif // JOS_KERN_KCLOCK_H
