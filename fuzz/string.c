// Fuzz target for lib/string.c, compared with the C library's functions.
//
// The input: a byte that selects the function; a byte for each operand's place in its page; a byte
// for the length; a byte for the character or base; then the operands, half of the bytes each.
// Unmapped pages are before and after each operand's page. AddressSanitizer cannot check functions
// in assembly language; the unmapped pages catch them if they read or write too far.

#include <fuzz/kernel.h>

#define strlen  jos_strlen
#define strnlen jos_strnlen
#define strcpy  jos_strcpy
#define strncpy jos_strncpy
#define strcat  jos_strcat
#define strlcpy jos_strlcpy
#define strcmp  jos_strcmp
#define strncmp jos_strncmp
#define strchr  jos_strchr
#define memset  jos_memset
#define memcpy  jos_memcpy
#define memmove jos_memmove
#define memcmp  jos_memcmp
#define strtol  jos_strtol
#include <lib/string.c>

size_t libc_strlen(const char *s) __asm__("strlen");
size_t libc_strnlen(const char *s, size_t size) __asm__("strnlen");
char *libc_strcpy(char *dst, const char *src) __asm__("strcpy");
char *libc_strncpy(char *dst, const char *src, size_t size) __asm__("strncpy");
char *libc_strcat(char *dst, const char *src) __asm__("strcat");
int libc_strcmp(const char *s1, const char *s2) __asm__("strcmp");
int libc_strncmp(const char *s1, const char *s2, size_t size) __asm__("strncmp");
char *libc_strchr(const char *s, int c) __asm__("strchr");
void *libc_memset(void *dst, int c, size_t len) __asm__("memset");
void *libc_memcpy(void *dst, const void *src, size_t len) __asm__("memcpy");
void *libc_memmove(void *dst, const void *src, size_t len) __asm__("memmove");
int libc_memcmp(const void *s1, const void *s2, size_t len) __asm__("memcmp");
void *libc_memchr(const void *s, int c, size_t len) __asm__("memchr");
long long libc_strtoll(const char *s, char **endptr, int base) __asm__("strtoll");
int libc_mprotect(void *at, size_t len, int prot) __asm__("mprotect");

// Pages for the operands, in the memory at KERNBASE, which this target does not use otherwise. The
// pages between them are unmapped.
enum { ONE, TWO, COPY, OPERANDS };
#define PAGE(i) ((char *)KERNBASE + (2 * (i) + 1) * PGSIZE)
#define ROOM    512 // Largest operand, in bytes
#define FILL    '.' // Fills the rest of an operand's page

struct Case {
	char *one, *two; // The operands, of len1 and len2 bytes
	size_t len1, len2;
	size_t n;  // A length, at most len1 and len2
	uint8_t c; // A character
};

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

// Copy operand ONE's page for the C library's function, which then writes to the copy. Returns the
// address in the copy that corresponds to p.
static char *
copy_of(char *p)
{
	libc_memcpy(PAGE(COPY), PAGE(ONE), PGSIZE);
	return p - PAGE(ONE) + PAGE(COPY);
}

static void
must_match(void)
{
	must(libc_memcmp(PAGE(ONE), PAGE(COPY), PGSIZE) == 0);
}

// ---- Functions of strings: the operands end with a NUL ----

static void
try_strlen(const struct Case *c)
{
	must(strlen(c->one) == libc_strlen(c->one));
}

static void
try_strcmp(const struct Case *c)
{
	must(sign(strcmp(c->one, c->two)) == sign(libc_strcmp(c->one, c->two)));
}

static void
try_strchr(const struct Case *c)
{
	char *found = libc_strchr(c->one, c->c);

	must(strchr(c->one, c->c) == found);
	must(strfind(c->one, c->c) == (found ? found : c->one + libc_strlen(c->one)));
}

static void
try_strcpy(const struct Case *c)
{
	if (libc_strlen(c->two) >= c->len1)
		return;
	libc_strcpy(copy_of(c->one), c->two);
	must(strcpy(c->one, c->two) == c->one);
	must_match();
}

static void
try_strcat(const struct Case *c)
{
	if (libc_strlen(c->one) + libc_strlen(c->two) >= c->len1)
		return;
	libc_strcat(copy_of(c->one), c->two);
	must(strcat(c->one, c->two) == c->one);
	must_match();
}

// Not every C library has strlcpy. It copies like strncpy, but always ends with a NUL, and writes
// no further NULs.
static void
try_strlcpy(const struct Case *c)
{
	size_t len = libc_strlen(c->two), copied = c->n == 0 ? 0 : MIN(len, c->n - 1);
	char *dst = copy_of(c->one);

	libc_memcpy(dst, c->two, copied);
	if (c->n > 0)
		dst[copied] = '\0';
	must(strlcpy(c->one, c->two, c->n) == len);
	must_match();
}

