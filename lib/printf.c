// cprintf for programs.
//
// While the kernel prints the text of one sys_cputs call, no other CPU can print. So that other
// output cannot split a line, cprintf collects its text in a buffer and prints whole lines with one
// call. The buffer is small because the stack is only one page. When the buffer is full, cprintf
// prints its complete lines, or the whole buffer if it has no newline.

#include <inc/lib.h>

#define BUFFER_SIZE 256

struct buffer {
	unsigned used;
	int total; // Characters added so far, including those already printed
	char text[BUFFER_SIZE];
};

// Print the first n characters of the buffer and keep the rest.
static void
print_first(struct buffer *b, unsigned n)
{
	sys_cputs(b->text, n);
	b->used -= n;
	memmove(b->text, b->text + n, b->used);
}

// Returns the number of characters up to and including the last newline in the buffer. If there is
// no newline, returns the number of all characters in the buffer.
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
			print_first(b, whole_lines(b));
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
		print_first(&b, b.used);
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
