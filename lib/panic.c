// The functions behind panic, warn and assert (inc/assert.h) in a program.

#include <inc/lib.h>

#define MESSAGE_SIZE 256 // Bytes; a longer text is cut. The stack is only one page

static void
print_message(const char *kind, const char *file, int line, const char *fmt, va_list ap)
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
	print_message("warning", file, line, fmt, ap);
	va_end(ap);
}

// Print the message and execute breakpoints. At the first, the kernel enters the monitor and shows
// the registers; the loop is there in case it continues the program.
void
_panic(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_message("panic", file, line, fmt, ap);
	va_end(ap);
	for (;;)
		breakpoint();
}
