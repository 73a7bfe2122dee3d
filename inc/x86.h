#ifndef JOS_INC_X86_H
#define JOS_INC_X86_H

#include <inc/mmu.h>
#include <inc/types.h>

// One function for each instruction that cannot be written in C. Intel's manual, volume 2,
// describes the instructions.

static inline void
breakpoint(void)
{
	__asm__ volatile("int3");
}

// ---- Ports ----

static inline uint8_t
inb(uint16_t port)
{
	uint8_t data;
	__asm__ volatile("inb %w1, %0" : "=a"(data) : "Nd"(port));
	return data;
}

static inline void
outb(uint16_t port, uint8_t data)
{
	__asm__ volatile("outb %0, %w1" : : "a"(data), "Nd"(port));
}

static inline void
outw(uint16_t port, uint16_t data)
{
	__asm__ volatile("outw %0, %w1" : : "a"(data), "Nd"(port));
}

// Write n bytes to a port.
static inline void
outsb(uint16_t port, const void *src, size_t n)
{
	__asm__ volatile("rep outsb" : "+S"(src), "+c"(n) : "d"(port) : "memory");
}

// Read n 32-bit words from a port.
static inline void
insl(uint16_t port, void *dst, size_t n)
{
	__asm__ volatile("rep insl" : "+D"(dst), "+c"(n) : "d"(port) : "memory");
}

// ---- Control registers, tables, flags ----

// uint32_t rcr0(void) rcr2(void) rcr3(void) rcr4(void): read CR0, CR2, CR3, CR4.
// void lcr0(uint32_t value) lcr2(...) lcr3(...) lcr4(...): load these registers.
//
// CR2 holds the address of the last page fault. Loading CR3 switches to another page directory,
// and flushes the TLB except its global entries (volume 3, section 4.10.4.1).
#define CONTROL_REGISTER(n)                                                     \
	static inline uint32_t rcr##n(void)                                     \
	{                                                                       \
		uint32_t value;                                                 \
		__asm__ volatile("movl %%cr" #n ", %0" : "=r"(value));          \
		return value;                                                   \
	}                                                                       \
	static inline void lcr##n(uint32_t value)                               \
	{                                                                       \
		__asm__ volatile("movl %0, %%cr" #n : : "r"(value) : "memory"); \
	}
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)
#undef CONTROL_REGISTER

// Flush the TLB's entry for the page of va.
static inline void
invlpg(const void *va)
{
	__asm__ volatile("invlpg %0" : : "m"(*(const uint8_t *)va) : "memory");
}

// Load the segment table (GDT) and the interrupt table (IDT).
static inline void
lgdt(const struct Pseudodesc *table)
{
	__asm__ volatile("lgdt %0" : : "m"(*table) : "memory");
}

static inline void
lidt(const struct Pseudodesc *table)
{
	__asm__ volatile("lidt %0" : : "m"(*table) : "memory");
}

// Load the selector of a local segment table (LDT), or 0 for no LDT.
static inline void
lldt(uint16_t selector)
{
	__asm__ volatile("lldt %0" : : "rm"(selector) : "memory");
}

// ltr loads the task register; str reads it. Loading the task register marks the TSS as busy in the
// segment table.
static inline void
ltr(uint16_t selector)
{
	__asm__ volatile("ltr %0" : : "rm"(selector) : "memory");
}

static inline uint32_t
str(void)
{
	uint32_t selector;
	__asm__("strl %0" : "=r"(selector));
	return selector;
}

static inline uint32_t
read_eflags(void)
{
	return __builtin_ia32_readeflags_u32();
}

// Set and clear EFLAGS.AC. While AC is set, the kernel can access user pages. Only CPUs with SMAP
// have these instructions.
static inline void
stac(void)
{
	__asm__ volatile("stac" : : : "memory", "cc");
}

static inline void
clac(void)
{
	__asm__ volatile("clac" : : : "memory", "cc");
}

static inline void
sti(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void
cli(void)
{
	__asm__ volatile("cli" : : : "memory");
}

// ---- Registers ----

static inline uint32_t
read_ebp(void)
{
	uint32_t value;
	__asm__ volatile("movl %%ebp, %0" : "=r"(value));
	return value;
}

static inline uint32_t
read_esp(void)
{
	uint32_t value;
	__asm__ volatile("movl %%esp, %0" : "=r"(value));
	return value;
}

// Store and load fs and gs. The kernel itself does not use these registers.
static inline void
store_fs_gs(uint16_t *fs, uint16_t *gs)
{
	__asm__ volatile("movw %%fs, %0; movw %%gs, %1" : "=m"(*fs), "=m"(*gs));
}

static inline void
load_fs_gs(const uint16_t *fs, const uint16_t *gs)
{
	__asm__ volatile("movw %0, %%fs; movw %1, %%gs" : : "m"(*fs), "m"(*gs));
}

// Execute CPUID for a leaf, and store its results. Any of the pointers may be NULL.
static inline void
cpuid(uint32_t leaf, uint32_t *eaxp, uint32_t *ebxp, uint32_t *ecxp, uint32_t *edxp)
{
	uint32_t *const wanted[] = { eaxp, ebxp, ecxp, edxp };
	uint32_t v[4] = { leaf };

	__asm__ volatile("cpuid" : "+a"(v[0]), "=b"(v[1]), "+c"(v[2]), "=d"(v[3]));
	for (int i = 0; i < 4; i++)
		if (wanted[i])
			*wanted[i] = v[i];
}

// CPUID leaf 1, edx.
#define CPUID_MCE  (1 << 7)
#define CPUID_APIC (1 << 9)
#define CPUID_SEP  (1 << 11)
#define CPUID_PGE  (1 << 13)

// CPUID leaf 1, ecx.
#define CPUID1C_X2APIC (1 << 21)

// CPUID leaf 7, ebx.
#define CPUID7_SMEP (1 << 7)
#define CPUID7_SMAP (1 << 20)

// Returns whether the CPU has sysenter and sysexit. The first Pentium Pros have the CPUID bit but
// not the instructions (volume 2, sysenter).
static inline bool
has_sysenter(void)
{
	uint32_t version, features;

	cpuid(1, &version, NULL, NULL, &features);
	return (features & CPUID_SEP) && (version & 0xFFF) >= 0x633;
}

static inline uint64_t
read_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

// ---- Model-specific registers: volume 4 ----

#define MSR_APIC_BASE    0x01B
#define MSR_SYSENTER_CS  0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176

static inline uint64_t
rdmsr(uint32_t msr)
{
	uint64_t value;
	__asm__ volatile("rdmsr" : "=A"(value) : "c"(msr));
	return value;
}

static inline void
wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "A"(value));
}

