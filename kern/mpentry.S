// Where the other CPUs start. A STARTUP interrupt from boot_aps() sets one off in
// real mode at MPENTRY_PADDR, where it has copied the code between mpentry_start
// and mpentry_end. This goes to protected mode as boot/boot.S did, to paging by
// entry.S's paging_on, takes the number that boot_aps() has laid out and the kernel stack
// of that number, and calls mp_main.
//
// The code is linked above KERNBASE like all of the kernel, and runs elsewhere:
// until paging is on, each address in it must be taken through MPBOOTPHYS.

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
	movw %ax, %es
	movw %ax, %ss
	lgdtl MPBOOTPHYS(start_gdt_desc)
	movl %cr0, %eax
	orl $CR0_PE, %eax
	movl %eax, %cr0
	ljmpl $GD_KT, $MPBOOTPHYS(start32)

	.code32
start32:
	movw $GD_KD, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $mpentry_high, %esi
	movl $paging_on, %eax // By its address: from this copy, its distance is another.
	jmp *%eax

	.balign 4
start_gdt:
	SEG_NULL
	SEG(STA_X | STA_R, 0x0, 0xFFFFFFFF)
	SEG(STA_W, 0x0, 0xFFFFFFFF)
start_gdt_desc:
	.word 0x17
	.long MPBOOTPHYS(start_gdt)

	.globl mpentry_end
mpentry_end:
	.size mpentry_start, . - mpentry_start

// Up here in the kernel proper. The number is taken by an exchange, so that two
// CPUs can never both have it: one that comes when boot_aps() has given up on
// it, or that nobody called, finds 0 and stays out.
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
