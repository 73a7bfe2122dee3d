// The start of the other CPUs.
// 1. boot_aps() copies the code between mpentry_start and mpentry_end to MPENTRY_PADDR. A STARTUP
//    interrupt starts a CPU in real mode in the copy. The copy enters protected mode with gdt.
// 2. mpentry_low loads the segment registers, and paging_on in entry.S turns paging on.
// 3. mpentry_high takes the CPU's number, which boot_aps() has set in mpentry_cpu, and calls
//    mp_main on the kernel stack of that number.
// Before paging is on, a name in the copy is at MPBOOTPHYS(name), and a name in the rest of the
// kernel is at name - KERNBASE. (boot/boot.S needs no such macro, because it is linked at the
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
	incw %ax // CR0_PE, bit 0
	lmsw %ax
	ljmpl $GD_KT, $mpentry_low

// The operand of lgdt: the part of gdt that is used before env_init_percpu.
low_gdt:
	.word GD_KD + 7
	.long gdt - KERNBASE

	.globl mpentry_end
mpentry_end:
	.size mpentry_start, . - mpentry_start

// Load the segment registers before paging is on: gdt may be above the first 4 MB, and entry_pgdir
// maps only the first 4 MB at their physical addresses. (entry.S describes the section .boot.)
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

// Take the number with xchgl, so that two CPUs never get the same number. A CPU that boot_aps() did
// not start, or that starts after boot_aps() has given up, reads 0 and halts.
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
