// Formatted output, for the kernel and for programs. The caller passes a function that receives the
// text piece by piece. There is no state between calls. A call needs only about 300 bytes of stack,
// because the stacks of the kernel and of programs are small.
//
// Each conversion is parsed into a struct spec; then the function for this kind of conversion
// prints the argument. inc/stdio.h describes the conversions.

#include <inc/error.h>
#include <inc/stdio.h>
#include <inc/string.h>

// A parsed conversion: everything between the % and the letter.
struct spec {
	bool left;      // -: align to the left
	bool zeroes;    // 0: pad a number with zeroes
	bool printable; // #: print ? for unprintable characters
	unsigned width;
	int precision; // Negative if no precision is given
	int longs;     // The number of l's
};

// The function that receives the output, and the arguments that are not yet printed.
struct printer {
	void (*put)(const char *s, size_t len, void *putdat);
	void *putdat;
	va_list ap;
};

#define X(number, name, text) [number] = (text),
static const char *const error_texts[MAXERROR] = { ERRORS(X) };
#undef X

#define NUMBER_DIGITS 22 // Maximum digits of a number: 64 bits in octal

static void
put(struct printer *p, const char *s, unsigned len)
{
	if (len > 0)
		p->put(s, len, p->putdat);
}

static void
put_repeated(struct printer *p, char c, unsigned n)
{
	char piece[16];

	memset(piece, c, sizeof(piece));
	for (; n > sizeof(piece); n -= sizeof(piece))
		put(p, piece, sizeof(piece));
	put(p, piece, n);
}

static void
put_printable(struct printer *p, const char *s, unsigned len)
{
	for (; len > 0; len--, s++)
		put(p, *s < ' ' || *s > '~' ? "?" : s, 1);
}

// Print len characters of s, padded with spaces to the width in spec.
static void
put_padded(struct printer *p, const struct spec *spec, const char *s, unsigned len)
{
	unsigned padding = spec->width > len ? spec->width - len : 0;

	if (padding > 0 && !spec->left)
		put_repeated(p, ' ', padding);
	if (spec->printable)
		put_printable(p, s, len);
	else
		put(p, s, len);
	if (padding > 0 && spec->left)
		put_repeated(p, ' ', padding);
}

static void
put_string(struct printer *p, const struct spec *spec, const char *s)
{
	if (!s)
		s = "(null)";
	put_padded(p, spec, s, spec->precision < 0 ? strlen(s) : strnlen(s, spec->precision));
}

// Write the digits of number so that the last digit is at end - 1. Return a pointer to the first
// digit. If number is 0, no digit is written, and the result is end.
static char *
write_digits(char *end, unsigned long long number, unsigned base)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t word;

	for (; number >> 32; number /= base)
		*--end = digits[number % base];
	for (word = number; word > 0; word /= base)
		*--end = digits[word % base];
	return end;
}

// Print a number with a prefix: a sign, 0x, or an empty string.
static void
put_number(struct printer *p, const struct spec *spec, const char *prefix,
    unsigned long long number, unsigned base)
{
	char buf[NUMBER_DIGITS], *end = buf + sizeof(buf);
	char *start = write_digits(end, number, base);
	unsigned ndigits = end - start, nprefix = strlen(prefix);
	unsigned least = spec->precision < 0 ? 1 : spec->precision;
	unsigned nzeroes, padding;

	if (spec->zeroes && !spec->left && spec->precision < 0 && spec->width > nprefix)
		least = MAX(least, spec->width - nprefix);
	nzeroes = least > ndigits ? least - ndigits : 0;
	padding = nprefix + nzeroes + ndigits;
	padding = spec->width > padding ? spec->width - padding : 0;

	if (padding > 0 && !spec->left)
		put_repeated(p, ' ', padding);
	put(p, prefix, nprefix);
	for (; nzeroes > 0 && start > buf; nzeroes--)
		*--start = '0';
	if (nzeroes > 0)
		put_repeated(p, '0', nzeroes);
	put(p, start, end - start);
	if (padding > 0 && spec->left)
		put_repeated(p, ' ', padding);
}

static void
put_signed(struct printer *p, const struct spec *spec, long long number)
{
	if (number < 0)
		put_number(p, spec, "-", 0 - (unsigned long long)number, 10);
	else
		put_number(p, spec, "", number, 10);
}

static void
put_error(struct printer *p, const struct spec *spec, int error)
{
	unsigned number = error < 0 ? 0 - (unsigned)error : (unsigned)error;

	if (number < MAXERROR && error_texts[number]) {
		put_string(p, spec, error_texts[number]);
	} else {
		char text[20];

		snprintf(text, sizeof(text), "error %u", number);
		put_string(p, spec, text);
	}
}

static unsigned long long
next_unsigned(struct printer *p, int longs)
{
	if (longs >= 2)
		return va_arg(p->ap, unsigned long long);
	if (longs == 1)
		return va_arg(p->ap, unsigned long);
	return va_arg(p->ap, unsigned);
}

static long long
next_signed(struct printer *p, int longs)
{
	if (longs >= 2)
		return va_arg(p->ap, long long);
	if (longs == 1)
		return va_arg(p->ap, long);
	return va_arg(p->ap, int);
}

