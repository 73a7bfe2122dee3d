// What lib/readline.c needs from its surroundings, for the tests on the host: an
// input that is a script, and an output that is kept. tests/host/test_libc.py
// links this with lib/ (whose names all have the prefix jos_ there) and calls
// everything from Python.

#include <stdarg.h>
#include <string.h>

#define OUTPUT_SIZE (1 << 22)
#define INPUT_SIZE  (1 << 16)

void jos_vprintfmt(void (*putch)(int, void *), void *putdat, const char *fmt, va_list ap);
void *jos_memmove(void *dst, const void *src, size_t len);

static unsigned short input[INPUT_SIZE]; // Characters, and keys of inc/kbdreg.h
static unsigned input_length, input_next;
static int input_is_console;

unsigned char stub_output[OUTPUT_SIZE];
unsigned stub_output_length;
unsigned stub_marks[INPUT_SIZE + 1]; // The length of the output when key i was asked for

// Let the keys be what is typed from now on, and forget the output.
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

// The direction flag as jos_memmove leaves it.
int
stub_direction_after_memmove(void *dst, const void *src, size_t len)
{
	unsigned long flags;

	jos_memmove(dst, src, len);
	__asm__ volatile("pushf; pop %0; cld" : "=r"(flags));
	return flags >> 10 & 1;
}
