// The keyboard: an 8042 controller that delivers scan code set 1 (IBM PC AT technical reference).
// When a key is pressed, the keyboard sends the key's scan code, 01 to 7F, and repeats this code
// while the key is held down. When a key is released, the keyboard sends the code with bit 7 set.
// For a key that the first PC did not have, the keyboard sends E0 before either code. For Pause, it
// sends E1 and then the codes of Ctrl and Num Lock, pressed and released.
//
// In this file, a key's number is its scan code, plus EXTENDED if E0 comes before the code.
//
// The BIOS read the keyboard until the boot loader disabled interrupts. So kbd_init and
// kbd_getc_bios take over the BIOS's state from the BIOS data area: pressed modifier keys, an E0
// whose scan code has not arrived yet, and characters that no program has read. Only console.c
// calls this file; console.c holds cons_lock, except at boot.

#include <inc/kbdreg.h>
#include <inc/memlayout.h>
#include <inc/string.h>
#include <inc/types.h>
#include <inc/x86.h>

#include <kern/dev/console.h>

#define KBD_DATA         0x60
#define KBD_STATUS       0x64
#define KBD_STATUS_DATA  0x01 // A byte can be read
#define KBD_STATUS_MOUSE 0x20 // The byte comes from the mouse
#define NO_CONTROLLER    0xFF // A port without a device reads as all ones

#define PREFIX_EXTENDED 0xE0
#define RELEASED        0x80 // Bit of a scan code: the key was released
#define EXTENDED        0x80 // Bit of a key's number, set if the scan code follows E0

#define SCAN_CAPS_LOCK     0x3A
#define SCAN_DELETE        (EXTENDED | 0x53)
#define SCAN_KEYPAD_DELETE 0x53

// System control port A of the PS/2: a rising edge of bit 0 resets the machine.
#define PORT_A       0x92
#define PORT_A_RESET 0x01

enum {
	LEFT_SHIFT = 1 << 0,
	RIGHT_SHIFT = 1 << 1,
	LEFT_CTRL = 1 << 2,
	RIGHT_CTRL = 1 << 3,
	LEFT_ALT = 1 << 4,
	RIGHT_ALT = 1 << 5,
	CAPS_LOCK = 1 << 6,

	SHIFT = LEFT_SHIFT | RIGHT_SHIFT,
	CTRL = LEFT_CTRL | RIGHT_CTRL,
	ALT = LEFT_ALT | RIGHT_ALT,
};

// The modifier keys. E0 2A and E0 36 are missing on purpose, because they are not keys. The
// keyboard sends them before and after the codes of some extended keys, to hide the state of Shift
// from programs that only know the first PC's keyboard.
static const uint8_t modifier_keys[256] = {
	[0x2A] = LEFT_SHIFT,
	[0x36] = RIGHT_SHIFT,
	[0x1D] = LEFT_CTRL,
	[EXTENDED | 0x1D] = RIGHT_CTRL,
	[0x38] = LEFT_ALT,
	[EXTENDED | 0x38] = RIGHT_ALT,
};

// The keys whose character does not depend on Shift
static const uint16_t fixed_keys[256] = {
	[0x01] = '\033',
	[0x0E] = '\b',
	[0x0F] = '\t',
	[0x1C] = '\n',
	[0x37] = '*',
	[0x39] = ' ',
	[EXTENDED | 0x1C] = '\n',
	[EXTENDED | 0x35] = '/',
	[EXTENDED | 0x47] = KEY_HOME,
	[EXTENDED | 0x48] = KEY_UP,
	[EXTENDED | 0x49] = KEY_PGUP,
	[EXTENDED | 0x4B] = KEY_LF,
	[EXTENDED | 0x4D] = KEY_RT,
	[EXTENDED | 0x4F] = KEY_END,
	[EXTENDED | 0x50] = KEY_DN,
	[EXTENDED | 0x51] = KEY_PGDN,
	[EXTENDED | 0x52] = KEY_INS,
	[SCAN_DELETE] = KEY_DEL,
};

// The other keys, in rows of neighbouring keys on a US keyboard. The keypad always produces digits:
// Num Lock is ignored.
static const struct {
	uint8_t first; // The leftmost key
	const char *plain, *shifted;
} rows[] = {
	{ 0x02, "1234567890-=", "!@#$%^&*()_+" },  // The row of digits
	{ 0x10, "qwertyuiop[]", "QWERTYUIOP{}" },  // The row that begins with Q
	{ 0x1E, "asdfghjkl;'`", "ASDFGHJKL:\"~" }, // The row that begins with A
	{ 0x2B, "\\zxcvbnm,./", "|ZXCVBNM<>?" },   // The backslash, then the row that begins with Z
	{ 0x47, "789-456+1230.", "789-456+1230." }, // The keypad
	{ 0x56, "<", ">" }, // The extra key to the left of Z on non-US keyboards
};

static unsigned modifiers; // The pressed modifier keys, and CAPS_LOCK while it is on

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Return the control character that Ctrl and the key of character c produce; 0 if there is none. In
// ASCII, only the letters and [ \ ] ^ _ have a control character.
static int
control_character(int c)
{
	return is_letter(c) || (c >= '[' && c <= '_') ? c & 0x1F : 0;
}

// Return the character or the key code (inc/kbdreg.h) of a key; 0 if the key has neither.
static int
key_character(uint8_t key)
{
	int c = fixed_keys[key];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned column = key - rows[i].first;
		if (key < rows[i].first || column >= strlen(rows[i].plain))
			continue;
		c = rows[i].plain[column];
		bool shifted = modifiers & SHIFT, caps = modifiers & CAPS_LOCK;
		if (is_letter(c) ? shifted != caps : shifted)
			c = rows[i].shifted[column];
	}
	return (modifiers & CTRL) && c >= ' ' && c <= '~' ? control_character(c) : c;
}

static void
reset_machine(void)
{
	uint8_t value = inb(PORT_A) & ~PORT_A_RESET;

	outb(PORT_A, value);
	outb(PORT_A, value | PORT_A_RESET);
}

// Handle a key that was pressed, or that is held down (repeated). Returns what key_character
// returns for this key; 0 if the key resets the machine.
static int
press(uint8_t key, bool repeated)
{
	modifiers |= modifier_keys[key];
	if (key == SCAN_CAPS_LOCK && !repeated)
		modifiers ^= CAPS_LOCK;
	if ((key == SCAN_DELETE || key == SCAN_KEYPAD_DELETE) && (modifiers & CTRL) &&
	    (modifiers & ALT)) {
		reset_machine();
		return 0;
	}
	return key_character(key);
}

// The state of decode() between two bytes
static uint8_t extended;     // EXTENDED if the last byte was E0
static uint8_t last_pressed; // The key of the last scan code; 0 if that key was released

// Handle a byte from the keyboard. If the byte completes a key press, return the key's character or
// key code. Otherwise return 0.
static int
decode(uint8_t byte)
{
	if (byte == PREFIX_EXTENDED) {
		extended = EXTENDED;
		return 0;
	}
	uint8_t key = (byte & ~RELEASED) | extended;
	bool released = byte & RELEASED, repeated = key == last_pressed;

	extended = 0;
	last_pressed = released ? 0 : key;
	if (!released)
		return press(key, repeated);
	modifiers &= ~modifier_keys[key];
	return 0;
}

int
kbd_getc(void)
{
	uint8_t status = inb(KBD_STATUS);

	if (status == NO_CONTROLLER || !(status & KBD_STATUS_DATA))
		return -1;
	uint8_t byte = inb(KBD_DATA);
	return status & KBD_STATUS_MOUSE ? 0 : decode(byte);
}

// ---- The BIOS data area (IBM's technical reference; Ralf Brown's memory list) ----

#define BDA           ((uint8_t *)(KERNBASE + 0x400))
#define BDA_KEYS_HEAD 0x1A // 16 bits: offset of the next key to read
#define BDA_KEYS_TAIL 0x1C // 16 bits: offset where the next typed key will be stored
#define BDA_KEYS      0x1E // Ring buffer of keys, 2 bytes each: character, scan code
#define BDA_KEYS_END  0x3E
#define BDA_KBD_FLAGS 0x96
#define BDA_LAST_E0   0x02

// Where the BIOS keeps the state of each modifier
static const struct {
	uint8_t offset, bit;
	uint8_t modifier;
} bda_modifiers[] = {
	{ 0x17, 0x01, RIGHT_SHIFT },
	{ 0x17, 0x02, LEFT_SHIFT },
	{ 0x17, 0x40, CAPS_LOCK },
	{ 0x18, 0x01, LEFT_CTRL },
	{ 0x18, 0x02, LEFT_ALT },
	{ BDA_KBD_FLAGS, 0x04, RIGHT_CTRL },
	{ BDA_KBD_FLAGS, 0x08, RIGHT_ALT },
};

void
kbd_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bda_modifiers); i++) {
		if (BDA[bda_modifiers[i].offset] & bda_modifiers[i].bit)
			modifiers |= bda_modifiers[i].modifier;
	}
	if (BDA[BDA_KBD_FLAGS] & BDA_LAST_E0)
		decode(PREFIX_EXTENDED);
}

static bool
bda_keys_offset_ok(uint16_t offset)
{
	return offset >= BDA_KEYS && offset < BDA_KEYS_END && offset % 2 == 0;
}

int
kbd_getc_bios(void)
{
	uint16_t *head = (uint16_t *)(BDA + BDA_KEYS_HEAD);
	uint16_t tail = *(uint16_t *)(BDA + BDA_KEYS_TAIL);

	if (*head == tail || !bda_keys_offset_ok(*head) || !bda_keys_offset_ok(tail))
		return -1;
	uint8_t c = BDA[*head], code = BDA[*head + 1];
	*head = *head + 2 < BDA_KEYS_END ? *head + 2 : BDA_KEYS;
	if (c == 0 || c == PREFIX_EXTENDED) // The key has no character.
		return fixed_keys[EXTENDED | code];
	return c == '\r' ? '\n' : c;
}
