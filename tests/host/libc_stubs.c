// The console for lib/ in the tests on the host: keys come from an array, and the output is stored.
// tests/host/libc.py links this file with lib/, where all names have the prefix jos_.

#include <stdarg.h>
#include <string.h>

#define OUTPUT_SIZE (1 << 22)
#define INPUT_SIZE  (1 << 16)

void jos_vprintfmt(void (*putch)(int, void *), void *putdat, const char *fmt, va_list ap);
void *jos_memmove(void *dst, const void *src, size_t len);

static unsigned short input[INPUT_SIZE]; // Characters and keys of inc/kbdreg.h
static unsigned input_length, input_next;
static int input_is_console;

unsigned char stub_output[OUTPUT_SIZE];
unsigned stub_output_length;
unsigned stub_marks[INPUT_SIZE + 1]; // The length of the output when key i was read

// Type these keys from now on, and drop the stored output.
void
stub_script(const unsigned short *keys, unsigned n, int is_console)
{
	memcpy(input, keys, n * sizeof(*keys));
	input_length = n;
	input_next = 0;
	input_is_console = is_console;
	stub_output_length = 0;
}

int
jos_getchar(void)
{
	stub_marks[input_next] = stub_output_length;
	return input_next < input_length ? input[input_next++] : -1;
}

void
jos_cputchar(int c)
{
	if (stub_output_length < OUTPUT_SIZE)
		stub_output[stub_output_length++] = c;
}

int
jos_iscons(int fdnum)
{
	(void)fdnum;
	return input_is_console;
}

static void
put_out(int c, void *putdat)
{
	(void)putdat;
	jos_cputchar(c);
}

int
jos_cprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	jos_vprintfmt(put_out, 0, fmt, ap);
	va_end(ap);
	return 0;
}

// The direction flag after jos_memmove.
int
stub_direction_after_memmove(void *dst, const void *src, size_t len)
{
	unsigned long flags;

	jos_memmove(dst, src, len);
	__asm__ volatile("pushf; pop %0; cld" : "=r"(flags));
	return flags >> 10 & 1;
}
