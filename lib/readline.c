// Read a line from the console, with editing and a history. The kernel's monitor and programs use
// readline. There is one static line buffer and no lock: in the kernel, only the CPU that owns the
// console may call readline.
//
// The screen is updated only with printable characters and \b, which moves the cursor left without
// erasing. So editing works on a serial terminal and on a CGA screen. A line that is longer than
// the screen's width is edited correctly, but it is displayed correctly only if \b moves from the
// left edge to the line above.
//
// Bytes from 0x80 on are read as UTF-8 (RFC 3629, section 3): the cursor moves over all bytes of a
// character together, all bytes of a character are erased together, and each character takes one
// column.
//
// For example, the line "ls xyz" with the cursor on the x:
//
//	line[]:  | l | s |   | x | y | z | \0 | ...
//	                       ^ cursor     ^ length
//
// Invariant: cursor <= length < LINE_SIZE.

#include <inc/kbdreg.h>
#include <inc/stdio.h>
#include <inc/string.h>

#define LINE_SIZE 1024
#define HISTORY   8 // Lines in the history, without the line that is being typed

#define SEQUENCE_MAX 16 // An escape sequence with this many bytes after ESC is read as text

#define CTRL(letter) (0x1F & (letter))
#define ESCAPE       0x1B
#define RUBOUT       0x7F

static char line[LINE_SIZE];
static unsigned length, cursor;
static unsigned refused; // Characters that were dropped because the line was full
static bool echoing;     // Input is from the console: print what is typed
static const char *current_prompt;

void (*readline_show)(void);

// A ring buffer: line number n, counted from 0, is in history[n % (HISTORY + 1)]. `entered` is the
// number of lines that were entered; the last HISTORY of these lines are kept. Line number
// `entered` is the new line, which is saved here while an old line is shown. `shown` is the number
// of the line that is shown.
static char history[HISTORY + 1][LINE_SIZE];
static unsigned entered, shown;

static void
echo(char c, unsigned times)
{
	while (echoing && times-- > 0)
		cputchar(c);
}

// Returns whether a byte is a UTF-8 continuation byte, that is, not the first byte of a character.
static bool
is_continuation(char c)
{
	return (c & 0xC0) == 0x80;
}

// left_of returns the start of the character before a position. right_of returns the end of the
// character at a position.
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
	if (is_continuation(c)) // Print the whole UTF-8 character again.
		move_to(left_of(position));
	memmove(line + position + 1, line + position, length - position);
	line[position] = c;
	length++;
	move_to(length);
	move_to(position + 1);
}

// Remove line[from] to line[to - 1].
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

// Returns the start of the word before the cursor.
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

// Show line `number` of the history instead of the current line. If the user changes an old line
// and does not enter it, the changes are lost.
static void
browse(unsigned number)
{
	const char *text = history_line(number);

	// A number below 0 is also rejected: as an unsigned number, it is larger than `entered`.
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

// The characters that were read after an ESC that does not begin an escape sequence. next_char
// returns these characters again, as text.
static int reread[SEQUENCE_MAX];
static unsigned reread_from, reread_to;

static int
next_char(void)
{
	return reread_from < reread_to ? reread[reread_from++] : getchar();
}

enum SequenceState { NO_SEQUENCE, UNFINISHED, FINISHED };

// Returns whether the n characters after an ESC are the complete escape sequence of a key, the
// beginning of an escape sequence, or neither. There are three forms of sequences: ESC [ numbers
// letter (or ~ for the letter); ESC O letter; and, from the Linux console, ESC [ [ letter.
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

// Returns the key that a complete escape sequence stands for, or 0 if readline does not use this
// key.
static int
sequence_key(const int *s, unsigned n)
{
	static const uint16_t letters[26] = {
		['A' - 'A'] = KEY_UP,
		['B' - 'A'] = KEY_DN,
		['C' - 'A'] = KEY_RT,
		['D' - 'A'] = KEY_LF,
		['F' - 'A'] = KEY_END,
		['H' - 'A'] = KEY_HOME,
	};
	static const uint16_t numbers[] = {
		[1] = KEY_HOME,
		[3] = KEY_DEL,
		[4] = KEY_END,
		[7] = KEY_HOME,
		[8] = KEY_END,
	};
	int last = s[n - 1];
	unsigned number = s[1] - '0'; // All keys in `numbers` have one digit.

	if (s[1] == '[')
		return 0;
	if (last >= 'A' && last <= 'Z')
		return letters[last - 'A'];
	if (last == '~' && number < ARRAY_SIZE(numbers) && (n == 3 || s[2] == ';'))
		return numbers[number];
	return 0;
}

// Returns the next key: a character, or a key code from inc/kbdreg.h, which the terminal may have
// sent as an escape sequence. Returns 0 for input that is ignored, and a negative number at the end
// of input. If an ESC does not start a sequence, the ESC is ignored, and the characters after the
// ESC are read as usual. No timeout is used to recognize an ESC on its own, because a timeout fails
// on a slow line.
static int
next_key(void)
{
	enum SequenceState state = UNFINISHED;
	unsigned n = 0;
	int c = next_char();

	if (c != ESCAPE)
		return c;
	while (state == UNFINISHED) {
		reread[n++] = next_char();
		state = sequence_state(reread, n);
	}
	reread_from = 0;
	reread_to = state == FINISHED ? 0 : n;
	return state == FINISHED ? sequence_key(reread, n) : 0;
}

// ---- Completion ----

// Print the prompt and the line again, below what was printed meanwhile.
static void
show_again(void)
{
	unsigned position = cursor;

	if (current_prompt)
		cprintf("%s", current_prompt);
	cursor = 0;
	move_to(length);
	move_to(position);
}

// Tab inserts what all candidates share. If that is nothing new, it lists the candidates. If the
// word has no candidate, or if there are no candidates at all, Tab is a blank. So pasted text with
// tabs between whole words is read as before.
static void
complete(void)
{
	unsigned word = cursor;

	while (word > 0 && line[word - 1] != ' ')
		word--;
	line[length] = '\0';
	struct Completion found = complete_word(line, word, cursor - word, false);
	if (found.count == 0) {
		insert(' ');
	} else if (found.count > 1 && found.common == cursor - word) {
		echo('\n', 1);
		complete_word(line, word, cursor - word, true);
		show_again();
	} else {
		for (unsigned i = cursor - word; i < found.common; i++)
			insert(found.text[i]);
		if (found.count == 1)
			insert(' ');
	}
}

// ---- Editing ----

// Handle a key that does not end the line.
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
		complete();
		break;
	case CTRL('P'):
		if (readline_show) {
			echo('\n', 1);
			readline_show();
			show_again();
		}
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
	static int last_end; // The key that ended the previous line
	int key;

	if (prompt)
		cprintf("%s", prompt);
	current_prompt = prompt;
	echoing = iscons(0);
	length = cursor = refused = 0;
	shown = entered;

	// CR LF, or LF CR, is a single press of the Enter key: skip the second character.
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
