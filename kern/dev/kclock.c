// The clock chips of a PC. The 8254 interval timer measures short waits. On a machine without a
// local APIC, the 8254 also raises the timer interrupt. The MC146818 real-time clock has a small
// battery-backed memory. One byte of this memory tells the BIOS what to do after a reset.
//
// The callers are timer.c (set-up and calibration), lapic.c and init.c (start of the other CPUs),
// console.c and panic.c (panic), and check/commands.c (power off). udelay and pit_start use the
// same counter, so only one CPU at a time may call these functions. No lock enforces this.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/dev/kclock.h>
#include <kern/dev/picirq.h>

#define RTC_INDEX 0x70
#define RTC_DATA  0x71

uint8_t
mc146818_read(uint8_t reg)
{
	outb(RTC_INDEX, reg);
	return inb(RTC_DATA);
}

void
mc146818_write(uint8_t reg, uint8_t datum)
{
	outb(RTC_INDEX, reg);
	outb(RTC_DATA, datum);
}

// The gate and the output of the 8254's counter 2 are bits of port 0x61, so the kernel can start
// and poll this counter without an interrupt. In mode 0, the counter counts down once; its output
// becomes 1 when the count is zero.
#define PIT_COUNTER2 0x42
#define PIT_COUNTER0 0x40 // The output of counter 0 raises IRQ_TIMER
#define PIT_CONTROL  0x43
#define PIT_PERIODIC 0x34 // Counter 0, low byte then high byte, mode 2
#define PIT_SELECT2  0xB0 // Counter 2, low byte then high byte, mode 0
#define PIT_LATCH2   0x80 // Latch (keep) the current value of counter 2 for the next read
#define PORT_B       0x61
#define PORT_B_GATE2 0x01
#define PORT_B_SPKR  0x02
#define PORT_B_OUT2  0x20

static void
pit_count_down(uint16_t count)
{
	outb(PORT_B, (inb(PORT_B) & ~PORT_B_SPKR) | PORT_B_GATE2);
	outb(PIT_CONTROL, PIT_SELECT2);
	outb(PIT_COUNTER2, count & 0xFF);
	outb(PIT_COUNTER2, count >> 8);
}

void
udelay(uint32_t microseconds)
{
	assert(microseconds <= 50000);
	pit_count_down(microseconds * (PIT_HZ / 1000) / 1000 + 1);
	for (int polls_left = PIT_MAX_POLLS; polls_left > 0; polls_left--) {
		if (inb(PORT_B) & PORT_B_OUT2)
			return;
	}
}

void
pit_start(void)
{
	pit_count_down(0xFFFF);
}

uint32_t
pit_elapsed(void)
{
	outb(PIT_CONTROL, PIT_LATCH2);
	uint32_t low = inb(PIT_COUNTER2);
	uint32_t left = inb(PIT_COUNTER2) << 8 | low;
	return (0xFFFF - left) & 0xFFFF;
}

void
pit_periodic(uint32_t hz)
{
	uint32_t count = PIT_HZ / hz;

	assert(count <= 0xFFFF);
	outb(PIT_CONTROL, PIT_PERIODIC);
	outb(PIT_COUNTER0, count & 0xFF);
	outb(PIT_COUNTER0, count >> 8);
	irq_enable(IRQ_TIMER);
}
