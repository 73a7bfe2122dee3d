// A line from the console, with editing: for the kernel's monitor and for
// programs. There is one line at a time, in a buffer of this file's own, and no
// lock: in the kernel, only whoever has the console to itself may call in.
//
// The screen is redrawn with nothing but printable characters and \b, which is
// to move the cursor to the left without erasing, so that it comes out right on
// a serial terminal and on a CGA screen alike. A line that wraps at the screen's
// edge is edited correctly all the same, but looks right only where \b goes back
// up to the line above.
//
//	line[]:  | l | s |   | x | y | z | \0 | ...
//	                       ^ cursor     ^ length
//
// length is always below LINE_SIZE, and cursor never above length.

#include <inc/kbdreg.h>
#include <inc/stdio.h>
#include <inc/string.h>

#define LINE_SIZE 1024
#define HISTORY   8 // Lines remembered, and one more for the line being written

#define CTRL(letter) (0x1F & (letter))
#define ESCAPE       0x1B
#define RUBOUT       0x7F

static char line[LINE_SIZE];
static unsigned length, cursor;
static bool echoing; // Nobody watches an input that is not the console

// Line n of those entered since the start, from 0. The last HISTORY are there;
// the place of line number `entered` holds the new one while an old one is shown.
static char history[HISTORY + 1][LINE_SIZE];
static unsigned entered, shown;

static void
echo(char c, unsigned times)
{
	while (echoing && times-- > 0)
		cputchar(c);
}

static void
move_to(unsigned position)
{
	for (; cursor > position; cursor--)
		echo('\b', 1);
	for (; cursor < position; cursor++)
		echo(line[cursor], 1);
}

// Insert c before the cursor.
static void
insert(char c)
{
	unsigned position = cursor;

	if (length == LINE_SIZE - 1) {
		echo('\a', 1);
		return;
	}
	memmove(line + cursor + 1, line + cursor, length - cursor);
	line[cursor] = c;
	length++;
	move_to(length);
	move_to(position + 1);
}

// Remove the characters from `from` up to, but without, `to`.
static void
erase(unsigned from, unsigned to)
{
	unsigned removed = to - from;

	move_to(from);
	memmove(line + from, line + to, length - to);
	length -= removed;
	move_to(length);
	echo(' ', removed);
	echo('\b', removed);
	move_to(from);
}

// Where the word before the cursor starts.
static unsigned
word_start(void)
{
	unsigned start = cursor;

	while (start > 0 && line[start - 1] == ' ')
		start--;
	while (start > 0 && line[start - 1] != ' ')
		start--;
	return start;
}

static char *
history_line(unsigned number)
{
	return history[number % (HISTORY + 1)];
}

// Show line `number` of the history in place of the one there is. Changes to an
// old line are lost when it is left without being entered.
static void
browse(unsigned number)
{
	const char *text = history_line(number);

	// Also above when number went below 0, since it is unsigned.
	if (number > entered || entered - number > HISTORY) {
		echo('\a', 1);
		return;
	}
	if (shown == entered) {
		line[length] = '\0';
		strcpy(history_line(entered), line);
	}
	shown = number;
	erase(0, length);
	while (*text)
		insert(*text++);
}

static void
remember_line(void)
{
	if (length == 0 || (entered > 0 && strcmp(line, history_line(entered - 1)) == 0))
		return;
	strcpy(history_line(entered), line);
	entered++;
}

// The key of an escape sequence after its ESC, 0 for one that means nothing here:
// ESC O letter, ESC [ numbers letter, or ESC [ number ~ (ECMA-48 5.4, xterm's keys).
static int
read_escape(void)
{
	static const uint8_t letters[26] = {
		['A' - 'A'] = KEY_UP, ['B' - 'A'] = KEY_DN,  ['C' - 'A'] = KEY_RT,
		['D' - 'A'] = KEY_LF, ['F' - 'A'] = KEY_END, ['H' - 'A'] = KEY_HOME,
	};
	static const uint8_t numbers[] = {
		[1] = KEY_HOME, [3] = KEY_DEL, [4] = KEY_END, [7] = KEY_HOME, [8] = KEY_END,
	};
	unsigned number = 0;
	int c = getchar();

	if (c != '[' && c != 'O')
		return c < 0 ? c : 0;
	while ((c = getchar()) >= ' ' && c < '@')
		number = number * 10 + (c - '0');
	if (c >= 'A' && c <= 'Z')
		return letters[c - 'A'];
	if (c == '~' && number < ARRAY_SIZE(numbers))
		return numbers[number];
	return c < 0 ? c : 0;
}

// Do what a key says that does not end the line.
static void
edit(int key)
{
	switch (key) {
	case KEY_LF:
	case CTRL('B'):
		move_to(cursor > 0 ? cursor - 1 : 0);
		break;
	case KEY_RT:
	case CTRL('F'):
		move_to(MIN(cursor + 1, length));
		break;
	case KEY_HOME:
	case CTRL('A'):
		move_to(0);
		break;
	case KEY_END:
	case CTRL('E'):
		move_to(length);
		break;
	case '\b':
	case RUBOUT:
		erase(cursor > 0 ? cursor - 1 : 0, cursor);
		break;
	case KEY_DEL:
		erase(cursor, MIN(cursor + 1, length));
		break;
	case CTRL('K'):
		erase(cursor, length);
		break;
	case CTRL('U'):
		erase(0, cursor);
		break;
	case CTRL('W'):
		erase(word_start(), cursor);
		break;
	case KEY_UP:
		browse(shown - 1);
		break;
	case KEY_DN:
		browse(shown + 1);
		break;
	case '\t':
		insert(' ');
		break;
	default:
		if (key >= ' ' && key < RUBOUT)
			insert(key);
	}
}

char *
readline(const char *prompt)
{
	int key;

	if (prompt)
		cprintf("%s", prompt);
	echoing = iscons(0);
	length = cursor = 0;
	shown = entered;

	while ((key = getchar()) != '\n' && key != '\r' && key != CTRL('C')) {
		if (key == ESCAPE)
			key = read_escape();
		if (key < 0)
			return NULL;
		edit(key);
	}
	move_to(length);
	if (key == CTRL('C')) {
		length = 0;
		echo('^', 1);
		echo('C', 1);
	}
	echo('\n', 1);
	line[length] = '\0';
	remember_line();
	return line;
}
