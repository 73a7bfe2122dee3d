// String and memory functions, for the kernel and for programs. They use no global variables, so
// they need no lock.
//
// Blocks are moved and filled by the CPU's string instructions: four bytes at a time, then the
// remaining bytes. The ABI guarantees that the direction flag is clear when a function is called,
// and requires that it is clear when the function returns (System V, Intel386 supplement,
// "Registers"). Only copy_down sets the flag.

#include <inc/string.h>

size_t
strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return end - s;
}

// Returns the length of s, but at most size. The bytes from s[size] on are not read.
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

// Copy src to dst and fill the rest of dst's size bytes with NULs. If src has size characters or
// more, dst is not terminated.
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

// Copy at most size - 1 characters of src to dst, and terminate dst with a NUL (unless size is 0).
// Returns the length of src. If this length is size or more, the copy is cut.
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

// Returns a pointer to the first c in s, or NULL. The terminating NUL counts as part of s.
char *
strchr(const char *s, char c)
{
	s = strfind(s, c);
	return *s == c ? (char *)s : NULL;
}

// Returns a pointer to the first c in s, or to the end of s.
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

// Copies from the first byte to the last. memmove relies on this order.
void *
memcpy(void *dst, const void *src, size_t len)
{
	void *to = dst;
	size_t words = len / 4, bytes = len % 4;

	__asm__ volatile("rep movsl" : "+D"(to), "+S"(src), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(bytes) : : "memory");
	return dst;
}

// Copy from the last byte to the first. memmove calls this if dst begins inside src.
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
	// memcpy copies from the first byte on, which is wrong only if src <= dst < src + len. With
	// unsigned arithmetic, a single comparison checks this.
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

// Returns a pointer to the first byte c among the len bytes at s, or to the end of these bytes.
void *
memfind(const void *s, int c, size_t len)
{
	const uint8_t *at = s, *end = at + len;

	while (at < end && *at != (uint8_t)c)
		at++;
	return (void *)at;
}

// Returns the value of c as a digit, or 36 if c is not a digit in any base.
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

// Returns the base of the number at *digits. If base is 0, the prefix of the number decides. If
// base is 0 or 16, moves *digits past a prefix 0x that a digit follows.
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

// inc/string.h describes strtol. Unlike in the standard C library, a number that is too large for a
// long wraps around: "0xf0100000" is an address and must keep its value.
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
