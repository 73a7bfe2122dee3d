// The functions that panic, warn and assert (inc/assert.h) call in a program.

#include <inc/lib.h>

#define MESSAGE_SIZE 256 // Bytes. A longer message is cut, because the stack is only one page

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

// Print the message, then execute a breakpoint instruction: the kernel prints the registers and
// enters the monitor. If the user continues the program there, the loop executes the breakpoint
// again.
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
