// Fuzz target for kern/dev/multiboot.c, and for the initialization of kern/pmap.c, which uses its
// memory map.
//
// The input is what a boot loader leaves in memory:
//
//	the physical address of the information, 32 bits
//	the lengths of the memory map and of the command line, 16 bits each
//	a byte: odd if the loader's name is "qemu"
//	the information: the part that the kernel reads (struct MultibootInfo)
//	the map and the command line; they are stored at the addresses in the information
//
// The kernel's result is compared with a second reading of the same memory, in 64-bit arithmetic
// and page by page.

#include <fuzz/kernel.h>

#include <kern/dev/multiboot.c>
#include <kern/pmap.c>
#include <fuzz/unused.h>

// The kernel ends at 2 MB.
__asm__(".globl end\n.set end, 0x50200000");

UNUSED(tlb_shootdown);
UNUSED(host_invlpg);
UNUSED(cpus);
UNUSED(env_destroy);
UNUSED(env_frame);
UNUSED(kdebug_print_user);

#define MAX_MEMORY 0x1000000 // Bytes; page_init takes too long with more

// ---- The boot loader ----

static struct MultibootInfo info; // A copy, made before the kernel overwrites memory
static physaddr_t info_pa;

static struct {
	physaddr_t pa;
	size_t len;
} written[4];
static int nwritten;

// Write bytes to physical memory. Bytes beyond the end of memory are dropped.
static void
write_memory(physaddr_t pa, const void *bytes, size_t len)
{
	if (pa >= KERNMAX)
		return;
	len = MIN(len, KERNMAX - pa);
	memcpy(KADDR(pa), bytes, len);
	written[nwritten].pa = pa;
	written[nwritten++].len = len;
}

static void
boot_loader(struct Input *in)
{
	info_pa = take_word(in);
	size_t map_length = take_half(in), text_length = take_half(in);
	bool qemu = take_byte(in) & 1;

	for (size_t i = 0; i < sizeof(info); i++)
		((uint8_t *)&info)[i] = take_byte(in);
	map_length = MIN(map_length, in->left);
	text_length = MIN(text_length, in->left - map_length);
	write_memory(info.mmap_addr, in->at, map_length);
	write_memory(info.cmdline, in->at + map_length, text_length);
	if (qemu)
		write_memory(info.boot_loader_name, "qemu", sizeof("qemu"));
	write_memory(info_pa, &info, sizeof(info));
}

// ---- The expected result ----

struct Region {
	uint64_t base, end;
	bool available;
};

static struct Region regions[0x10000 / 24 + 2];
static int nregions;

// Note a region. Returns false if the kernel must panic because its table has no room for this
// reserved range.
static bool
note_region(uint64_t base, uint64_t length, bool available)
{
	uint64_t end = length > UINT64_MAX - base ? UINT64_MAX : base + length;

	if (base >= KERNMAX || length == 0)
		return true;
	regions[nregions++] = (struct Region){ base, end, available };
	return nregions <= MAX_RANGES || available;
}

// Note the regions in the information. Returns false if the information is invalid.
static bool
read_regions(void)
{
	uint64_t at = info.mmap_addr, end = at + info.mmap_length;

	nregions = 0;
	if (!(info.flags & MULTIBOOT_INFO_MMAP)) {
		note_region(0, (uint64_t)info.mem_lower << 10, true);
		note_region(EXTPHYSMEM, (uint64_t)info.mem_upper << 10, true);
		return info.flags & MULTIBOOT_INFO_MEMORY;
	}
	if (at >= KERNMAX || end > KERNMAX)
		return false;
	while (end - at >= 24 && nregions < (int)ARRAY_SIZE(regions)) {
		struct MultibootRegion r;
		memcpy(&r, KADDR(at), sizeof(r));
		if (r.size < 20 || at + 4 + r.size > end ||
		    !note_region(r.base, r.length, r.type == MULTIBOOT_MEMORY_AVAILABLE))
			return false;
		at += 4 + (uint64_t)r.size;
	}
	return true;
}

