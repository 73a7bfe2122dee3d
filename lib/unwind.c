// What GCC may call because of -fnon-call-exceptions (GNUmakefile): at -O3 it prepares a function to
// pass an exception on to its caller after the end of a variable's life. C has no exceptions, so
// this is never reached.

#include <inc/lib.h>

void _Unwind_Resume(void *exception) __attribute__((noreturn));

void
_Unwind_Resume(void *exception)
{
	panic("an exception %p in a program without exceptions", exception);
}
