#include <boot/boot.h>
#include <inc/mmu.h>
#include <inc/multiboot.h>

// The boot sector: from the BIOS, in real mode, to the kernel, as the Multiboot
// specification wants it entered. The BIOS has loaded these 512 bytes, and no
// more, to 0x7C00. Here are the things that C cannot do, or not in so few bytes;
// boot_main, in main.c, goes through the kernel's ELF with them. Code and data of
// both together may take BOOT_CODE_MAX bytes, which is why so much is done the short way.
//
//	0x100000 -> the kernel's segments, and nothing below
//	  0x7E00 -> +-----------------------------------------------+
//	            | this sector                                   |
//	  0x7C00 -> +-----------------------------------------------+
//	            | stack, growing down                           |
//	            | ...                                           |
//	  0x2E00 -> +-----------------------------------------------+
//	            | BOOT_ELFHDR: the first 15 sectors of the ELF  |
//	  0x1000 -> +-----------------------------------------------+
//	            | BOOT_CMDLINE: the command line's sector       |
//	  0x0E00 -> +-----------------------------------------------+
//	            | BOOT_INFO: struct MultibootInfo               |
//	  0x0D80 -> +-----------------------------------------------+
//	            | BOOT_MMAP: up to 80 struct MultibootRegion    |
//	  0x0600 -> +-----------------------------------------------+
//	            | the BIOS's vectors and data                   |
//	       0 -> +-----------------------------------------------+
//
// What the kernel is told is all in page 0: it stays good as long as the kernel
// gives that page to nobody.

// Selectors for the table at the end.
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10

// int 15h, eax = E820h. We ask for 20 bytes a region, which every BIOS knows; of
// the 24 that later ones have, the last four are flags.
#define E820        0xE820
#define SMAP        0x534D4150 // "SMAP"
#define REGION_SIZE 20

// Offsets in struct MultibootRegion, and from one to the next.
#define REGION_BASE      4
#define REGION_BASE_HIGH 8
#define REGION_LENGTH    12
#define REGION_TYPE      20
#define REGION_STEP      (REGION_BASE + REGION_SIZE)

// The first ATA channel. Registers from IDE_COUNT to IDE_COMMAND follow each other.
#define IDE_DATA    0x1F0
#define IDE_COUNT   0x1F2
#define IDE_COMMAND 0x1F7 // Read: the status

#define IDE_MASTER_LBA (0xE0 << 24) // Over bits 0 to 27 of a block address

#define IDE_READ_MULTIPLE 0xC4
#define IDE_SET_MULTIPLE  0xC6

// Of the status. While its sign bit says that the disk is busy, these say nothing.
#define IDE_FAULT 0x20
#define IDE_DRQ   0x08 // Data is there
#define IDE_ERROR 0x01

#define FAST_A20       0x92
#define FAST_A20_ON    0x02
#define FAST_A20_RESET 0x01 // Resets the CPU when it is written; some chips read as 1
#define POST     0x80 // A write to this port takes a microsecond and does nothing
#define COM1     0x3F8
#define LAST_ROW (0xB8000 + 24 * 80 * 2)

// A byte of struct MultibootInfo, when di has been counted up to BOOT_CMDLINE.
#define INFO_AT(offset) (BOOT_INFO + (offset) - BOOT_CMDLINE)(%di)

	.section .text16, "ax"
	.code16

// Entered by the BIOS at 0:0x7C00 or, by some, at 0x7C0:0. It does not matter:
// up to the far jump into protected mode, all jumps are relative.
	.globl start
start:
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$BOOT_STACKTOP, %esp

	// Clear everything from the map to the command line, and fill in what is known
	// already. Of the addresses only the second byte is not zero.
#if ((BOOT_CMDLINE | BOOT_MMAP) & 0xFFFF00FF) != 0
#error "BOOT_CMDLINE and BOOT_MMAP must be multiples of 256, below 64 KB"
#endif
	movw	$BOOT_MMAP, %di
	movw	$(BOOT_CMDLINE - BOOT_MMAP) / 2, %cx
	rep stosw
	movb	$(MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_MMAP), INFO_AT(MULTIBOOT_FLAGS)
	movb	$(BOOT_CMDLINE >> 8), INFO_AT(MULTIBOOT_CMDLINE + 1)
	movb	$(BOOT_MMAP >> 8), INFO_AT(MULTIBOOT_MMAP_ADDR + 1)

	// Enable address line 20, which a PC keeps at 0 for programs of the 8086: by the
	// BIOS, and by the chipset in case the BIOS cannot. The oldest way, through the
	// keyboard controller, may hang on a machine that has none.
	movw	$0x2401, %ax
	int	$0x15
	inb	$FAST_A20, %al
	orb	$FAST_A20_ON, %al
	andb	$~FAST_A20_RESET, %al
	outb	%al, $FAST_A20

	// One region a call, until the BIOS fails (at the first call: it has no map),
	// has no more to come (ebx), or no more fit. Beyond the map are zeros.
	movw	$BOOT_MMAP + REGION_BASE, %di
	xorl	%ebx, %ebx
