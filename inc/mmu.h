#ifndef JOS_INC_MMU_H
#define JOS_INC_MMU_H

// Definitions of the x86 memory management hardware: paging, control registers, flags, segments.
// Section numbers are those of Intel's manual, volume 3.

// ---- Paging: sections 4.3 and 4.7 ----
//
// A linear address has these parts:
//
//	31            22 21            12 11             0
//	+---------------+----------------+---------------+
//	| directory PDX |    table PTX   |  offset PGOFF |
//	+---------------+----------------+---------------+
//	\------------- PGNUM ------------/

#define NPDENTRIES 1024
#define NPTENTRIES 1024
#define PGSIZE     4096
#define PGSHIFT    12
#define PTSIZE     (PGSIZE * NPTENTRIES) // Bytes that one page directory entry maps: 4 MB.
#define PTSHIFT    22
#define PTXSHIFT   12
#define PDXSHIFT   22

#define PGNUM(la) (((uintptr_t)(la)) >> PGSHIFT)
#define PDX(la)   ((((uintptr_t)(la)) >> PDXSHIFT) & 0x3FF)
#define PTX(la)   ((((uintptr_t)(la)) >> PTXSHIFT) & 0x3FF)
#define PGOFF(la) (((uintptr_t)(la)) & 0xFFF)

#define PGADDR(d, t, o) ((void *)((d) << PDXSHIFT | (t) << PTXSHIFT | (o)))

#define PTE_P     0x001 // Present
#define PTE_W     0x002 // Writable
#define PTE_U     0x004 // User mode may access the page
#define PTE_PWT   0x008 // Write-through
#define PTE_PCD   0x010 // Cache disabled
#define PTE_A     0x020 // Accessed
#define PTE_D     0x040 // Dirty
#define PTE_PS    0x080 // In a directory entry: maps 4 MB
#define PTE_G     0x100 // Global: survives a load of CR3
#define PTE_AVAIL 0xE00 // Ignored by the CPU: free for software

// Two of these bits have a meaning for fork in the library (lib/fork.c). The kernel ignores them,
// except to show them (kern/check/memmap.c).
#define PTE_SHARE 0x400 // fork shares the page and does not copy it
#define PTE_COW   0x800 // Copy-on-write; but together with PTE_W, the page is shared by sfork

// The bits of a page table entry that a program may choose in a system call.
#define PTE_SYSCALL (PTE_AVAIL | PTE_P | PTE_W | PTE_U)

#define PTE_ADDR(pte) ((physaddr_t)(pte) & ~0xFFF)

// A page fault's error code: section 4.7.
#define FEC_PR 0x1 // The page was present, but its protection forbids the access
#define FEC_WR 0x2 // The access was a write
#define FEC_U  0x4 // The access was made in user mode

// ---- Control registers and flags: sections 2.3 and 2.5 ----

#define CR0_PE 0x00000001 // Protection enable
#define CR0_MP 0x00000002 // Monitor coprocessor
#define CR0_EM 0x00000004 // Emulation
#define CR0_TS 0x00000008 // Task switched
#define CR0_ET 0x00000010 // Extension type
#define CR0_NE 0x00000020 // Numeric error
#define CR0_WP 0x00010000 // Write protect: the kernel cannot write to read-only pages
#define CR0_AM 0x00040000 // Alignment mask
#define CR0_NW 0x20000000 // Not write-through
#define CR0_CD 0x40000000 // Cache disable
#define CR0_PG 0x80000000 // Paging

#define CR4_VME        0x00000001 // Virtual-8086 mode extensions
#define CR4_PVI        0x00000002 // Protected-mode virtual interrupts
#define CR4_TSD        0x00000004 // Time stamp disable
#define CR4_DE         0x00000008 // Debugging extensions
#define CR4_PSE        0x00000010 // Page size extensions: 4 MB pages
#define CR4_PAE        0x00000020 // Physical address extension
#define CR4_MCE        0x00000040 // Machine check enable
#define CR4_PGE        0x00000080 // Page global enable
#define CR4_PCE        0x00000100 // Performance counter enable
#define CR4_OSFXSR     0x00000200 // FXSAVE and SSE
#define CR4_OSXMMEXCPT 0x00000400 // SIMD floating-point exceptions
#define CR4_SMEP       0x00100000 // The kernel cannot execute user pages
#define CR4_SMAP       0x00200000 // The kernel cannot access user pages while FL_AC is 0

