// Where the other CPUs start. A STARTUP interrupt from boot_aps() makes a CPU begin in real mode
// at MPENTRY_PADDR, where boot_aps() has put a copy of the code between mpentry_start and
// mpentry_end. That code enters protected mode with the kernel's own segment table. mpentry_low
// loads the segments, and entry.S's paging_on turns paging on. Then mpentry_high takes the number
// that boot_aps() has stored in mpentry_cpu, and calls mp_main on the kernel stack of that number.
//
// Before paging is on, nothing is at the addresses above KERNBASE that the linker has given to
// names: within the copy a name is at MPBOOTPHYS of it, in the rest of the kernel at the name
// minus KERNBASE. (boot.S needs neither: it is linked at the address at which it runs.)

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
	incw %ax // CR0_PE, the lowest bit
	lmsw %ax
	ljmpl $GD_KT, $mpentry_low

// The operand of lgdt: as much of the kernel's table as is used before env_init_percpu.
low_gdt:
	.word GD_KD + 7
	.long gdt - KERNBASE

	.globl mpentry_end
mpentry_end:
	.size mpentry_start, . - mpentry_start

// The segments, while paging is off: entry_pgdir maps only the first 4 MB where they are, and
// the table may be above. entry.S's section is linked at the address at which it is loaded.
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

// With paging on, in the kernel's text. An exchange takes the number, so that two CPUs never get
// the same one: a CPU that starts after boot_aps() has given it up, or that was not called,
// reads 0 and halts.
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
