// Tests which memory a program may not write, or not even read: the kernel's tables, the kernel's
// memory and the program's own text. Also tests that a program may not use I/O ports. A child tries
// each access, and the kernel must destroy the child.

#include "conform.h"

static volatile uint32_t *address; // The child reads or writes here.

static void
read_word(void)
{
	USED(*address);
	STATE->words[0] = 1;
}

// Write the value that is already there: if the write is wrongly allowed, it does no harm.
static void
write_word(void)
{
	*address = STATE->words[1];
	STATE->words[0] = 1;
}

static void
check_unreadable(uint32_t va)
{
	address = (volatile uint32_t *)va;
	STATE->words[0] = 0;
	conform_in_child(read_word);
	conform_count_with(va, __LINE__, "read was allowed", 0, STATE->words[0]);
	STATE->words[0] = STATE->words[1] = 0;
	conform_in_child(write_word);
	conform_count_with(va, __LINE__, "write was allowed", 0, STATE->words[0]);
}

static void
check_read_only(const volatile void *va)
{
	address = (volatile uint32_t *)va;
	STATE->words[1] = *address;
	STATE->words[0] = 0;
	conform_in_child(write_word);
	conform_count_with((uint32_t)va, __LINE__, "write was allowed", 0, STATE->words[0]);
}

static uint16_t port;

static void
read_port(void)
{
	inb(port);
	STATE->words[0] = 1;
}

// No port may be read. A TSS with a short I/O bitmap would allow the first ports.
static void
check_ports(void)
{
	static const uint16_t ports[] = { 0, 1, 7, 8, 0x1F, 0x20, 0x21, 0x3F, 0x40, 0x43, 0x60,
		0x64, 0x70, 0x71, 0x80, 0x92, 0xA1, 0x3F8, 0x3FF, 0x400, 0xCF8, 0x7FFF, 0xFFFF };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		port = ports[i];
		STATE->words[0] = 0;
		conform_in_child(read_port);
		conform_count_with(port, __LINE__, "read was allowed", 0, STATE->words[0]);
	}
}

void
umain(int argc, char **argv)
{
	static const uint32_t unreadable[] = { ULIM, MMIOBASE, MMIOLIM - PGSIZE, MMIOLIM,
		KSTACKTOP - 4, KSTACKTOP - KSTKSIZE, KERNBASE, KERNBASE + IOPHYSMEM,
		KERNBASE + EXTPHYSMEM, 0xFFFFF000, 0xFFFFFFFC };
	unsigned i;

	conform_begin("conform_memory");
	for (i = 0; i < ARRAY_SIZE(unreadable); i++)
		check_unreadable(unreadable[i]);

	// Page tables, and the page directory
	check_read_only(&uvpt[PGNUM(UTEXT)]);
	check_read_only(&uvpt[PGNUM(USTACKTOP) - 1]);
	check_read_only(&uvpt[PGNUM(UPAGES)]);
	check_read_only(&uvpt[PGNUM(KERNBASE)]);
	check_read_only(&uvpd[PDX(UTEXT)]);
	check_read_only(&uvpd[PDX(KERNBASE)]);

	check_read_only(&pages[0]);
	check_read_only(&pages[PGNUM(conform_page(STATE))]);
	check_read_only(&envs[0]);
	check_read_only(&thisenv->env_status);
	check_read_only(&envs[NENV - 1]);
	check_read_only((const void *)UTEXT);
	check_ports();
	conform_end();
}