next_region:
	movl	$E820, %eax
	movl	$SMAP, %edx
	pushl	$REGION_SIZE
	popl	%ecx
	int	$0x15
	jc	mapped
	cmpl	$SMAP, %eax
	jne	mapped
	movb	$REGION_SIZE, -REGION_BASE(%di)
	addw	$REGION_STEP, BOOT_INFO + MULTIBOOT_MMAP_LENGTH
	addw	$REGION_STEP, %di
	cmpw	$BOOT_INFO, %di
	jae	mapped
	testl	%ebx, %ebx
	jnz	next_region
mapped:
	// That was the last call: some BIOSes return with interrupts on.
	cli
	lgdt	gdt
	movl	%cr0, %eax
	orb	$CR0_PE, %al
	movl	%eax, %cr0
	ljmp	$KERNEL_CODE, $start32

	.text
	.code32

start32:
	movw	$KERNEL_DATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs
	jmp	boot_main

// void read_file(physaddr_t pa, uint32_t offset, uint32_t size)
// Whole blocks, and straight to where they belong, without a buffer. In ebx is the
// sector in the file (-1 for the command line), in edi the address, in ebp its end.
	.globl read_file
read_file:
	pushal
	leal	(%eax, %ecx), %ebp
	movl	%edx, %ebx
	andl	$BOOT_SECTSIZE - 1, %edx
	subl	%edx, %eax
	xchgl	%eax, %edi
	sarl	$9, %ebx
	// Ask for BOOT_BLOCK sectors at one go. A disk that refuses this refuses, then,
	// to read.
	movb	$IDE_SET_MULTIPLE, %al
	call	ide_command
1:
	movb	$IDE_READ_MULTIPLE, %al
	call	ide_command
	andb	$IDE_FAULT | IDE_DRQ | IDE_ERROR, %al
	cmpb	$IDE_DRQ, %al
	jne	no_disk
	movb	$IDE_DATA & 0xFF, %dl
	movl	$BOOT_BLOCK * BOOT_SECTSIZE / 4, %ecx
	rep insl
	addl	$BOOT_BLOCK, %ebx
	cmpl	%ebp, %edi
	jb	1b
	popal
	ret

// void check_memory(physaddr_t pa, uint32_t size)
// Look for an available region, not above 4 GB, that begins at pa or before and,
// counted from its beginning, is long enough.
	.globl check_memory
check_memory:
	pushal
	movl	$BOOT_MMAP - REGION_STEP, %esi
1:
	addl	$REGION_STEP, %esi
	movl	(%esi), %ecx
	jecxz	no_memory
	movl	REGION_TYPE(%esi), %ecx
	decl	%ecx // 0 if it is MULTIBOOT_MEMORY_AVAILABLE
	orl	REGION_BASE_HIGH(%esi), %ecx
	jnz	1b
	movl	%eax, %ecx
	subl	REGION_BASE(%esi), %ecx
	jb	1b
	addl	%edx, %ecx
	jc	1b
	cmpl	REGION_LENGTH(%esi), %ecx
	ja	1b
	popal
	ret

no_memory:
	movl	$memory_text, %eax
	jmp	stop

// Give the disk the command in al, for a block from sector ebx of the kernel's
// file on, and wait until it is done, or for as long as 2^25 looks at its status
// take: up to half a minute. Returns the status in al, IDE_COMMAND in dx.
ide_command:
	pushl	%eax
	leal	IDE_MASTER_LBA + BOOT_KERNEL_LBA(%ebx), %ecx
	movw	$IDE_COUNT, %dx
	movb	$BOOT_BLOCK, %al
	outb	%al, %dx
1:
	incl	%edx
	movb	%cl, %al
	outb	%al, %dx
	shrl	$8, %ecx
	jnz	1b // Not until the highest byte, of IDE_MASTER_LBA, is out
	popl	%eax
	incl	%edx
	outb	%al, %dx
	outb	%al, $POST // The status is good after 400 ns only
	incl	%ecx
	shll	$25, %ecx
2:
	inb	%dx, %al
	testb	%al, %al
	jns	3f
	incb	%al // All ones: nobody is there to drive the bus
	loopnz	2b
no_disk:
	movl	$disk_text, %eax

// void fail(const char *why)
// On the screen's last row, where the BIOS has hardly written, and on COM1, without
// waiting for it: that is for emulators.
	.globl fail
fail:
stop: // A name of this file's own gets the short jump
	xchgl	%eax, %esi
	movl	$LAST_ROW, %edi
	movw	$COM1, %dx
1:
	lodsb
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	stosb
	incl	%edi // Leave the colour
	jmp	1b
2:
	hlt
	jmp	2b
3:
	ret

// All of memory, as code and as data. The CPU never reads the first descriptor;
// the operand of lgdt fits there.
gdt:
	.word	3 * 8 - 1
	.long	gdt
	.word	0
	SEG(STA_X | STA_R, 0, 0xFFFFFFFF)
	SEG(STA_W, 0, 0xFFFFFFFF)

disk_text:
	.asciz	"disk error"
memory_text:
	.asciz	"no memory"