// If the number is too large, the C library returns the largest number, and ours wraps. So compare
// with the lower 32 bits of strtoll's result, unless the number is too large for strtoll as well.
static void
try_strtol(const struct Case *c)
{
	static const int bases[] = { 0, 2, 3, 8, 10, 16, 17, 34, 36 };
	int base = bases[c->c % ARRAY_SIZE(bases)];
	char *end, *expected_end;
	long long expected = libc_strtoll(c->one, &expected_end, base);
	long got = strtol(c->one, &end, base);

	must(end == expected_end);
	if (expected != INT64_MAX && expected != INT64_MIN)
		must((uint32_t)got == (uint32_t)expected);
}

// ---- Functions with a length: they must not access memory beyond it ----

static void
try_strnlen(const struct Case *c)
{
	must(strnlen(c->one, c->n) == libc_strnlen(c->one, c->n));
}

static void
try_bounded_comparisons(const struct Case *c)
{
	must(sign(strncmp(c->one, c->two, c->n)) == sign(libc_strncmp(c->one, c->two, c->n)));
	must(sign(memcmp(c->one, c->two, c->n)) == sign(libc_memcmp(c->one, c->two, c->n)));
}

static void
try_memfind(const struct Case *c)
{
	char *found = libc_memchr(c->one, c->c, c->n);

	must(memfind(c->one, c->c | 0x100, c->n) == (found ? found : c->one + c->n));
}

static void
try_strncpy(const struct Case *c)
{
	libc_strncpy(copy_of(c->one), c->two, c->n);
	must(strncpy(c->one, c->two, c->n) == c->one);
	must_match();
}

static void
try_memset(const struct Case *c)
{
	libc_memset(copy_of(c->one), c->c, c->n);
	must(memset(c->one, c->c | 0xABC00, c->n) == c->one);
	must_match();
}

static void
try_memcpy(const struct Case *c)
{
	libc_memcpy(copy_of(c->one), c->two, c->n);
	must(memcpy(c->one, c->two, c->n) == c->one);
	must_match();
}

// Move bytes inside the first operand; source and destination may overlap.
static void
try_memmove(const struct Case *c)
{
	size_t from = c->len1 ? c->c % c->len1 : 0, to = c->len1 - c->n;
	size_t len = MIN(c->n, c->len1 - from);
	char *copy = copy_of(c->one);

	libc_memmove(copy + to, copy + from, len);
	must(memmove(c->one + to, c->one + from, len) == c->one + to);
	must((read_eflags() & FL_DF) == 0);
	must_match();
}

static const struct {
	void (*try)(const struct Case *c);
	bool strings;
} tries[] = {
	{ try_strlen, true },
	{ try_strcmp, true },
	{ try_strchr, true },
	{ try_strcpy, true },
	{ try_strcat, true },
	{ try_strlcpy, true },
	{ try_strtol, true },
	{ try_strnlen, false },
	{ try_bounded_comparisons, false },
	{ try_memfind, false },
	{ try_strncpy, false },
	{ try_memset, false },
	{ try_memcpy, false },
	{ try_memmove, false },
};

// ---- The operands ----

// Put len bytes into an operand's page: at its end if `at` is odd, otherwise at offset at / 2. FILL
// is around them. Returns their address.
static char *
place(int operand, uint8_t at, const uint8_t *bytes, size_t len)
{
	char *page = PAGE(operand), *p = at & 1 ? page + PGSIZE - len : page + at / 2;

	libc_memset(page, FILL, PGSIZE);
	libc_memcpy(p, bytes, len);
	return p;
}

__attribute__((constructor)) static void
unmap_between_pages(void)
{
	for (int i = 0; i <= OPERANDS; i++)
		libc_mprotect((char *)KERNBASE + 2 * i * PGSIZE, PGSIZE, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct Input in = { data, MIN(size, (size_t)2 * ROOM) };
	uint8_t which = take_byte(&in), at1 = take_byte(&in), at2 = take_byte(&in);
	size_t n = take_byte(&in);
	struct Case c = { .c = take_byte(&in) };

	which %= ARRAY_SIZE(tries);
	c.len1 = in.left / 2;
	c.len2 = in.left - c.len1;
	c.n = MIN(n, c.len1);
	c.one = place(ONE, at1, in.at, c.len1);
	c.two = place(TWO, at2, in.at + c.len1, c.len2);
	if (tries[which].strings) {
		if (c.len1 == 0)
			return 0;
		c.one[c.len1 - 1] = '\0';
		c.two[c.len2 - 1] = '\0';
	}
	tries[which].try(&c);
	return 0;
}
