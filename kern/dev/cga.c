// The screen, in the text mode of IBM's CGA, which every VGA adapter still has. The screen shows 25
// lines of 80 cells. Each cell has a character and its colours. console.c and printf.c call these
// functions with cons_lock held; cga_init needs no lock.
//
// The adapter has memory for 204 lines, and shows 25 lines from the start address on. To scroll by
// a line, the kernel blanks the line below the visible lines and moves the start address to the
// next line. At the end of the memory, the kernel copies the 24 lines that stay visible to the
// beginning of the memory. The variables top and pos are indexes of cells in this memory:
//
//	cells:	| scrolled out | the 25 visible lines | not used yet |
//		0              top         pos        top + SCREEN

#include <inc/memlayout.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/dev/console.h>

#define CGA_BUF  0xB8000
#define CGA_SIZE 0x8000 // In bytes
#define COLS     80
#define SCREEN   (25 * COLS) // Number of visible cells
#define LINES    (CGA_SIZE / sizeof(uint16_t) / COLS)

#define CRTC_PORT   0x3D4 // Index register of the 6845; the data register is the next port
#define CRTC_START  12    // Start address (first visible cell): high byte in 12, low byte in 13
#define CRTC_CURSOR 14    // The cursor's cell: high byte in 14, low byte in 15

#define COLOURS (CONS_COLOURS << 8)

static uint16_t *const cells = (uint16_t *)(KERNBASE + CGA_BUF);
static const uint16_t blanks[COLS] = { [0 ... COLS - 1] = COLOURS | ' ' };
static unsigned top;       // Index of the first visible cell
static unsigned shown_top; // The value of top that was last written to the 6845
static unsigned pos;       // Index of the cell for the next character
static uint32_t colours = COLOURS;

static unsigned
crtc_read(int reg)
{
	outb(CRTC_PORT, reg);
	unsigned high = inb(CRTC_PORT + 1);
	outb(CRTC_PORT, reg + 1);
	return high << 8 | inb(CRTC_PORT + 1);
}

// Each outw writes the index register (low byte) and the data register (high byte).
static void
crtc_write(int reg, unsigned value)
{
	outw(CRTC_PORT, (value & 0xFF00) | reg);
	outw(CRTC_PORT, value << 8 | (reg + 1));
}

static void
blank_line(unsigned cell)
{
	memcpy(cells + cell, blanks, sizeof(blanks));
}

void
cga_init(void)
{
	top = shown_top = crtc_read(CRTC_START);
	pos = crtc_read(CRTC_CURSOR);
	// If the BIOS used the memory as this file does (lines start at multiples of COLS, and the
	// cursor is on the screen), continue after the BIOS's text. Otherwise clear the screen.
	if (top % COLS == 0 && top + SCREEN <= LINES * COLS && pos >= top && pos < top + SCREEN)
		return;
	top = pos = 0;
	for (unsigned cell = 0; cell < SCREEN; cell += COLS)
		blank_line(cell);
}

static void
scroll(void)
{
	top += COLS;
	if (top + SCREEN > LINES * COLS) {
		memcpy(cells, cells + top, (SCREEN - COLS) * sizeof(cells[0]));
		pos -= top;
		top = 0;
	}
	blank_line(top + SCREEN - COLS);
}

size_t
cga_put(const char *s, size_t len)
{
	uint16_t *to = cells + pos;
	uint32_t cell = colours;
	size_t limit = MIN(len, COLS - pos % COLS), left = limit;

	// Copy until a control character, the end of the text, or the end of the line. A loop in C
	// would take twice as many instructions per character.
	__asm__ volatile(
	    "1:\tlodsb\n\t"
	    "cmpb $' ', %%al\n\t"
	    "jb 2f\n\t"
	    "stosw\n\t"
	    "loop 1b\n"
	    "2:"
	    : "+S"(s), "+D"(to), "+c"(left), "+a"(cell)
	    :
	    : "memory", "cc");
	pos += limit - left;
	if (pos == top + SCREEN)
		scroll();
	return limit - left;
}

void
cga_control(uint8_t c)
{
	switch (c) {
	case '\a':
		break;
	case '\b':
		if (pos > top)
			pos--;
		break;
	case '\n':
		pos += COLS - pos % COLS;
		break;
	case '\r':
		pos -= pos % COLS;
		break;
	case '\t':
		for (unsigned n = 8 - pos % 8; n > 0; n--)
			cells[pos++] = COLOURS | ' ';
		break;
	default: // The adapter has a glyph for every other control character.
		cells[pos++] = COLOURS | c;
		break;
	}
	if (pos == top + SCREEN)
		scroll();
}

void
cga_set_colours(unsigned new_colours)
{
	colours = new_colours << 8;
}

void
cga_update(void)
{
	if (top != shown_top)
		crtc_write(CRTC_START, shown_top = top);
	crtc_write(CRTC_CURSOR, pos);
}
