#ifndef JOS_INC_TRAP_H
#define JOS_INC_TRAP_H

// The trap vectors, and the frames that a trap leaves on the stack.

// Processor exceptions: Intel's manual, volume 3, section 6.3.1. The T_ names, and the texts that
// print_trapframe prints, are made from this list: X(vector, name, text).
#define TRAPS(X)                                       \
	X(0, T_DIVIDE, "Divide error")                 \
	X(1, T_DEBUG, "Debug")                         \
	X(2, T_NMI, "Non-Maskable Interrupt")          \
	X(3, T_BRKPT, "Breakpoint")                    \
	X(4, T_OFLOW, "Overflow")                      \
	X(5, T_BOUND, "BOUND Range Exceeded")          \
	X(6, T_ILLOP, "Invalid Opcode")                \
	X(7, T_DEVICE, "Device Not Available")         \
	X(8, T_DBLFLT, "Double Fault")                 \
	X(9, T_COPROC, "Coprocessor Segment Overrun")  \
	X(10, T_TSS, "Invalid TSS")                    \
	X(11, T_SEGNP, "Segment Not Present")          \
	X(12, T_STACK, "Stack Fault")                  \
	X(13, T_GPFLT, "General Protection")           \
	X(14, T_PGFLT, "Page Fault")                   \
	X(15, T_RES, "(unknown trap)")                 \
	X(16, T_FPERR, "x87 FPU Floating-Point Error") \
	X(17, T_ALIGN, "Alignment Check")              \
	X(18, T_MCHK, "Machine-Check")                 \
	X(19, T_SIMDERR, "SIMD Floating-Point Exception")

// A bit mask of vectors: bit n is 1 if the CPU pushes an error code for exception n.
#define TRAP_ERRCODES 0x00227D00

#define T_SYSCALL 48 // int $0x30

// The sixteen interrupt lines of the 8259 use vectors 32 to 47.
#define IRQ_OFFSET 32
#define IRQ_TIMER  0
#define IRQ_KBD    1
#define IRQ_SLAVE  2
#define IRQ_SERIAL 4
#define IRQ_ERROR  19

// Vectors of the local APIC's own interrupts, and of the interrupt that one CPU sends to another
// CPU.
#define T_LAPIC_ERROR    (IRQ_OFFSET + IRQ_ERROR)
#define T_IPI_WAKE       240 // Wakes another CPU, or makes it enter the kernel
#define T_LAPIC_SPURIOUS 255 // On old CPUs the low four bits must be 1111

#ifndef __ASSEMBLER__

#include <inc/types.h>

#define X(number, name, text) name = (number),
enum { TRAPS(X) };
#undef X

// The registers in the order in which pushal stores them.
struct PushRegs {
	uint32_t reg_edi;
	uint32_t reg_esi;
	uint32_t reg_ebp;
	uint32_t reg_oesp; // esp before pushal: not used
	uint32_t reg_ebx;
	uint32_t reg_edx;
	uint32_t reg_ecx;
	uint32_t reg_eax;
} __attribute__((packed));

struct Trapframe {
	struct PushRegs tf_regs;
	uint16_t tf_es;
	uint16_t tf_padding1;
	uint16_t tf_ds;
	uint16_t tf_padding2;
	uint32_t tf_trapno;
	// The CPU pushes the members from here on. (If an exception has no error code, trapentry.S
	// pushes 0 as tf_err.)
	uint32_t tf_err;
	uintptr_t tf_eip;
	uint16_t tf_cs;
	uint16_t tf_padding3;
	uint32_t tf_eflags;
	// The CPU pushes the following members only if the trap came from user mode.
	uintptr_t tf_esp;
	uint16_t tf_ss;
	uint16_t tf_padding4;
} __attribute__((packed));

// The frame that the kernel pushes on the exception stack before it starts an upcall. For
// exceptions other than page faults, utf_fault_va holds the vector.
struct UTrapframe {
	uint32_t utf_fault_va;
	uint32_t utf_err;
	struct PushRegs utf_regs;
	uintptr_t utf_eip;
	uint32_t utf_eflags;
	uintptr_t utf_esp;
} __attribute__((packed));

#endif // !__ASSEMBLER__

#endif // JOS_INC_TRAP_H
