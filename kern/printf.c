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
// between. A CPU that faults while it prints must still be able to say so: it goes
// on under the lock that it has. Returns whether cons_end has to drop it.
static bool
cons_begin(void)
{
	if (spin_holding(&cons_lock))
		return false;
	spin_lock(&cons_lock);
	return true;
}

static void
cons_end(bool taken)
{
	if (taken)
		spin_unlock(&cons_lock);
}

int
vcprintf(const char *fmt, va_list ap)
{
	int count = 0;
	bool taken = cons_begin();

	vprintfmt(putch, &count, fmt, ap);
	cons_end(taken);
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
	bool taken = cons_begin();

	for (size_t i = 0; i < len; i++)
		cons_putc(s[i]);
	cons_end(taken);
}
