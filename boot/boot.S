#include <boot/boot.h>
#include <inc/mmu.h>
#include <inc/multiboot.h>

// The boot sector. The BIOS loads only these 512 bytes, to 0x7C00, and jumps there in real mode.
// This code loads the kernel and enters it as the Multiboot specification requires:
//
//	step 1	start: clear the boot information, and fill in the fixed fields
//	step 2	enable address line 20
//	step 3	ask the BIOS for the memory map
//	step 4	enter protected mode
//	step 5	boot_main (main.c): load the kernel's ELF segments, and jump to the kernel
//
// This file has the code that cannot be written in C, or that would be longer in C. The code of
// boot.S and main.c must fit in BOOT_CODE_MAX bytes. So this file uses the shortest instructions,
// even where longer instructions would be easier to read.
//
// While this code runs, memory is used as follows:
//
//	0x100000 -> the kernel's segments; no segment is below this address
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
//	            | BOOT_MMAP: up to 79 struct MultibootRegion    |
//	  0x0600 -> +-----------------------------------------------+
//	            | the BIOS's vectors and data                   |
//	       0 -> +-----------------------------------------------+
//
// All information for the kernel is in page 0. This information stays valid, because the kernel
// never allocates that page.

// Selectors of the descriptors in gdt, at the end of this file
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10

// int 15h with eax = E820h returns the BIOS's memory map. We ask for 20 bytes per region, which
// every BIOS supports. Newer BIOSes can add four bytes of flags.
#define E820        0xE820
#define SMAP        0x534D4150 // "SMAP"
#define REGION_SIZE 20

// Offsets of fields in struct MultibootRegion, and the distance from one region to the next
#define REGION_BASE      4
#define REGION_BASE_HIGH 8
#define REGION_LENGTH    12
#define REGION_TYPE      20
#define REGION_STEP      (REGION_BASE + REGION_SIZE)

// Registers of the first ATA channel. The ports from IDE_COUNT to IDE_COMMAND are consecutive.
#define IDE_DATA    0x1F0
#define IDE_COUNT   0x1F2
#define IDE_COMMAND 0x1F7 // Writing sends a command; reading returns the status

#define IDE_MASTER_LBA (0xE0 << 24) // Master disk, LBA mode; the sector's number is in bits 0 to 27

#define IDE_READ_MULTIPLE 0xC4
#define IDE_SET_MULTIPLE  0xC6

// Bits of the status, which are valid only while bit 7 (busy) is 0
#define IDE_FAULT 0x20
#define IDE_DRQ   0x08 // Data is ready
#define IDE_ERROR 0x01

#define FAST_A20       0x92
#define FAST_A20_ON    0x02
#define FAST_A20_RESET 0x01 // Writing 1 resets the CPU. On some chips, this bit reads as 1
#define POST     0x80 // A write to this port takes a microsecond and has no other effect
#define COM1     0x3F8
#define LAST_ROW (0xB8000 + 24 * 80 * 2)

// The memory operand for a field of struct MultibootInfo, relative to di, which must be
// BOOT_CMDLINE. Such an operand is one byte shorter than an absolute address.
#define INFO_AT(offset) (BOOT_INFO + (offset) - BOOT_CMDLINE)(%di)

	.section .text16, "ax"
	.code16

// Most BIOSes jump to 0:0x7C00; some jump to 0x7C0:0, which is the same physical address. Both
// work, because all jumps before the far jump into protected mode are relative.
	.globl start
start:
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$BOOT_STACKTOP, %esp

	// Step 1. Clear the memory from BOOT_MMAP to BOOT_CMDLINE. Then fill in the fixed fields of
	// struct MultibootInfo. Of the addresses BOOT_CMDLINE and BOOT_MMAP, it is enough to store
	// the second byte: the other three bytes are zero.