static bool
cmdline_is_right(void)
{
	uint64_t at = info.cmdline;

	if (!(info.flags & MULTIBOOT_INFO_CMDLINE))
		return boot_cmdline[0] == '\0';
	if ((info.flags & MULTIBOOT_INFO_LOADER_NAME) &&
	    info.boot_loader_name <= KERNMAX - sizeof("qemu") &&
	    memcmp(KADDR(info.boot_loader_name), "qemu", sizeof("qemu")) == 0) {
		while (at < KERNMAX && *(char *)KADDR(at) && *(char *)KADDR(at) != ' ')
			at++;
	}
	for (int i = 0; i < CMDLINE_MAX - 1; i++, at++) {
		char c = at < KERNMAX ? *(char *)KADDR(at) : '\0';
		if (boot_cmdline[i] != c)
			return false;
		if (c == '\0')
			return true;
	}
	return boot_cmdline[CMDLINE_MAX - 1] == '\0';
}

// Whether a reserved region includes a part of the page.
static bool
is_reserved(uint64_t start)
{
	for (int i = 0; i < nregions; i++) {
		if (!regions[i].available && regions[i].base < start + PGSIZE &&
		    regions[i].end > start)
			return true;
	}
	return false;
}

// Whether the page may be on the free list: available RAM, and not used by the kernel.
static bool
is_usable(uint64_t start)
{
	if (start == 0 || start == MPENTRY_PADDR || is_reserved(start) ||
	    (start >= IOPHYSMEM && start < boot_next))
		return false;
	for (int i = 0; i < nregions; i++) {
		if (regions[i].available && regions[i].base <= start &&
		    regions[i].end >= start + PGSIZE)
			return true;
	}
	return false;
}

// ---- The kernel ----

static void
read_information(void)
{
	multiboot_init(info_pa);
}

static void
init_memory(void)
{
	detect_memory();
	pages = boot_alloc(pages_size());
	page_init();
}

static void
check_free_pages(void)
{
	size_t nfree = 0;

	for (physaddr_t pa = PADDR(end); pa < boot_next; pa += PGSIZE)
		must(!is_reserved(pa));
	for (struct PageInfo *pp = page_free_list; pp; pp = pp->pp_link) {
		must(pp >= pages && pp < pages + npages && pp->pp_ref == 0);
		nfree++;
	}
	must(nfree == page_nfree);
	for (size_t i = 0; i < npages; i++) {
		bool is_free = pages[i].pp_ref == 0;
		nfree -= is_free;
		must(!is_free || is_usable(i * PGSIZE));
		// The kernel ignores available ranges for which it has no room.
		must(is_free || nregions > MAX_RANGES || !is_usable(i * PGSIZE));
	}
	must(nfree == 0);
}

static void
check_memory(void)
{
	for (int i = 0; i < boot_nranges; i++) {
		if (boot_ranges[i].available && boot_ranges[i].end > MAX_MEMORY)
			return;
	}
	const char *text = host_catch_panic(init_memory);
	if (text)
		must(memcmp(text, "too little memory", strlen("too little memory")) == 0);
	else
		check_free_pages();
}

static void
reset_kernel(void)
{
	boot_nranges = 0;
	boot_memory_total = 0;
	memset(boot_cmdline, 0, sizeof(boot_cmdline));
	page_free_list = NULL;
	page_nfree = 0;
	boot_limit = 0;
	while (nwritten > 0) {
		nwritten--;
		memset(KADDR(written[nwritten].pa), 0, written[nwritten].len);
	}
}

__attribute__((constructor)) static void
poison_beyond_memory(void)
{
	__asan_poison_memory_region((void *)(KERNBASE + KERNMAX), HOST_EXTRA);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct Input in = { data, size };

	boot_loader(&in);
	bool whole = info_pa <= KERNMAX - sizeof(info);
	if (whole)
		memcpy(&info, KADDR(info_pa), sizeof(info));
	bool valid = whole && read_regions() &&
		     (!(info.flags & MULTIBOOT_INFO_CMDLINE) || info.cmdline < KERNMAX);

	const char *text = host_catch_panic(read_information);
	must(!text == valid);
	if (text) {
		must(memcmp(text, "the boot loader", strlen("the boot loader")) == 0);
	} else {
		must(boot_nranges <= MAX_RANGES && cmdline_is_right());
		for (int i = 0; i < boot_nranges; i++)
			must(boot_ranges[i].start < boot_ranges[i].end &&
			     boot_ranges[i].end <= KERNMAX);
		check_memory();
	}
	reset_kernel();
	return 0;
}
