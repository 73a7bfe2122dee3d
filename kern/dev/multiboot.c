// Read the boot loader's information: the memory map and the command line. This information is in
// memory that page_init will soon put on the free list, so multiboot_init copies the information
// first. The kernel cannot trust the information, so it checks each address and length before use.
// The boot loader is GRUB, QEMU, or our boot sector (boot/boot.S), which asks the BIOS for the
// memory map. init.c calls multiboot_init once. pmap.c reads boot_ranges; init.c reads
// boot_cmdline.

#include <inc/assert.h>
#include <inc/string.h>

#include <kern/dev/multiboot.h>
#include <kern/pmap.h>

struct MemRange boot_ranges[MAX_RANGES];
int boot_nranges;
uint64_t boot_memory_total;
char boot_cmdline[CMDLINE_MAX];

// If all of the len bytes at physical address pa are below KERNMAX, return a pointer to them.
// Otherwise return NULL.
static const void *
loader_data(physaddr_t pa, size_t len)
{
	if (pa >= KERNMAX || len > KERNMAX - pa)
		return NULL;
	return KADDR(pa);
}

static void
add_range(uint64_t base, uint64_t length, bool available)
{
	if (length > UINT64_MAX - base)
		length = UINT64_MAX - base;
	if (available)
		boot_memory_total += MIN(length, UINT64_MAX - boot_memory_total);
	if (base >= KERNMAX || length == 0)
		return;
	if (boot_nranges == MAX_RANGES) {
		// It is safe to ignore available memory. It is not safe to ignore a reserved range:
		// the kernel might use that memory.
		if (!available)
			panic("the boot loader's memory map has more than %d ranges", MAX_RANGES);
		cprintf("memory map: more than %d ranges, the rest is ignored\n", MAX_RANGES);
		return;
	}
	boot_ranges[boot_nranges++] = (struct MemRange){
		.start = base,
		.end = MIN(base + length, (uint64_t)KERNMAX),
		.available = available,
	};
}

static void
read_memory_map(physaddr_t pa, uint32_t length)
{
	const uint8_t *map = loader_data(pa, length);
	if (!map)
		panic(
		    "the boot loader's memory map at %08x, %u bytes, is out of reach", pa, length);

	struct MultibootRegion region;
	for (uint32_t at = 0; length - at >= sizeof(region);) {
		memcpy(&region, map + at, sizeof(region));
		uint32_t room = length - at - sizeof(region.size);
		if (region.size < sizeof(region) - sizeof(region.size) || region.size > room)
			panic("the boot loader's memory map has an entry of %u bytes", region.size);
		add_range(region.base, region.length, region.type == MULTIBOOT_MEMORY_AVAILABLE);
		at += sizeof(region.size) + region.size;
	}
}

static void
read_cmdline(const struct MultibootInfo *info)
{
	const char *text = loader_data(info->cmdline, 1);
	if (!text)
		panic("the boot loader's command line at %08x is out of reach", info->cmdline);
	size_t len = strnlen(text, KERNMAX - info->cmdline);

	// `qemu -kernel` puts the name of the kernel's file before the command line: skip the name.
	// GRUB and our boot sector pass no name.
	const char *loader = NULL;
	if (info->flags & MULTIBOOT_INFO_LOADER_NAME)
		loader = loader_data(info->boot_loader_name, sizeof("qemu"));
	if (loader && strncmp(loader, "qemu", sizeof("qemu")) == 0) {
		for (; len > 0 && *text != ' '; len--)
			text++;
	}
	if (len >= CMDLINE_MAX) {
		len = CMDLINE_MAX - 1;
		cprintf("command line: only the first %u characters are read\n", len);
	}
	memcpy(boot_cmdline, text, len);
	boot_cmdline[len] = '\0';
}

void
multiboot_init(physaddr_t pa)
{
	struct MultibootInfo info;
	const void *data = loader_data(pa, sizeof(info));
	if (!data)
		panic("the boot loader's information at %08x is out of reach", pa);
	memcpy(&info, data, sizeof(info)); // The data may be unaligned.

	if (info.flags & MULTIBOOT_INFO_MMAP) {
		read_memory_map(info.mmap_addr, info.mmap_length);
	} else if (info.flags & MULTIBOOT_INFO_MEMORY) {
		add_range(0, (uint64_t)info.mem_lower * 1024, true);
		add_range(EXTPHYSMEM, (uint64_t)info.mem_upper * 1024, true);
	} else {
		panic("the boot loader does not say how much memory there is");
	}
	if (info.flags & MULTIBOOT_INFO_CMDLINE)
		read_cmdline(&info);
}
