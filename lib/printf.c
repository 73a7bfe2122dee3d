// cprintf for programs. The kernel prints what one sys_cputs hands it in one
// piece, so a line is not cut in two by another CPU's as long as it goes out in one
// call. Hence the text is collected first, as far as a buffer on the one-page
// stack can; a longer text is handed over in whole lines where it has any.

#include <inc/lib.h>

#define BUFFER_SIZE 256

struct buffer {
	unsigned used;
	int total; // All characters so far, those that are out included
	char text[BUFFER_SIZE];
};

// Print the first n characters of the buffer and keep the rest.
static void
put_out(struct buffer *b, unsigned n)
{
	sys_cputs(b->text, n);
	b->used -= n;
	memmove(b->text, b->text + n, b->used);
}

// The length of the whole lines in the buffer, or all of it if there is none.
static unsigned
whole_lines(const struct buffer *b)
{
	unsigned n = b->used;

	while (n > 0 && b->text[n - 1] != '\n')
		n--;
	return n > 0 ? n : b->used;
}

static void
put_in_buffer(const char *s, size_t len, void *putdat)
{
	struct buffer *b = putdat;

	b->total += len;
	while (len > 0) {
		if (b->used == BUFFER_SIZE)
			put_out(b, whole_lines(b));
		size_t n = MIN(len, BUFFER_SIZE - b->used);
		memcpy(b->text + b->used, s, n);
		b->used += n;
		s += n;
		len -= n;
	}
}

int
vcprintf(const char *fmt, va_list ap)
{
	struct buffer b;

	b.used = 0;
	b.total = 0;
	vprintpieces(put_in_buffer, &b, fmt, ap);
	if (b.used > 0)
		put_out(&b, b.used);
	return b.total;
}

int
cprintf(const char *fmt, ...)
{
	va_list ap;
	int total;

	va_start(ap, fmt);
	total = vcprintf(fmt, ap);
	va_end(ap);
	return total;
}

int printf(const char *fmt, ...) __attribute__((alias("cprintf")));
