#ifndef JOS_KERN_IPI_H
#define JOS_KERN_IPI_H

// The registers of the local APIC, for lapic.c and ipi.c (Intel, volume 3, chapter 10). cpu.h
// declares the functions that other files call.

#include <inc/types.h>

// Registers, as byte offsets (table 10-1).
#define ID            0x020
#define VER           0x030
#define TPR           0x080 // Task priority
#define EOI           0x0B0
#define SVR           0x0F0 // Spurious interrupt vector
#define ESR           0x280 // Error status
#define ICRLO         0x300 // Interrupt command
#define ICRHI         0x310
#define LVT_TIMER     0x320
#define LVT_PERF      0x340
#define LVT_LINT0     0x350
#define LVT_LINT1     0x360
#define LVT_ERROR     0x370
#define TIMER_INITIAL 0x380
#define TIMER_CURRENT 0x390
#define TIMER_DIVIDE  0x3E0

#define SVR_ENABLE   0x00000100
#define LVT_MASKED   0x00010000
#define LVT_PERIODIC 0x00020000
#define DIVIDE_BY_1  0x0000000B
#define LVT_EXTINT   0x00000700 // The 8259 supplies the vector
#define LVT_NMI      0x00000400
#define ICR_NMI      0x00000400
#define ICR_INIT     0x00000500
#define ICR_STARTUP  0x00000600
#define ICR_PENDING  0x00001000
#define ICR_ASSERT   0x00004000
#define ICR_LEVEL    0x00008000

extern volatile uint32_t *lapic; // The registers, mapped by lapic_init; NULL without a local APIC

static inline uint32_t
lapic_read(uint32_t reg)
{
	return lapic[reg / sizeof(*lapic)];
}

static inline void
lapic_write(uint32_t reg, uint32_t value)
{
	lapic[reg / sizeof(*lapic)] = value;
	lapic_read(ID); // This read completes only after the write has arrived.
}

// Send the interrupt that `command` describes to the CPU with this APIC id.
void icr_send(uint8_t apicid, uint32_t command);

#endif // JOS_KERN_IPI_H
