// What panic, warn and assert of inc/assert.h do in a program.

#include <inc/lib.h>

#define MESSAGE_SIZE 256 // The stack is one page; what is longer is cut

static void
complain(const char *kind, const char *file, int line, const char *fmt, va_list ap)
{
	char message[MESSAGE_SIZE];

	vsnprintf(message, sizeof(message), fmt, ap);
	cprintf("[%08x] user %s in %s at %s:%d: %s\n", sys_getenvid(), kind, binaryname, file, line,
		message);
}

void
_warn(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain("warning", file, line, fmt, ap);
	va_end(ap);
}

// Say so, then stop for good at a breakpoint, so that the kernel shows where.
void
_panic(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain("panic", file, line, fmt, ap);
	va_end(ap);
	for (;;)
		breakpoint();
}