#if ((BOOT_CMDLINE | BOOT_MMAP) & 0xFFFF00FF) != 0
#error "BOOT_CMDLINE and BOOT_MMAP must be multiples of 256, below 64 KB"
#endif
	movw	$BOOT_MMAP, %di
	movw	$(BOOT_CMDLINE - BOOT_MMAP) / 2, %cx
	rep stosw
	movb	$(MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_MMAP), INFO_AT(MULTIBOOT_FLAGS)
	movb	$(BOOT_CMDLINE >> 8), INFO_AT(MULTIBOOT_CMDLINE + 1)
	movb	$(BOOT_MMAP >> 8), INFO_AT(MULTIBOOT_MMAP_ADDR + 1)

	// Step 2. Enable address line 20. A PC holds this line at 0 for old programs of the 8086.
	// First ask the BIOS. Then also set the A20 bit of the chipset, in case the BIOS does not
	// know the call. The oldest way, through the keyboard controller, is not used: without such
	// a controller, this code could wait forever.
	movw	$0x2401, %ax
	int	$0x15
	inb	$FAST_A20, %al
	orb	$FAST_A20_ON, %al
	andb	$~FAST_A20_RESET, %al
	outb	%al, $FAST_A20

	// Step 3. Each BIOS call adds one region of memory to the table at BOOT_MMAP. The
	// loop ends after the last region (ebx is 0), when the table is full, or when a call fails.
	// If the first call fails, the BIOS has no map, and the table stays empty. In the table,
	// zeros follow the last region.
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
	cmpw	$BOOT_INFO - REGION_STEP, %di // The last entry stays zero.
	jae	mapped
	testl	%ebx, %ebx
	jnz	next_region
mapped:
	// Step 4. Enter protected mode. First disable interrupts, because some BIOSes return with
	// interrupts enabled. After this step, the code makes no more BIOS calls.
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
	jmp	boot_main // Step 5

// void read_file(physaddr_t pa, uint32_t offset, uint32_t size)
// Read whole blocks directly to their addresses, without a buffer.
// ebx: next sector of the file (-1: the command line); edi: next address; ebp: pa + size.
	.globl read_file
read_file:
	pushal
	leal	(%eax, %ecx), %ebp
	movl	%edx, %ebx
	andl	$BOOT_SECTSIZE - 1, %edx
	subl	%edx, %eax
	xchgl	%eax, %edi
	sarl	$9, %ebx
	// Set the block size to BOOT_BLOCK sectors. If the disk refuses this, the read below fails.
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
// Check that all addresses from pa to pa + size are in one available region that begins below 4 GB.
// If not, print an error and halt.
	.globl check_memory
check_memory:
	pushal
	movl	$BOOT_MMAP - REGION_STEP, %esi
1:
	addl	$REGION_STEP, %esi
	movl	(%esi), %ecx
	jecxz	no_memory
	movl	REGION_TYPE(%esi), %ecx
	decl	%ecx // 0 if the type is MULTIBOOT_MEMORY_AVAILABLE
	orl	REGION_BASE_HIGH(%esi), %ecx
	jnz	1b
	movl	%eax, %ecx
	subl	REGION_BASE(%esi), %ecx // ecx = pa - base
	jb	1b
	addl	%edx, %ecx // ecx = pa - base + size: the region must be at least this long
	jc	1b
	cmpl	REGION_LENGTH(%esi), %ecx
	ja	1b
	popal
	ret

no_memory:
	movl	$memory_text, %eax
	jmp	stop

// Send the command in al to the disk, for a block that begins at sector ebx of the kernel's file.
// Wait until the disk is ready. If there is no disk, or if the disk is not ready after 2^25 reads
// of its status (up to half a minute), print an error and halt. Returns the status in al and
// IDE_COMMAND in dx.
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
	jnz	1b // ecx is 0 after its highest byte (from IDE_MASTER_LBA) is written.
	popl	%eax
	incl	%edx
	outb	%al, %dx
	outb	%al, $POST // Wait: the status is not valid until 400 ns after a command.
	incl	%ecx
	shll	$25, %ecx
2:
	inb	%dx, %al
	testb	%al, %al
	jns	3f
	incb	%al // If all bits are ones, there is no disk: stop waiting.
	loopnz	2b
no_disk:
	movl	$disk_text, %eax

// void fail(const char *why)
// Print the text in the screen's last row, which BIOSes rarely use, and on COM1. Then halt. The
// code does not wait until COM1 is ready: an emulator's COM1 is always ready, but a real one would
// lose characters.
	.globl fail
fail:
stop: // Jumps to this local label are shorter than jumps to a global label.
	xchgl	%eax, %esi
	movl	$LAST_ROW, %edi
	movw	$COM1, %dx
1:
	lodsb
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	stosb
	incl	%edi // Skip the character's colour.
	jmp	1b
2:
	hlt
	jmp	2b
3:
	ret

// Two segments, for code and for data. Both begin at address 0 and have a size of 4 GB. The CPU
// never reads the first descriptor, so the operand of lgdt can be stored there.
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