#define FL_CF        0x00000001 // Carry
#define FL_RESERVED  0x00000002 // Always 1
#define FL_PF        0x00000004 // Parity
#define FL_AF        0x00000010 // Auxiliary carry
#define FL_ZF        0x00000040 // Zero
#define FL_SF        0x00000080 // Sign
#define FL_TF        0x00000100 // Trap: single step
#define FL_IF        0x00000200 // Interrupts enabled
#define FL_DF        0x00000400 // Direction
#define FL_OF        0x00000800 // Overflow
#define FL_IOPL_MASK 0x00003000 // I/O privilege level
#define FL_IOPL_0    0x00000000
#define FL_IOPL_1    0x00001000
#define FL_IOPL_2    0x00002000
#define FL_IOPL_3    0x00003000
#define FL_NT        0x00004000 // Nested task
#define FL_RF        0x00010000 // Resume
#define FL_VM        0x00020000 // Virtual-8086 mode
#define FL_AC        0x00040000 // Alignment check
#define FL_VIF       0x00080000 // Virtual interrupt flag
#define FL_VIP       0x00100000 // Virtual interrupt pending
#define FL_ID        0x00200000 // Can be changed only if the CPU has CPUID

// Flags that no program may have. (VIF and VIP do nothing while CR4.VME and CR4.PVI are 0.)
#define FL_PRIVILEGED (FL_VM | FL_IOPL_MASK)

// ---- Segments: sections 3.4.5 and 7.2 ----

#define STA_X 0x8 // Code (0: data)
#define STA_E 0x4 // Data: expands down
#define STA_C 0x4 // Code: conforming
#define STA_W 0x2 // Data: writable
#define STA_R 0x2 // Code: readable
#define STA_A 0x1 // Accessed

#define STS_T16A 0x1 // 16-bit TSS, available
#define STS_LDT  0x2 // Local descriptor table
#define STS_T16B 0x3 // 16-bit TSS, busy
#define STS_CG16 0x4 // 16-bit call gate
#define STS_TG   0x5 // Task gate
#define STS_IG16 0x6 // 16-bit interrupt gate
#define STS_TG16 0x7 // 16-bit trap gate
#define STS_T32A 0x9 // 32-bit TSS, available
#define STS_T32B 0xB // 32-bit TSS, busy
#define STS_CG32 0xC // 32-bit call gate
#define STS_IG32 0xE // 32-bit interrupt gate
#define STS_TG32 0xF // 32-bit trap gate

#ifdef __ASSEMBLER__

// Segment descriptors for start-up code, which loads its segment table before any C code runs. They
// describe 32-bit segments of the kernel, with limits in units of 4 KB.
#define SEG_NULL .quad 0
#define SEG(type, base, lim)                                                          \
	.long(((base) >> 0 & 0xFFFF) << 16) | (((lim) >> 12) & 0xFFFF);               \
	.long((base) >> 0 & 0xFF000000) | 0x00C09000 | (((lim) >> 12) & 0x000F0000) | \
	    ((type) << 8) | (((base) >> 16) & 0xFF)

#else // !__ASSEMBLER__

#include <inc/types.h>

struct Segdesc {
	unsigned sd_lim_15_0 : 16;
	unsigned sd_base_15_0 : 16;
	unsigned sd_base_23_16 : 8;
	unsigned sd_type : 4;
	unsigned sd_s : 1; // 0: system segment, STS_*. 1: code or data, STA_*.
	unsigned sd_dpl : 2;
	unsigned sd_p : 1;
	unsigned sd_lim_19_16 : 4;
	unsigned sd_avl : 1;
	unsigned sd_rsv1 : 1;
	unsigned sd_db : 1; // 32-bit operands
	unsigned sd_g : 1;  // The limit counts pages, not bytes
	unsigned sd_base_31_24 : 8;
};