// ---- Bits and words ----

// Set and clear bit n of an array of words. n may be 32 or more. Not atomic.
static inline void
set_bit(uint32_t *bits, uint32_t n)
{
	__asm__ volatile("btsl %1, %0" : "+m"(*bits) : "r"(n) : "memory", "cc");
}

static inline void
clear_bit(uint32_t *bits, uint32_t n)
{
	__asm__ volatile("btrl %1, %0" : "+m"(*bits) : "r"(n) : "memory", "cc");
}

// Fill n words with a value.
static inline void
stosl(void *dst, uint32_t value, size_t n)
{
	__asm__ volatile("rep stosl" : "+D"(dst), "+c"(n) : "a"(value) : "memory");
}

// Copy n words with one instruction. (To copy a small struct, the compiler would generate a loop.)
static inline void
movsl(void *dst, const void *src, size_t n)
{
	__asm__ volatile("rep movsl" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}

// Returns the index of the first nonzero word among words[from] to words[end - 1], or `end` if all
// of these words are zero. The instruction repe scasl checks one word in each iteration (volume 2,
// scas), so this function is fast for page tables, which are mostly empty.
static inline uint32_t
first_nonzero(const volatile uint32_t *words, uint32_t from, uint32_t end)
{
	const volatile uint32_t *at = words + from;
	uint32_t left = end - from;
	bool found;

	if (left == 0)
		return end;
	__asm__ volatile("repe scasl" : "+D"(at), "+c"(left), "=@ccnz"(found) : "a"(0) : "memory");
	return found ? (uint32_t)(at - words) - 1 : end;
}

// ---- Several CPUs ----

// Atomically set *addr to newval and return its old value. The exchange is also a full memory
// barrier: no CPU sees an earlier access happen after the exchange, or a later access happen before
// it (volume 3, section 8.2.3.9).
static inline uint32_t
xchg(volatile uint32_t *addr, uint32_t newval)
{
	return __atomic_exchange_n(addr, newval, __ATOMIC_SEQ_CST);
}

// Tell the CPU that this code waits in a loop.
static inline void
cpu_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

#endif // JOS_INC_X86_H
