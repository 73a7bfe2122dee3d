// A line from the console, with editing: for the kernel's monitor and for
// programs. There is one line at a time, in a buffer of this file's own, and no
// lock: in the kernel, only a CPU that has the console to itself may call in.
//
// The screen is redrawn with nothing but printable characters and \b, which moves
// the cursor to the left without erasing. So the line looks right on a serial
// terminal and on a CGA screen alike. A line that wraps at the screen's edge is
// edited correctly all the same, but looks right only where \b goes back up to
// the line above.
//
// Bytes from 80 on are taken for UTF-8 (RFC 3629, section 3): the bytes of one
// character are moved over and erased together, and take one column, as on a
// terminal that shows UTF-8.
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

#define SEQUENCE_MAX 16 // Bytes of an escape sequence after its ESC; more are text

#define CTRL(letter) (0x1F & (letter))
#define ESCAPE       0x1B
#define RUBOUT       0x7F

static char line[LINE_SIZE];
static unsigned length, cursor;
static unsigned refused; // Characters for which the line had no room
static bool echoing;     // The input is the console, so what is typed is shown.

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

// Whether a byte is not the first one of its character.
static bool
is_continuation(char c)
{
	return (c & 0xC0) == 0x80;
}

// Where the character before a position starts, and where the one at a position ends.
static unsigned
left_of(unsigned position)
{
	while (position > 0 && is_continuation(line[--position]))
		continue;
	return position;
}

static unsigned
right_of(unsigned position)
{
	while (position < length && ++position < length && is_continuation(line[position]))
		continue;
	return position;
}

static void
move_to(unsigned position)
{
	while (cursor > position)
		echo('\b', !is_continuation(line[--cursor]));
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
		refused++;
		return;
	}
	if (is_continuation(c)) // Show the character again, with this byte.
		move_to(left_of(position));
	memmove(line + position + 1, line + position, length - position);
	line[position] = c;
	length++;
	move_to(length);
	move_to(position + 1);
}

// Remove the characters from `from` up to, but without, `to`.
static void
erase(unsigned from, unsigned to)
{
	unsigned columns = 0;

	move_to(from);
	for (unsigned i = from; i < to; i++)
		columns += !is_continuation(line[i]);
	memmove(line + from, line + to, length - to);
	length -= to - from;
	move_to(length);
	echo(' ', columns);
	echo('\b', columns);
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

// ---- Escape sequences: ECMA-48, section 5.4; xterm's control sequences ----

// What was read after an ESC that began no escape sequence: it is read again, as text.
static int again[SEQUENCE_MAX];
static unsigned again_from, again_to;

static int
next_char(void)
{
	return again_from < again_to ? again[again_from++] : getchar();
}

enum SequenceState { NO_SEQUENCE, UNFINISHED, FINISHED };

// Whether n characters after an ESC are an escape sequence that a terminal sends for a key, or the
// beginning of one: ESC [ numbers letter; ESC O letter; and the Linux console's ESC [ [ letter.
static enum SequenceState
sequence_state(const int *s, unsigned n)
{
	int last = s[n - 1];

	if (last < ' ' || last >= RUBOUT || n == SEQUENCE_MAX)
		return NO_SEQUENCE;
	if (n == 1)
		return last == '[' || last == 'O' ? UNFINISHED : NO_SEQUENCE;
	if (s[0] == 'O')
		return strchr("ABCDFHPQRS", last) ? FINISHED : NO_SEQUENCE;
	if (s[1] == '[')
		return n == 2 ? UNFINISHED : FINISHED;
	return last < '@' ? UNFINISHED : FINISHED;
}

// The key of a whole escape sequence, or 0 for one that means nothing here.
static int
sequence_key(const int *s, unsigned n)
{
	static const uint16_t letters[26] = {
		['A' - 'A'] = KEY_UP, ['B' - 'A'] = KEY_DN,  ['C' - 'A'] = KEY_RT,
		['D' - 'A'] = KEY_LF, ['F' - 'A'] = KEY_END, ['H' - 'A'] = KEY_HOME,
	};
	static const uint16_t numbers[] = {
		[1] = KEY_HOME, [3] = KEY_DEL, [4] = KEY_END, [7] = KEY_HOME, [8] = KEY_END,
	};
	int last = s[n - 1];
	unsigned number = s[1] - '0'; // Those that mean something have one digit.

	if (s[1] == '[')
		return 0;
	if (last >= 'A' && last <= 'Z')
		return letters[last - 'A'];
	if (last == '~' && number < ARRAY_SIZE(numbers) && (n == 3 || s[2] == ';'))
		return numbers[number];
	return 0;
}

// The next key: a character or a key of inc/kbdreg.h, which may have been sent as an escape
// sequence. Below 0 at the end of input. An ESC by itself is passed over, and what follows keeps
// its meaning. No time limit tells the two apart: it would be wrong on a slow line.
static int
next_key(void)
{
	enum SequenceState state = UNFINISHED;
	unsigned n = 0;
	int c = next_char();

	if (c != ESCAPE)
		return c;
	while (state == UNFINISHED) {
		again[n++] = next_char();
		state = sequence_state(again, n);
	}
	again_from = 0;
	again_to = state == FINISHED ? 0 : n;
	return state == FINISHED ? sequence_key(again, n) : 0;
}

// ---- Editing ----

// Do what a key says that does not end the line.
static void
edit(int key)
{
	switch (key) {
	case KEY_LF:
	case CTRL('B'):
		move_to(left_of(cursor));
		break;
	case KEY_RT:
	case CTRL('F'):
		move_to(right_of(cursor));
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
		erase(left_of(cursor), cursor);
		break;
	case KEY_DEL:
		erase(cursor, right_of(cursor));
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
		if (key >= ' ' && key <= 0xFF)
			insert(key);
	}
}

static bool
ends_line(int key)
{
	return key == '\n' || key == '\r' || key == CTRL('C');
}

char *
readline(const char *prompt)
{
	static int last_end; // The key that ended the line before
	int key;

	if (prompt)
		cprintf("%s", prompt);
	echoing = iscons(0);
	length = cursor = refused = 0;
	shown = entered;

	// CR LF is one Enter, and so is LF CR: pass over the second half.
	key = next_key();
	if ((last_end == '\r' && key == '\n') || (last_end == '\n' && key == '\r'))
		key = next_key();
	for (; !ends_line(key); key = next_key()) {
		if (key < 0)
			return NULL;
		edit(key);
	}
	last_end = key;
	move_to(length);
	if (key == CTRL('C')) {
		length = refused = 0;
		echo('^', 1);
		echo('C', 1);
	}
	echo('\n', 1);
	if (echoing && refused > 0)
		cprintf("The line is too long: %u characters of it are left out.\n", refused);
	line[length] = '\0';
	remember_line();
	return line;
}