// Parse a width or precision: a number, or a *, which means that the next argument is the number. A
// number that is too large becomes INT32_MAX. Return a pointer to the next character.
static const char *
read_count(struct printer *p, const char *fmt, int *count)
{
	if (*fmt == '*') {
		*count = va_arg(p->ap, int);
		return fmt + 1;
	}
	for (*count = 0; *fmt >= '0' && *fmt <= '9'; fmt++) {
		if (*count > (INT32_MAX - 9) / 10)
			*count = INT32_MAX;
		else
			*count = *count * 10 + (*fmt - '0');
	}
	return fmt;
}

// Parse the conversion after a %. Return a pointer to the letter of the conversion.
static const char *
read_spec(struct printer *p, const char *fmt, struct spec *spec)
{
	int width;

	*spec = (struct spec){ .precision = -1 };
	for (;; fmt++) {
		if (*fmt == '-')
			spec->left = true;
		else if (*fmt == '0')
			spec->zeroes = true;
		else if (*fmt == '#')
			spec->printable = true;
		else
			break;
	}
	fmt = read_count(p, fmt, &width);
	if (width < 0)
		spec->left = true;
	spec->width = width < 0 ? 0 - (unsigned)width : (unsigned)width;
	if (*fmt == '.')
		fmt = read_count(p, fmt + 1, &spec->precision);
	for (; *fmt == 'l'; fmt++)
		spec->longs++;
	return fmt;
}

// Print the conversion after a %. Return a pointer to the text after the conversion. An unknown
// conversion is printed unchanged.
static const char *
put_conversion(struct printer *p, const char *fmt)
{
	struct spec spec;
	const char *letter = read_spec(p, fmt, &spec);
	char character;

	switch (*letter) {
	case 'd':
		put_signed(p, &spec, next_signed(p, spec.longs));
		break;
	case 'u':
		put_number(p, &spec, "", next_unsigned(p, spec.longs), 10);
		break;
	case 'o':
		put_number(p, &spec, "", next_unsigned(p, spec.longs), 8);
		break;
	case 'x':
		put_number(p, &spec, "", next_unsigned(p, spec.longs), 16);
		break;
	case 'p':
		put_number(p, &spec, "0x", (uintptr_t)va_arg(p->ap, void *), 16);
		break;
	case 'c':
		character = va_arg(p->ap, int);
		spec.printable = false;
		put_padded(p, &spec, &character, 1);
		break;
	case 's':
		put_string(p, &spec, va_arg(p->ap, const char *));
		break;
	case 'e':
		put_error(p, &spec, va_arg(p->ap, int));
		break;
	case '%':
		put(p, "%", 1);
		break;
	default:
		put(p, "%", 1);
		return fmt;
	}
	return letter + 1;
}

void
vprintpieces(
    void (*put_piece)(const char *, size_t, void *), void *putdat, const char *fmt, va_list ap)
{
	struct printer p = { .put = put_piece, .putdat = putdat };

	va_copy(p.ap, ap);
	while (*fmt) {
		const char *text = fmt;

		while (*fmt && *fmt != '%')
			fmt++;
		put(&p, text, fmt - text);
		if (*fmt)
			fmt = put_conversion(&p, fmt + 1);
	}
	va_end(p.ap);
}

// Two arguments of vprintfmt: the function that receives one character at a time, and the second
// argument for that function.
struct char_output {
	void (*putch)(int c, void *putdat);
	void *putdat;
};

static void
put_each(const char *s, size_t len, void *putdat)
{
	const struct char_output *output = putdat;

	for (; len > 0; len--, s++)
		output->putch((unsigned char)*s, output->putdat);
}

void
vprintfmt(void (*putch)(int, void *), void *putdat, const char *fmt, va_list ap)
{
	struct char_output output = { putch, putdat };

	vprintpieces(put_each, &output, fmt, ap);
}

void
printfmt(void (*putch)(int, void *), void *putdat, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintfmt(putch, putdat, fmt, ap);
	va_end(ap);
}

// The output of vsnprintf: a string in a buffer of `size` bytes. `length` also counts the
// characters for which the buffer has no room.
struct string_output {
	char *buf;
	unsigned size;
	unsigned length;
};

// Append a piece and a NUL to the string. Characters that do not fit are not stored, but `length`
// counts them.
static void
append(const char *s, size_t len, void *putdat)
{
	struct string_output *string = putdat;
	unsigned at = string->length, last = string->size - 1;

	string->length += len;
	if (at >= last)
		return;
	len = MIN(len, last - at);
	memcpy(string->buf + at, s, len);
	string->buf[at + len] = '\0';
}

int
vsnprintf(char *buf, int n, const char *fmt, va_list ap)
{
	struct string_output string = { buf, n, 0 };

	if (n <= 0 || buf == NULL)
		return -E_INVAL;
	*buf = '\0';
	vprintpieces(append, &string, fmt, ap);
	return string.length;
}

int
snprintf(char *buf, int n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	n = vsnprintf(buf, n, fmt, ap);
	va_end(ap);
	return n;
}
