// Pipes made only of lab 4's system calls. A file is a page that points to a ring of bytes. Fork
// shares both (PTE_SHARE). A reader is at the end when no environment has the write side mapped.

#include <inc/lib.h>

#define FILES      ((struct file *)0xD0000000)
#define RING       ((struct ring *)0xD0400000)
#define SHARED     (PTE_P | PTE_U | PTE_W | PTE_SHARE)
#define READ_SIDE  0
#define WRITE_SIDE 1

struct ring {
	volatile uint32_t read, written;
	uint8_t bytes[32];
};

struct file {
	struct ring *ring;
	uint8_t rest[PGSIZE - sizeof(struct ring *)];
};

static const char sent[] = "Now is the time for all good men to come to the aid of their party.";

static uint32_t
page_references(void *va)
{
	if (!(uvpd[PDX(va)] & PTE_P) || !(uvpt[PGNUM(va)] & PTE_P))
		return 0;
	return pages[PGNUM(uvpt[PGNUM(va)])].pp_ref;
}

static void
must(int r, const char *what)
{
	if (r < 0)
		panic("%s: %e", what, r);
}

static void
open_pipe(void)
{
	struct ring *again = (void *)RING + PGSIZE;

	must(sys_page_alloc(0, &FILES[READ_SIDE], SHARED), "reader");
	must(sys_page_alloc(0, &FILES[WRITE_SIDE], SHARED), "writer");
	must(sys_page_alloc(0, RING, SHARED), "ring");
	must(sys_page_map(0, RING, 0, again, SHARED), "ring again");
	FILES[READ_SIDE].ring = RING;
	FILES[WRITE_SIDE].ring = again;
}

// Unmap the file first. Between the two calls, this side still seems to be open, which is harmless.
static void
close(int side)
{
	struct ring *ring = FILES[side].ring;

	sys_page_unmap(0, &FILES[side]);
	sys_page_unmap(0, ring);
}

// An environment that has a side open maps the side's file, and the ring at the side's address. So
// if the ring has as many mappings as this side's file, no environment has the other side open.
static bool
other_side_closed(int side)
{
	uint32_t runs;
	bool closed;

	do {
		runs = thisenv->env_runs;
		closed = page_references(&FILES[side]) == page_references(FILES[side].ring);
	} while (runs != thisenv->env_runs);
	return closed;
}

// Read one byte. Returns false at the end.
static bool
read(uint8_t *byte)
{
	struct ring *ring = FILES[READ_SIDE].ring;

	while (ring->read == ring->written) {
		if (other_side_closed(READ_SIDE) && ring->read == ring->written)
			return false;
		sys_yield();
	}
	*byte = ring->bytes[ring->read % sizeof(ring->bytes)];
	ring->read++;
	return true;
}

// Write one byte. Returns false if there is no reader.
static bool
write(uint8_t byte)
{
	struct ring *ring = FILES[WRITE_SIDE].ring;

	while (ring->written - ring->read == sizeof(ring->bytes)) {
		if (other_side_closed(WRITE_SIDE))
			return false;
		sys_yield();
	}
	ring->bytes[ring->written % sizeof(ring->bytes)] = byte;
	ring->written++;
	return true;
}

static void
read_all(void)
{
	char got[sizeof(sent) + 1];
	size_t n = 0;

	close(WRITE_SIDE);
	while (n < sizeof(got) && read((uint8_t *)&got[n]))
		n++;
	got[MIN(n, sizeof(got) - 1)] = '\0';
	printf("read %u bytes: %s\n", n, strcmp(got, sent) == 0 ? "right" : got);
}

static void
write_all(void)
{
	close(READ_SIDE);
	for (size_t i = 0; i < sizeof(sent) - 1; i++)
		if (!write(sent[i]))
			panic("no reader");
	close(WRITE_SIDE);
}

// The reader has closed its side: the writer gets an error when the ring is full.
static void
write_without_reader(void)
{
	int n = 0;

	close(READ_SIDE);
	while (write('x'))
		n++;
	printf("no reader after %d bytes\n", n);
}

void
umain(int argc, char **argv)
{
	open_pipe();
	envid_t child = fork();
	if (child == 0) {
		read_all();
		exit();
	}
	write_all();
	while (envs[ENVX(child)].env_id == child && envs[ENVX(child)].env_status != ENV_FREE)
		sys_yield();

	open_pipe();
	if (fork() == 0) {
		close(READ_SIDE);
		close(WRITE_SIDE);
		exit();
	}
	write_without_reader();
}
