// Strings and memory, for the kernel and for programs: nothing here calls
// anything or keeps anything, so anybody may call in at any time.
//
// The functions that move or fill blocks let the CPU's string instructions do
// it, four bytes at a time, then the odd bytes. By the ABI (System V, Intel386
// supplement, "Registers") the direction flag is clear when a function is
// entered and when it returns, so only copy_down touches it, and puts it back.

#include <inc/string.h>

size_t
strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return end - s;
}

// The length of s, or size if it has no end before that.
size_t
strnlen(const char *s, size_t size)
{
	size_t len = 0;

	while (len < size && s[len])
		len++;
	return len;
}

char *
strcpy(char *dst, const char *src)
{
	memcpy(dst, src, strlen(src) + 1);
	return dst;
}

// Fill size bytes at dst with src and NULs. If src is too long there is no NUL.
char *
strncpy(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(src, size);

	memcpy(dst, src, len);
	memset(dst + len, 0, size - len);
	return dst;
}

char *
strcat(char *dst, const char *src)
{
	strcpy(dst + strlen(dst), src);
	return dst;
}

// Copy as much of src as fits size bytes with its NUL. Return src's length: if
// that is not below size, something was left out.
size_t
strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size > 0) {
		size_t copied = MIN(len, size - 1);

		memcpy(dst, src, copied);
		dst[copied] = '\0';
	}
	return len;
}

int
strcmp(const char *s1, const char *s2)
{
	while (*s1 && *s1 == *s2) {
		s1++;
		s2++;
	}
	return (unsigned char)*s1 - (unsigned char)*s2;
}

int
strncmp(const char *s1, const char *s2, size_t size)
{
	for (; size > 0; size--, s1++, s2++) {
		if (*s1 != *s2)
			return (unsigned char)*s1 - (unsigned char)*s2;
		if (!*s1)
			break;
	}
	return 0;
}

// Where c first is in s, its NUL being a part of it, or NULL.
char *
strchr(const char *s, char c)
{
	s = strfind(s, c);
	return *s == c ? (char *)s : NULL;
}

// Where c first is in s, or the end of s.
char *
strfind(const char *s, char c)
{
	while (*s && *s != c)
		s++;
	return (char *)s;
}

void *
memset(void *dst, int c, size_t len)
{
	void *to = dst;
	uint32_t pattern = (uint8_t)c * 0x01010101U;
	size_t words = len / 4, bytes = len % 4;

	__asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(pattern) : "memory");
	return dst;
}

// Goes from the first byte to the last, which memmove relies on.
void *
memcpy(void *dst, const void *src, size_t len)
{
	void *to = dst;
	size_t words = len / 4, bytes = len % 4;

	__asm__ volatile("rep movsl" : "+D"(to), "+S"(src), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(bytes) : : "memory");
	return dst;
}

// Copy from the last byte to the first, for a dst inside of src.
static void
copy_down(char *dst, const char *src, size_t len)
{
	size_t words = len / 4, bytes = len % 4;
	char *to = dst + len - 1;
	const char *from = src + len - 1;

	__asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
	to -= 3;
	from -= 3;
	__asm__ volatile("std; rep movsl; cld" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

void *
memmove(void *dst, const void *src, size_t len)
{
	// Going up is right unless dst begins inside of src. Unsigned, that is one test.
	if ((uintptr_t)dst - (uintptr_t)src >= len)
		memcpy(dst, src, len);
	else
		copy_down(dst, src, len);
	return dst;
}

int
memcmp(const void *s1, const void *s2, size_t len)
{
	const uint8_t *a = s1, *b = s2;

	for (; len > 0; len--, a++, b++)
		if (*a != *b)
			return *a - *b;
	return 0;
}

// Where the byte c first is in the len bytes at s, or their end.
void *
memfind(const void *s, int c, size_t len)
{
	const uint8_t *at = s, *end = at + len;

	while (at < end && *at != (uint8_t)c)
		at++;
	return (void *)at;
}

// The value of c as a digit, or one that is no digit in any base.
static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 36;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

// The base that the prefix of a number tells, where base leaves it open. Moves
// *digits past a 0x, if a digit follows it.
static int
find_base(const char **digits, int base)
{
	const char *s = *digits;
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16;

	if (hex && (base == 0 || base == 16)) {
		*digits = s + 2;
		return 16;
	}
	if (base == 0)
		return s[0] == '0' ? 8 : 10;
	return base;
}

// Unlike the C library's, a number too large for a long wraps instead of
// sticking at the largest: "0xf0100000" is an address, not an overflow.
long
strtol(const char *s, char **endptr, int base)
{
	const char *at = s, *end = s;
	unsigned long value = 0;
	bool negative = false;

	while (is_space(*at))
		at++;
	if (*at == '+' || *at == '-')
		negative = *at++ == '-';
	base = find_base(&at, base);
	if (base >= 2 && base <= 36) {
		for (; digit_value(*at) < base; end = ++at)
			value = value * base + digit_value(*at);
	}
	if (endptr)
		*endptr = (char *)end;
	return negative ? -value : value;
}
