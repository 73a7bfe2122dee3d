// cprintf for the programs of a sealed grade: tools/grade/seal.py puts this file in the place of
// lib/printf.c, and adds a call of _seal_start to lib/libmain.c.
//
// Each piece of text that a program prints is followed by a seal, which a kernel cannot know in
// advance. The grader checks and removes the seals:
//
//	\1 TEXT \2 RUN CALLER CPU CHECKSUM \3		(hexadecimal; 8, 8, 2 and 8 digits)
//
// RUN     drawn when the program starts. A child has it because fork copies memory
// CALLER  the address from which cprintf was called; 0 in the empty piece of _seal_start
// CPU     the id of the local APIC, from the instruction cpuid, which a kernel cannot intercept
//
// The checksum covers all of this with a key, which the grader writes into the disk image.

#include <inc/lib.h>
#include <inc/x86.h>

#define BUFFER_SIZE 256
#define SEAL_SIZE   (8 + 8 + 2 + 8 + 2)

// The grader looks for these words. volatile: the compiler must not compute with them.
static const volatile uint32_t seal_key[4] = { 0x5EA1ED00, 0x1D7E5CA1, 0xC0FFEE5E, 0xA17B0A4D };
static uint32_t run;

struct buffer {
	uint32_t caller;
	unsigned used;
	int total; // Characters added so far, including those already printed
	char piece[1 + BUFFER_SIZE + SEAL_SIZE]; // \1, the text, the seal
};

static uint32_t
mix(uint32_t sum, uint32_t key, uint32_t word)
{
	sum = ((sum + key) ^ word) * 0x9E3779B1;
	return sum ^ sum >> 15;
}

static uint32_t
checksum(const char *text, size_t len, const uint32_t words[3])
{
	uint32_t sum = len;

	for (size_t i = 0; i < len; i++)
		sum = mix(sum, seal_key[i % 4], (uint8_t)text[i]);
	for (size_t i = 0; i < 3; i++)
		sum = mix(sum, seal_key[i], words[i]);
	return mix(sum, seal_key[3], 0);
}

static char *
put_hex(char *at, uint32_t value, int digits)
{
	for (int i = digits - 1; i >= 0; i--)
		*at++ = "0123456789abcdef"[value >> (4 * i) & 15];
	return at;
}

// Print the first n characters of the buffer's text with a seal, and keep the rest.
static void
print_first(struct buffer *b, unsigned n)
{
	char *text = b->piece + 1, rest[BUFFER_SIZE], *at = text + n;
	uint32_t ebx;

	memcpy(rest, text + n, b->used - n);
	cpuid(1, NULL, &ebx, NULL, NULL);
	uint32_t words[3] = { run, b->caller, ebx >> 24 };
	uint32_t sum = checksum(text, n, words);
	b->piece[0] = '\1';
	*at++ = '\2';
	at = put_hex(at, words[0], 8);
	at = put_hex(at, words[1], 8);
	at = put_hex(at, words[2], 2);
	at = put_hex(at, sum, 8);
	*at++ = '\3';
	sys_cputs(b->piece, at - b->piece);
	b->used -= n;
	memcpy(text, rest, b->used);
}

// As in lib/printf.c: the characters up to the last newline, or all.
static unsigned
whole_lines(const struct buffer *b)
{
	unsigned n = b->used;

	while (n > 0 && b->piece[n] != '\n')
		n--;
	return n > 0 ? n : b->used;
}

static void
put_in_buffer(const char *s, size_t len, void *putdat)
{
	struct buffer *b = putdat;

	b->total += len;
	while (len > 0) {
		if (b->used == BUFFER_SIZE)
			print_first(b, whole_lines(b));
		size_t n = MIN(len, BUFFER_SIZE - b->used);
		memcpy(b->piece + 1 + b->used, s, n);
		b->used += n;
		s += n;
		len -= n;
	}
}

static int
print(const char *fmt, va_list ap, void *caller)
{
	struct buffer b;

	b.caller = (uint32_t)caller;
	b.used = 0;
	b.total = 0;
	vprintpieces(put_in_buffer, &b, fmt, ap);
	if (b.used > 0)
		print_first(&b, b.used);
	return b.total;
}

int
vcprintf(const char *fmt, va_list ap)
{
	return print(fmt, ap, __builtin_return_address(0));
}

int
cprintf(const char *fmt, ...)
{
	va_list ap;
	int total;

	va_start(ap, fmt);
	total = print(fmt, ap, __builtin_return_address(0));
	va_end(ap);
	return total;
}

int printf(const char *fmt, ...) __attribute__((alias("cprintf")));

// Called once, before umain. Prints an empty piece with the number of this run.
void
_seal_start(void)
{
	struct buffer b;

	run = mix(seal_key[0], seal_key[1], (uint32_t)read_tsc());
	b.caller = 0;
	b.used = 0;
	print_first(&b, 0);
}