// Different versions of clang-format would format the following macros differently.
// clang-format off

// A code or data segment from address base to address base + lim. In the descriptor, SEG stores the
// limit in pages, and SEG16 stores the limit in bytes.
#define SEG(type, base, lim, dpl)   SEGMENT(type, base, (lim) >> PGSHIFT, dpl, 1)
#define SEG16(type, base, lim, dpl) (struct Segdesc) SEGMENT(type, base, lim, dpl, 0)

#define SEGMENT(type, base, lim, dpl, pages)                                                      \
	{                                                                                         \
		.sd_base_15_0 = (base) & 0xFFFF, .sd_base_23_16 = (base) >> 16 & 0xFF,            \
		.sd_base_31_24 = (base) >> 24, .sd_lim_15_0 = (lim) & 0xFFFF,                     \
		.sd_lim_19_16 = (lim) >> 16 & 0xF, .sd_type = (type), .sd_dpl = (dpl), .sd_s = 1, \
		.sd_p = 1, .sd_db = 1, .sd_g = (pages),                                           \
	}
#define SEG_NULL { 0 }

// clang-format on

// A task state segment (TSS). The kernel does not switch environments with it. The CPU reads only
// two things in the current TSS: which stack to use when a trap enters the kernel, and which I/O
// ports programs may access. Only a double fault switches tasks: the CPU saves all registers in the
// current TSS and loads the registers of another TSS.
struct Taskstate {
	uint32_t ts_link;
	uintptr_t ts_esp0; // Initial esp of a trap from user mode: the top of the kernel stack
	uint16_t ts_ss0, ts_padding1;
	uintptr_t ts_esp1;
	uint16_t ts_ss1, ts_padding2;
	uintptr_t ts_esp2;
	uint16_t ts_ss2, ts_padding3;
	physaddr_t ts_cr3;
	uintptr_t ts_eip;
	uint32_t ts_eflags;
	uint32_t ts_eax, ts_ecx, ts_edx, ts_ebx;
	uintptr_t ts_esp, ts_ebp;
	uint32_t ts_esi, ts_edi;
	uint16_t ts_es, ts_padding4;
	uint16_t ts_cs, ts_padding5;
	uint16_t ts_ss, ts_padding6;
	uint16_t ts_ds, ts_padding7;
	uint16_t ts_fs, ts_padding8;
	uint16_t ts_gs, ts_padding9;
	uint16_t ts_ldt, ts_padding10;
	uint16_t ts_t;    // Bit 0: cause a debug exception when the CPU switches to this task
	uint16_t ts_iomb; // Offset of the I/O bitmap. Beyond the TSS's limit: no port is allowed
};

// A gate in the interrupt descriptor table.
struct Gatedesc {
	unsigned gd_off_15_0 : 16;
	unsigned gd_sel : 16;
	unsigned gd_args : 5; // Only for call gates
	unsigned gd_rsv1 : 3;
	unsigned gd_type : 4;
	unsigned gd_s : 1;
	unsigned gd_dpl : 2; // An int instruction needs CPL <= gd_dpl
	unsigned gd_p : 1;
	unsigned gd_off_31_16 : 16;
};

// An interrupt gate turns interrupts off when the CPU enters the kernel; a trap gate does not.
#define SETGATE(gate, istrap, sel, off, dpl)                                   \
	((gate) = (struct Gatedesc){ (uint32_t)(off) >> 0 & 0xFFFF, sel, 0, 0, \
	     (istrap) ? STS_TG32 : STS_IG32, 0, dpl, 1, (uint32_t)(off) >> 16 })

// The operand of lgdt and lidt.
struct Pseudodesc {
	uint16_t pd_lim;
	uint32_t pd_base;
} __attribute__((packed));

#endif // !__ASSEMBLER__

#endif // JOS_INC_MMU_H
