// The kernel's cprintf, on top of lib/printfmt.c.

#include <inc/stdio.h>

#include <kern/console.h>

static void
putch(int c, void *count)
{
	cons_putc(c);
	++*(int *)count;
}

// The console's lock is held for the whole text, so that no other CPU's comes in
// between.
int
vcprintf(const char *fmt, va_list ap)
{
	int count = 0;

	spin_lock(&cons_lock);
	vprintfmt(putch, &count, fmt, ap);
	cons_end_text();
	spin_unlock(&cons_lock);
	return count;
}

int
cprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int count = vcprintf(fmt, ap);
	va_end(ap);
	return count;
}

void
cons_write(const char *s, size_t len)
{
	spin_lock(&cons_lock);
	for (size_t i = 0; i < len; i++)
		cons_putc(s[i]);
	cons_end_text();
	spin_unlock(&cons_lock);
}
