// Prints random text for a test of the screen: long and short lines, and control characters. The
// argument is the seed. tests/kernel/test_console.py computes what the screen must show.

#include <inc/lib.h>

#include <user/common/random.h>

#define PIECES 30
#define SIZE   2500

static char text[SIZE];
static size_t length;

static void
add(char c, uint32_t times)
{
	while (times-- > 0 && length < SIZE)
		text[length++] = c;
}

static void
add_something(void)
{
	static const char controls[] = "\a\r\t\t\n\n\x01\v\f\x1b\x1f\x7f";

	if (one_in(12))
		add('\b', 1 + below(one_in(8) ? SIZE : 100));
	else if (one_in(4))
		add(controls[below(sizeof(controls) - 1)], 1 + below(3));
	else if (one_in(40))
		add('\n', below(400));
	else
		add('a' + below(26), 1 + below(one_in(4) ? 200 : 20));
}

void
umain(int argc, char **argv)
{
	random_state = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
	for (int i = 0; i < PIECES; i++) {
		size_t end = below(SIZE);

		length = 0;
		while (length < end)
			add_something();
		sys_cputs(text, length);
	}
	cprintf("\n%s: done\n", binaryname);
}
