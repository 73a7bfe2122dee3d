// The kernel's first instructions. A Multiboot loader (GRUB, qemu -kernel, our boot sector) jumps
// to _start with paging off. _start checks the machine. paging_on turns paging on with entry_pgdir,
// which maps low memory at its physical address and also above KERNBASE. entry_high runs above
// KERNBASE, on CPU 0's kernel stack, and calls i386_init, which never returns.
//
// The section .boot runs before paging is on, so it is linked at its physical address. The rest of
// the kernel is linked above KERNBASE. RELOC converts addresses in the rest to physical ones.

#include <inc/mmu.h>
#include <inc/memlayout.h>
#include <inc/multiboot.h>

#define RELOC(x) ((x) - KERNBASE)

#define HEADER_FLAGS (MULTIBOOT_PAGE_ALIGN | MULTIBOOT_MEMORY_INFO)
// Required bits of edx after cpuid 1: 4 MB pages, and conditional moves, which the compiler uses.
#define CPUID_EDX_NEEDED (1 << 3 | 1 << 15)
#define VGA_TEXT 0xB8000
#define COM1     0x3F8

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_HEADER_MAGIC
	.long HEADER_FLAGS
	.long -(MULTIBOOT_HEADER_MAGIC + HEADER_FLAGS)

	.section .boot, "ax"
	.globl entry
entry = _start + KERNBASE

	.globl _start
	.type _start, @function
_start:
	movl $no_multiboot, %esi
	cmpl $MULTIBOOT_BOOTLOADER_MAGIC, %eax
	jne refuse
	movl %ebx, %edi // Keep the loader's information, because cpuid overwrites ebx.

	// Check that the kernel fits into RAM. What the loader writes outside RAM is lost.
	movl $no_memory, %esi
	testl $MULTIBOOT_INFO_MEMORY, MULTIBOOT_FLAGS(%ebx)
	jz 1f
	movl MULTIBOOT_MEM_UPPER(%ebx), %eax
	cmpl $(4 * 1024 * 1024 - 1), %eax
	ja 1f
	shll $10, %eax
	cmpl $(end - KERNBASE - EXTPHYSMEM), %eax
	jb refuse
1:

	// Try to set the ID flag. If this fails, the CPU does not have the instruction cpuid.
	movl $too_old, %esi
	movl $RELOC(entry_stack_end), %esp
	pushl $FL_ID
	popfl
	pushfl
	popl %eax
	testl $FL_ID, %eax
	jz refuse
	movl $1, %eax
	cpuid
	notl %edx
	testl $CPUID_EDX_NEEDED, %edx
	jnz refuse

	movl $entry_high, %esi
	.size _start, . - _start

// Turn paging on, and jump to esi, an address above KERNBASE. mpentry.S also jumps here.
	.globl paging_on
	.type paging_on, @function
paging_on:
	movl %cr4, %eax
	orl $CR4_PSE, %eax
	movl %eax, %cr4
	movl $RELOC(entry_pgdir), %eax
	movl %eax, %cr3
	movl %cr0, %eax
	andl $~(CR0_CD | CR0_NW), %eax // Caches are off after a reset (Intel, volume 3, table 9-1).
	orl $(CR0_PE | CR0_PG | CR0_WP), %eax
	movl %eax, %cr0
	jmp *%esi // An indirect jump, because eip must change from a low to a high address.
	.size paging_on, . - paging_on

	.text
	.type entry_high, @function
entry_high:
	movl $KSTACKTOP, %esp
	xorl %ebp, %ebp // ebp 0 marks the end of a backtrace.
	pushl %edi
	call i386_init
	hlt
	.size entry_high, . - entry_high

// Print the string at esi on the screen and the serial port, and halt. Used before cons_init.
	.section .boot, "ax"
	.type refuse, @function
refuse:
	movl $VGA_TEXT, %edi
	movw $COM1, %dx
	movb $0x4F, %ah // Color: white on red
	cld
1:	lodsb
	testb %al, %al
	jz 2f
	stosw
	outb %al, %dx
	jmp 1b
2:	cli
	hlt
	jmp 2b
	.size refuse, . - refuse

no_multiboot:
	.asciz "JOS: not started by a Multiboot loader"
no_memory:
	.asciz "JOS: too little memory for the kernel"
too_old:
	.asciz "JOS: this CPU is too old for the kernel"

	.bss
	.balign 4
	.space 16
entry_stack_end:
