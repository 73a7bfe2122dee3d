// The keyboard: an 8042 controller that delivers scan codes of set 1, one byte
// for each key that goes down and, with the top bit set, up. A byte E0 announces
// one of the keys that the first PCs did not have.

#include <inc/kbdreg.h>
#include <inc/types.h>
#include <inc/x86.h>

#include <kern/console.h>

#define KBD_DATA       0x60
#define KBD_STATUS     0x64
#define KBD_STAT_DATA  0x01 // A byte is there
#define KBD_STAT_MOUSE 0x20 // but it is from the mouse
#define KBD_ESCAPE     0xE0
#define KBD_UP         0x80

enum {
	SHIFT = 1 << 0,
	CTL = 1 << 1,
	ALT = 1 << 2,
	CAPSLOCK = 1 << 3,
	ESCAPED = 1 << 4, // The last byte was KBD_ESCAPE
};

static uint32_t state;

// Scan codes 0 to 0x39 on an American keyboard, alone and with shift.
static const char plain_map[] =
    "\0\033" "1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shift_map[] =
    "\0\033" "!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

// 0x47 to 0x53: the keypad, as digits.
static const char keypad_map[] = "789-456+1230.";

// The keys behind E0. Most have the code of a key of the keypad.
static const uint8_t extended_map[KBD_UP] = {
	[0x1C] = '\n',
	[0x35] = '/',
	[0x47] = KEY_HOME, KEY_UP, KEY_PGUP, 0, KEY_LF, 0, KEY_RT, 0,
	KEY_END, KEY_DN, KEY_PGDN, KEY_INS, KEY_DEL,
};

// The keys that change what others mean, for as long as they are down.
static const uint8_t modifiers[KBD_UP] = {
	[0x1D] = CTL,
	[0x2A] = SHIFT,
	[0x36] = SHIFT,
	[0x38] = ALT,
};

static int
plain_key(uint8_t code)
{
	if (code >= 0x47 && code <= 0x53)
		return keypad_map[code - 0x47];
	if (code >= sizeof(plain_map) - 1)
		return 0;

	int c = (state & SHIFT ? shift_map : plain_map)[code];
	bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
	if ((lower || upper) && (state & CAPSLOCK))
		c ^= 'a' ^ 'A';
	if ((state & CTL) && (lower || upper || c == '[' || c == '\\' || c == ']'))
		c &= 0x1F;
	return c;
}

int
kbd_getc(void)
{
	uint8_t status = inb(KBD_STATUS);
	// Without a controller the bus reads all ones.
	if (status == 0xFF || !(status & KBD_STAT_DATA))
		return -1;
	uint8_t code = inb(KBD_DATA);
	if (status & KBD_STAT_MOUSE)
		return 0;
	if (code == KBD_ESCAPE) {
		state |= ESCAPED;
		return 0;
	}

	bool escaped = state & ESCAPED, up = code & KBD_UP;
	state &= ~ESCAPED;
	code &= ~KBD_UP;
	uint32_t mod = modifiers[code];
	if (escaped && mod == SHIFT)
		return 0; // Sent around the extended keys, for the sake of old programs.
	if (mod)
		state = up ? state & ~mod : state | mod;
	else if (code == 0x3A && !up)
		state ^= CAPSLOCK;
	if (mod || up)
		return 0;

	int c = escaped ? extended_map[code] : plain_key(code);
	if (c == KEY_DEL && (state & (CTL | ALT)) == (CTL | ALT))
		outb(0x92, 0x3); // Ctrl-Alt-Del: the fast reset line.
	return c;
}
