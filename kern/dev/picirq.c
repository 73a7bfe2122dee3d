// The two 8259A interrupt controllers of a PC (Intel's 8259A data sheet). The output of the second
// 8259A is line 2 of the first 8259A. The output of the first 8259A goes to the boot CPU's local
// APIC (lapic.c), so only the boot CPU gets device interrupts. init.c, console.c and kclock.c call
// these functions at boot, on the boot CPU, so no lock is needed.

#include <inc/stdio.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/dev/picirq.h>

#define PIC1 0x20 // Command port of the first 8259A; the mask register is at the next port
#define PIC2 0xA0 // The same for the second 8259A

#define LINES 16

#define ICW1 0x11 // Edge triggered, cascaded, ICW4 follows
#define ICW4 0x03 // 8086 mode, automatic end of interrupt

static uint16_t irq_mask;

// Set the interrupt mask, and print the lines that are then unmasked. If bit i of mask is 1, line i
// is masked.
static void
irq_setmask_8259A(uint16_t mask)
{
	irq_mask = mask;
	outb(PIC1 + 1, mask & 0xFF);
	outb(PIC2 + 1, mask >> 8);

	char text[4 * LINES], *end = text;
	for (int i = 0; i < LINES; i++) {
		if (!(mask & (1 << i)))
			end += snprintf(end, text + sizeof(text) - end, " %d", i);
	}
	cprintf("enabled interrupts:%s\n", end == text ? " none" : text);
}

void
irq_enable(int irq)
{
	irq_setmask_8259A(irq_mask & ~(1 << irq));
}

void
pic_init(void)
{
	outb(PIC1 + 1, 0xFF);
	outb(PIC2 + 1, 0xFF);

	outb(PIC1, ICW1);
	outb(PIC1 + 1, IRQ_OFFSET);
	outb(PIC1 + 1, 1 << IRQ_SLAVE);
	outb(PIC1 + 1, ICW4);

	outb(PIC2, ICW1);
	outb(PIC2 + 1, IRQ_OFFSET + 8);
	outb(PIC2 + 1, IRQ_SLAVE);
	outb(PIC2 + 1, ICW4);

	irq_setmask_8259A(0xFFFF & ~(1 << IRQ_KBD | 1 << IRQ_SLAVE));
}
