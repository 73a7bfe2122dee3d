// The host's part of each fuzz target: physical memory for the kernel's code, and replacements for
// panic and cprintf. The only file of fuzz/ that includes the C library's headers.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <fuzz/host.h>

#define KERNMAX 0x10000000 // inc/memlayout.h

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static jmp_buf panic_exit;
static bool panic_is_caught;
static char panic_text[200];

__attribute__((constructor(101))) static void
map_physical_memory(void)
{
	void *base = (void *)HOST_KERNBASE;

	if (mmap(base, KERNMAX + HOST_EXTRA, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == base)
		return;
	perror("no room at HOST_KERNBASE for the kernel's physical memory");
	exit(1);
}

void
host_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
	abort();
}

const char *
host_catch_panic(void (*f)(void))
{
	if (setjmp(panic_exit) == 0) {
		panic_is_caught = true;
		f();
		panic_is_caught = false;
		return NULL;
	}
	panic_is_caught = false;
	return panic_text;
}

void
_panic(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
	va_end(ap);
	if (panic_is_caught)
		longjmp(panic_exit, 1);
	fprintf(stderr, "kernel panic at %s:%d: %s\n", file, line, panic_text);
	abort();
}

// Print nothing, but format the text, so that the sanitizers check the arguments.
int
cprintf(const char *fmt, ...)
{
	char text[1000];
	va_list ap;

	va_start(ap, fmt);
	int length = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return length;
}

// CPU 0 is the only CPU, and it holds the big lock. No page allocation fails on purpose.
struct {
	uint32_t word;
	const char *name;
} kernel_lock = { 0x28, "the big kernel lock" }; // As in kern/spinlock.h
const char *volatile panicstr;

uint32_t
host_str(void)
{
	return 0x28; // GD_TSS0, CPU 0's: inc/memlayout.h
}

uint32_t failalloc_left;

bool
failalloc_count(void)
{
	return false;
}
