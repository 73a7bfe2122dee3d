// The keyboard: an 8042 controller that delivers scan code set 1 (IBM's reference manual of the
// PC AT). A key that goes down sends its code, 01 to 7F, again and again while it is held; when it
// goes up, it sends the code with bit 7 set. The keys that the first PCs did not have send E0
// before each of the two. Pause sends E1 and the codes of Ctrl and Num Lock, down and up again.
//
// Here a key is its code, plus EXTENDED if E0 came before the code.
//
// Until the boot loader disabled interrupts, the BIOS read the keyboard. What the BIOS knows (the
// modifier keys that are down, a prefix without its code) and what it collected but no program has
// read, we take over from its data area.

#include <inc/kbdreg.h>
#include <inc/memlayout.h>
#include <inc/string.h>
#include <inc/types.h>
#include <inc/x86.h>

#include <kern/dev/console.h>

#define KBD_DATA         0x60
#define KBD_STATUS       0x64
#define KBD_STATUS_DATA  0x01 // A byte can be read
#define KBD_STATUS_MOUSE 0x20 // It comes from the mouse
#define NO_CONTROLLER    0xFF // What a port without a device reads

#define PREFIX_EXTENDED 0xE0
#define RELEASED        0x80 // In a scan code
#define EXTENDED        0x80 // In a key

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

// The modifier keys. (E0 2A and E0 36 are no keys: they surround some extended keys, to hide the
// state of Shift from programs that know the first PC's keyboard only.)
static const uint8_t modifier_keys[256] = {
	[0x2A] = LEFT_SHIFT,
	[0x36] = RIGHT_SHIFT,
	[0x1D] = LEFT_CTRL,
	[EXTENDED | 0x1D] = RIGHT_CTRL,
	[0x38] = LEFT_ALT,
	[EXTENDED | 0x38] = RIGHT_ALT,
};

// The keys that do not depend on Shift.
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

// The other keys, as they stand next to each other on an American keyboard. The keypad has its
// digits, whatever Num Lock says.
static const struct {
	uint8_t first; // The leftmost key
	const char *plain, *shifted;
} rows[] = {
	{ 0x02, "1234567890-=", "!@#$%^&*()_+" },
	{ 0x10, "qwertyuiop[]", "QWERTYUIOP{}" },
	{ 0x1E, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
	{ 0x2B, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
	{ 0x47, "789-456+1230.", "789-456+1230." },
	{ 0x56, "<", ">" }, // To the left of Z, on keyboards that have one more
};

static unsigned modifiers; // The modifier keys that are down, and CAPS_LOCK while it is on

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The control character of a key with that character, or 0 if it has none: ASCII has them for the
// letters and for [ \ ] ^ _ only.
static int
control_character(int c)
{
	return is_letter(c) || (c >= '[' && c <= '_') ? c & 0x1F : 0;
}

// The character of a key, or its code in inc/kbdreg.h; 0 if it has neither.
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

// A key went down, or (repeated) is held down. Returns its character, or 0.
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

// What came before the next byte.
static uint8_t extended;     // EXTENDED after E0
static uint8_t last_pressed; // The key of the last code, if that key went down

// The character that one byte of the keyboard completes, or 0.
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

// ---- The BIOS's data area: IBM's technical reference, and Ralf Brown's list of its bytes ----

#define BDA           ((uint8_t *)(KERNBASE + 0x400))
#define BDA_KEYS_HEAD 0x1A // Offset of the next key to read, a word
#define BDA_KEYS_TAIL 0x1C // and of the place for the next key that is typed
#define BDA_KEYS      0x1E // A ring of keys: a character, and above it the scan code
#define BDA_KEYS_END  0x3E
#define BDA_KBD_FLAGS 0x96
#define BDA_LAST_E0   0x02

// Where the BIOS has a bit for a modifier.
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
	if (c == 0 || c == PREFIX_EXTENDED) // A key without a character
		return fixed_keys[EXTENDED | code];
	return c == '\r' ? '\n' : c;
}
