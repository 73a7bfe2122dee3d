// Completion of a word at Tab, for lib/readline.c.

#include <inc/stdio.h>
#include <inc/string.h>

#define SCREEN_COLUMNS 80

const char *(*readline_candidate)(const char *line, unsigned word, unsigned n);

// Print a candidate, in columns of this width. *column is the column of the cursor.
static void
print_candidate(const char *text, unsigned width, unsigned *column)
{
	if (*column > 0 && *column + width >= SCREEN_COLUMNS) {
		cprintf("\n");
		*column = 0;
	}
	cprintf("%-*s", (int)width, text);
	*column += width;
}

static void
print_candidates(const char *line, unsigned word, unsigned len)
{
	unsigned width = 0, column = 0;
	const char *text;

	for (unsigned n = 0; (text = readline_candidate(line, word, n)); n++) {
		if (strncmp(text, line + word, len) == 0)
			width = MAX(width, (unsigned)strlen(text) + 2);
	}
	for (unsigned n = 0; (text = readline_candidate(line, word, n)); n++) {
		if (strncmp(text, line + word, len) == 0)
			print_candidate(text, width, &column);
	}
	cprintf("\n");
}

struct Completion
complete_word(const char *line, unsigned word, unsigned len, bool print)
{
	struct Completion found = { NULL, 0, 0 };
	const char *text;

	if (!readline_candidate)
		return found;
	for (unsigned n = 0; (text = readline_candidate(line, word, n)); n++) {
		if (strncmp(text, line + word, len) != 0)
			continue;
		if (found.count++ == 0) {
			found.text = text;
			found.common = strlen(text);
		}
		unsigned same = len;
		while (same < found.common && text[same] == found.text[same])
			same++;
		found.common = same;
	}
	if (print)
		print_candidates(line, word, len);
	return found;
}
