// The start of the other CPUs.
// 1. boot_aps() copies the code between mpentry_start and mpentry_end to MPENTRY_PADDR. A STARTUP
//    interrupt makes a CPU execute this copy, in real mode. The copy enters protected mode.
// 2. mpentry_low loads the segment registers. Then paging_on in entry.S turns paging on.
// 3. mpentry_high takes the CPU's number from mpentry_cpu, where boot_aps() has stored it. Then
//    mpentry_high calls mp_main on that CPU's kernel stack.
// While paging is off, a label in the copy is at MPBOOTPHYS(label), and a label in the rest of the
// kernel is at label - KERNBASE. (boot/boot.S needs no such macro, because it is linked at the
// address at which it runs.)

#include <inc/mmu.h>
#include <inc/memlayout.h>

#define MPBOOTPHYS(s) ((s) - mpentry_start + MPENTRY_PADDR)

	.text
	.code16
	.globl mpentry_start
	.type mpentry_start, @function
mpentry_start:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl MPBOOTPHYS(low_gdt)
	incw %ax // Bit 0 of CR0 is PE, protected mode.
	lmsw %ax
	ljmpl $GD_KT, $mpentry_low

// The operand of lgdt: limit and address. The limit covers the segments used before mp_main.
low_gdt:
	.word GD_KD + 7
	.long gdt - KERNBASE

	.globl mpentry_end
mpentry_end:
	.size mpentry_start, . - mpentry_start

// Load the segment registers while paging is off, because gdt may be above the first 4 MB, and
// entry_pgdir maps only these 4 MB at their physical addresses. (entry.S describes .boot.)
	.section .boot, "ax"
	.code32
	.type mpentry_low, @function
mpentry_low:
	movw $GD_KD, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $mpentry_high, %esi
	jmp paging_on
	.size mpentry_low, . - mpentry_low

// xchgl reads mpentry_cpu and sets it to 0, so that no two CPUs get the same number. A CPU that
// reads 0 halts: boot_aps() did not start it, or no longer waits for it.
	.text
	.type mpentry_high, @function
mpentry_high:
	movl kern_pgdir, %eax
	subl $KERNBASE, %eax
	movl %eax, %cr3
	xorl %eax, %eax
	xchgl %eax, mpentry_cpu
	decl %eax
	js 1f
	imull $(KSTKSIZE + KSTKGAP), %eax, %edx
	movl $KSTACKTOP, %esp
	subl %edx, %esp
	xorl %ebp, %ebp
	pushl %eax
	call mp_main
1:	cli
	hlt
	jmp 1b
	.size mpentry_high, . - mpentry_high
