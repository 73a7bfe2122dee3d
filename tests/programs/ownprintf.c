// Defines printf like a file descriptor layer: printf collects text in a small buffer and writes it
// to a numbered file. The library's warn must still print.

#include <inc/lib.h>

int printf(const char *fmt, ...);
int fprintf(int fd, const char *fmt, ...);
int vfprintf(int fd, const char *fmt, va_list ap);

struct outbuf {
	int fd;
	int used;
	int total;
	char text[16];
};

static void
flush(struct outbuf *out)
{
	if (out->used > 0)
		cprintf("<%d:%.*s>", out->fd, out->used, out->text);
	out->used = 0;
}

static void
putch(int c, void *arg)
{
	struct outbuf *out = arg;

	out->text[out->used++] = c;
	out->total++;
	if (out->used == sizeof(out->text))
		flush(out);
}

int
vfprintf(int fd, const char *fmt, va_list ap)
{
	struct outbuf out = { .fd = fd };

	vprintfmt(putch, &out, fmt, ap);
	flush(&out);
	return out.total;
}

int
fprintf(int fd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vfprintf(fd, fmt, ap);
	va_end(ap);
	return n;
}

int
printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vfprintf(1, fmt, ap);
	va_end(ap);
	return n;
}

void
umain(int argc, char **argv)
{
	int n = fprintf(2, "%d apples", 12);

	cprintf("\n");
	n += printf("twenty characters %x", 0xab);
	cprintf("\nin all %d\n", n);
	warn("this is still printed");
}
