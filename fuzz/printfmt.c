// Fuzz target for lib/printfmt.c, compared with the C library's snprintf.
//
// The input is a byte, the size of the output buffer (0: large), and a list of conversions, four
// bytes each, which become one format and its arguments:
//
//	flags	bit 0: -, bit 1: 0, bits 2-3: a width (none, number, *, negative *),
//		bits 4-5: a precision likewise, bits 6-7: number of l's
//	letter	selects from LETTERS
//	counts	four bits each for width and precision; 15 stands for LARGE
//	value	selects from edges[] or strings[]
//
// Only conversions that both functions define are compared. Then the raw input is used as a
// format; it only must not crash.

#include <fuzz/kernel.h>

#define snprintf  jos_snprintf
#define vsnprintf jos_vsnprintf
#include <lib/printfmt.c>

int libc_snprintf(char *buf, size_t n, const char *fmt, ...) __asm__("snprintf");

#define LETTERS     "duoxcsp%"
#define CONVERSIONS 8
#define FORMAT_MAX  (CONVERSIONS * 24)
#define LARGE       1000

// Numbers to print. Without ll, only the lower 32 bits are used.
static const uint64_t edges[] = {
	0,
	1,
	9,
	10,
	15,
	16,
	99,
	100,
	0x7f,
	0x80,
	0xff,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x12345678abcdef,
	0x3b9ac9ff,
	0x3b9aca00,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xffffffff00000000,
	0xfffffffffffffff6,
	0xffffffffffffffff,
	0xde0b6b3a7640000,
};

static const char *const strings[] = {
	"",
	"a",
	"hello, world",
	"%d",
	"\x01\x7f\x80\xff",
	"a string that is longer than all of the small widths and precisions",
};

// A format and its arguments, in the form that they have on the stack
struct Call {
	char fmt[FORMAT_MAX];
	size_t length;
	uint32_t args[4 * CONVERSIONS];
	size_t nargs;
};

static void
add_text(struct Call *call, char c)
{
	must(call->length < FORMAT_MAX - 1);
	call->fmt[call->length++] = c;
}

// A width or precision.
static void
add_count(struct Call *call, int kind, int count)
{
	if (count == 15)
		count = LARGE;
	if (kind >= 2) {
		add_text(call, '*');
		call->args[call->nargs++] = kind == 2 ? count : -count;
	} else if (kind == 1) {
		for (int unit = 1000; unit > 0; unit /= 10) {
			if (count >= unit)
				add_text(call, '0' + count / unit % 10);
		}
	}
}

static void
add_conversion(struct Call *call, struct Input *in)
{
	uint8_t flags = take_byte(in), letter = LETTERS[take_byte(in) % (sizeof(LETTERS) - 1)];
	uint8_t counts = take_byte(in), value = take_byte(in);
	bool number = letter == 'd' || letter == 'u' || letter == 'o' || letter == 'x';
	int longs = number ? flags >> 6 : 0;

	add_text(call, '%');
	if (letter != '%') {
		if (flags & 1)
			add_text(call, '-');
		if ((flags & 2) && number)
			add_text(call, '0');
		add_count(call, flags >> 2 & 3, counts & 15);
		if ((flags >> 4 & 3) && (number || letter == 's')) {
			add_text(call, '.');
			add_count(call, flags >> 4 & 3, counts >> 4);
		}
	}
	for (int i = 0; i < MIN(longs, 2); i++)
		add_text(call, 'l');
	add_text(call, letter);
	add_text(call, '|');

	if (letter == 's') {
		call->args[call->nargs++] = (uint32_t)strings[value % ARRAY_SIZE(strings)];
	} else if (letter != '%') {
		uint64_t n = edges[value % ARRAY_SIZE(edges)];
		call->args[call->nargs++] = letter == 'p' && (uint32_t)n == 0 ? 1 : n;
		if (longs >= 2)
			call->args[call->nargs++] = n >> 32;
	}
}

// Variable arguments are words on the stack. This passes as many as the longest format can use.
#define WORDS(a)                                                                                \
	a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], \
	    a[14], a[15], a[16], a[17], a[18], a[19], a[20], a[21], a[22], a[23], a[24], a[25], \
	    a[26], a[27], a[28], a[29], a[30], a[31]

static void
compare(const struct Call *call, size_t room)
{
	char *ours = malloc(room), *theirs = malloc(room);
	int length = libc_snprintf(theirs, room, call->fmt, WORDS(call->args));

	must(snprintf(ours, room, call->fmt, WORDS(call->args)) == length);
	must(memcmp(ours, theirs, MIN(room, (size_t)length + 1)) == 0);
	free(ours);
	free(theirs);
}

// ---- Any format ----

struct Output {
	unsigned length;
	void *limit_reached[5]; // For __builtin_setjmp
};

// A width may be two billion, which takes too long: stop after 10000 characters.
static void
put_limited(int c, void *putdat)
{
	struct Output *output = putdat;

	if (++output->length == 10000)
		__builtin_longjmp(output->limit_reached, 1);
}

static void
try_format(const uint8_t *data, size_t size)
{
	// Every argument is the address of a string, so that any conversion may read it.
	const char *s = "an argument";
	const char *args[4 * CONVERSIONS];
	struct Output output = { 0 };
	char *fmt = malloc(size + 1);

	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		args[i] = s;
	memcpy(fmt, data, size);
	fmt[size] = '\0';
	if (__builtin_setjmp(output.limit_reached) == 0)
		printfmt(put_limited, &output, fmt, WORDS(args));
	free(fmt);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct Input in = { data, size };
	struct Call call = { .length = 0 };
	uint8_t room = take_byte(&in);

	for (int i = 0; i < CONVERSIONS && in.left > 0; i++)
		add_conversion(&call, &in);
	compare(&call, room == 0 ? 20000 : room);
	try_format(data, MIN(size, (size_t)2 * CONVERSIONS));
	return 0;
}
