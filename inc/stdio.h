#ifndef JOS_INC_STDIO_H
#define JOS_INC_STDIO_H

#include <inc/stdarg.h>
#include <inc/types.h>

// ---- lib/printfmt.c: formatted output, for the kernel and for programs ----
//
// The conversions are:
//
//	%[-][0][width][.precision][l|ll]conversion	(* means: the next argument)
//	%d %u %o %x	a number	%c	a character	%p	a pointer
//	%s	a string, (null) for NULL	%e	the text of error E_X or -E_X
//	%%	a percent sign
//
// The flag # is also accepted, as in %#x. This flag changes only %s: unprintable characters become
// '?'.

// Call putch(character, putdat) for each character of the formatted text.
void vprintfmt(void (*putch)(int, void *), void *putdat, const char *fmt, va_list ap);
void printfmt(void (*putch)(int, void *), void *putdat, const char *fmt, ...);

// The same as vprintfmt, but calls put(piece, length, putdat) for each piece of the text. No piece
// is empty.
void vprintpieces(
    void (*put)(const char *, size_t, void *), void *putdat, const char *fmt, va_list ap);

// Format into buf, which has n bytes. The result always ends with a NUL. Returns the length of the
// whole text, even if buf has no room for all of it, or -E_INVAL if buf is NULL or n < 1.
int vsnprintf(char *buf, int n, const char *fmt, va_list ap);
int snprintf(char *buf, int n, const char *fmt, ...);

// ---- Formatted output to the console: kern/printf.c, and for programs lib/printf.c ----

// Both functions return the number of printed characters.
int vcprintf(const char *fmt, va_list ap);
int cprintf(const char *fmt, ...);

// cprintf under the name that the C standard has. Only for programs; a program may define its own
// printf.
int printf(const char *fmt, ...);

// ---- Single characters: kern/dev/console.c, and for programs lib/console.c ----

void cputchar(int c);
int getchar(void); // Waits for a character
int iscons(int fdnum);

// ---- lib/readline.c ----

// Print prompt, if it is not NULL, and read a line, which can be edited. Returns the line without
// its newline, or NULL at the end of input. The next call overwrites the line.
char *readline(const char *prompt);

// Two functions that a user of readline may provide; NULL: none. At Tab, readline completes the
// word before the cursor: readline_candidate returns candidate number n (from 0) for the word that
// starts at line[word], or NULL after the last candidate; the line up to there ends with a NUL
// somewhere after `word`. At Ctrl-P, readline_show prints something above the line.
extern const char *(*readline_candidate)(const char *line, unsigned word, unsigned n);
extern void (*readline_show)(void);

// lib/complete.c: what the candidates for a word have in common.
struct Completion {
	const char *text; // A candidate that begins with the word, or NULL if there is none
	unsigned common;  // Number of characters at its start that all such candidates share
	unsigned count;   // Number of such candidates
};

// Find the candidates for the word of `len` characters at line[word]. With `print`, print them.
struct Completion complete_word(const char *line, unsigned word, unsigned len, bool print);

#endif // JOS_INC_STDIO_H
