#ifndef JOS_INC_STDIO_H
#define JOS_INC_STDIO_H

#include <inc/stdarg.h>
#include <inc/types.h>

// ---- lib/printfmt.c: formatted output, for the kernel and for programs ----
//
//	%[-][0][width][.precision][l|ll]conversion	(* for width or precision: an argument)
//	%d %u %o %x	a number	%c	a character	%p	a pointer
//	%s	a string, (null) for NULL	%e	the text of an error, of either sign
//	%%	a percent sign
//
// #, as in %#x, is accepted: with %s, characters that do not print become '?'.

// Put each character of the formatted text by putch(character, putdat).
void vprintfmt(void (*putch)(int, void *), void *putdat, const char *fmt, va_list ap);
void printfmt(void (*putch)(int, void *), void *putdat, const char *fmt, ...);

// The same, a piece of the text at a time: put(piece, length, putdat). No piece is empty.
void vprintpieces(
    void (*put)(const char *, size_t, void *), void *putdat, const char *fmt, va_list ap);

// Format into buf, of n bytes, always ended by a NUL. Return the length that the
// text has or, had there been room, would have had; -E_INVAL if there is no buf or n < 1.
int vsnprintf(char *buf, int n, const char *fmt, va_list ap);
int snprintf(char *buf, int n, const char *fmt, ...);

// ---- Output to the console. Return the number of characters. ----
// In the kernel kern/printf.c's, in a program lib/printf.c's.
int vcprintf(const char *fmt, va_list ap);
int cprintf(const char *fmt, ...);

// In programs only: cprintf under its usual name. A program may define its own.
int printf(const char *fmt, ...);

// ---- The console, a character at a time ----
// In the kernel kern/dev/console.c's, in a program lib/console.c's.
void cputchar(int c);
int getchar(void);    // Waits
int iscons(int fdnum);

// ---- lib/readline.c ----

// Print prompt (if not NULL), read a line, let the user edit it, and return it
// without its newline: NULL at the end of input. It stands in a buffer of the
// function's own, until the next call.
char *readline(const char *prompt);

#endif // JOS_INC_STDIO_H
