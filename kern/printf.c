// The kernel's cprintf, which uses lib/printfmt.c.

#include <inc/stdio.h>

#include <kern/dev/console.h>

static void
put(const char *s, size_t len, void *count)
{
	cons_put(s, len);
	*(int *)count += len;
}

// Print a text. vcprintf holds cons_lock for the whole text, so other CPUs cannot print in between.
int
vcprintf(const char *fmt, va_list ap)
{
	int count = 0;

	spin_lock(&cons_lock);
	vprintpieces(put, &count, fmt, ap);
	cga_update();
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
	cons_put(s, len);
	cga_update();
	spin_unlock(&cons_lock);
}
