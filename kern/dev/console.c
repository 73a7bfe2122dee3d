// The console. Output goes to the serial port and to the screen (cga.c). Input comes from the
// serial port and from the keyboard (kbd.c).
//
// A ring buffer holds the input until it is read. The interrupt handler moves input from the
// devices to the buffer. A reader does the same before it reads, because interrupts may be off.
// When the buffer is full, input stays in its device, and QEMU stops reading its side of the serial
// line. A serial port that does not answer at boot is never used, so the kernel never waits for
// such a port.
//
// Ctrl-C and Ctrl-P are not input while the monitor is closed: they set cons_requests, which
// check/breakin.c handles.
//
// The callers are printf.c, panic.c, lib/readline.c, trap.c (interrupts), and syscall.c and wait.c
// (readers). cons_lock protects the devices and the buffer; the big lock protects the queue of
// sleeping readers.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/dev/console.h>
#include <kern/cpu.h>
#include <kern/panic.h>
#include <kern/dev/kclock.h>
#include <kern/dev/picirq.h>
#include <kern/spinlock.h>

struct spinlock cons_lock = { .name = "the console lock" };

// ---- The input buffer ----

// Serial input fills at most SERIAL_MAX of the INPUT_SIZE slots. The other slots are for the
// keyboard, because its controller can hold only a few keys.
#define INPUT_SIZE 1024
#define SERIAL_MAX 768

static struct {
	uint16_t keys[INPUT_SIZE]; // Characters, and key codes from inc/kbdreg.h
	uint32_t rpos;             // Number of keys read since boot, modulo 2^32
	uint32_t wpos;             // Number of keys stored since boot; wpos - rpos keys are unread
} input;

#define CTRL(letter) (0x1F & (letter))

volatile uint32_t cons_requests;
static bool monitor_open; // The monitor reads the input: all keys are for its line editor

// Store a key, or note its request. Ctrl-C discards what was typed before it and has not been read:
// otherwise the monitor would read that as a command. A NUL is dropped, because cons_getc returns 0
// for "no input".
static void
store_key(int c)
{
	if (c == CTRL('C') && !monitor_open) {
		input.rpos = input.wpos;
		__atomic_fetch_or(&cons_requests, CONS_STOP, __ATOMIC_SEQ_CST);
	} else if (c == CTRL('P') && !monitor_open) {
		__atomic_fetch_or(&cons_requests, CONS_SHOW, __ATOMIC_SEQ_CST);
	} else if (c != 0) {
		input.keys[input.wpos++ % INPUT_SIZE] = c;
	}
}

// Move a device's input to the buffer, until the device has no more input or the buffer has `limit`
// unread keys.
static void
cons_collect(int (*device_getc)(void), uint32_t limit)
{
	int c;

	while (input.wpos - input.rpos < limit && (c = device_getc()) != -1)
		store_key(c);
}

// ---- The first serial port, a 16550 (registers: see the 16550's data sheet) ----

#define COM1          0x3F8
#define COM_DATA      (COM1 + 0) // Transmit and receive; while DLAB is set, the divisor's low byte
#define COM_IER       (COM1 + 1) // Interrupt enable; while DLAB is set, the divisor's high byte
#define COM_FCR       (COM1 + 2) // Write: FIFO control
#define COM_IIR       (COM1 + 2) // Read: interrupt identification
#define COM_LCR       (COM1 + 3) // Line control
#define COM_MCR       (COM1 + 4) // Modem control
#define COM_LSR       (COM1 + 5) // Line status
#define COM_IER_RDI   0x01       // Interrupt on received data
#define COM_FCR_ON    0x01       // FIFOs on, an interrupt for each character received
#define COM_IIR_FIFO  0xC0       // Both bits set: the FIFOs are on and work
#define COM_FIFO_SIZE 16
#define COM_LCR_DLAB  0x80
#define COM_LCR_8N1   0x03
#define COM_MCR_ON    0x0B  // DTR, RTS, and OUT2, which connects the port to its IRQ line
#define COM_LSR_DATA  0x01  // A character has arrived
#define COM_LSR_TXRDY 0x20  // The transmit buffer is empty
#define COM_DIVISOR   1     // 115200 baud
#define COM_MAX_POLLS 20000 // Port reads (about 1 us each) before the port counts as dead

static bool serial_exists;
static size_t serial_fifo;   // Characters that fit into an empty transmit buffer
static uint64_t serial_sent; // Characters written since boot

static int
serial_getc(void)
{
	// A port without a device reads as all ones.
	uint8_t status = inb(COM_LSR);
	if (status == 0xFF || !(status & COM_LSR_DATA))
		return -1;
	return inb(COM_DATA);
}

static void
serial_init(void)
{
	outb(COM_LCR, COM_LCR_DLAB);
	outb(COM_DATA, COM_DIVISOR & 0xFF);
	outb(COM_IER, COM_DIVISOR >> 8);
	outb(COM_LCR, COM_LCR_8N1);
	outb(COM_MCR, COM_MCR_ON);
	// Turning on the FIFOs discards received characters. If a character has already arrived,
	// leave the FIFOs off, because the next character may arrive at any moment and could be
	// lost. (QEMU delays the sender until the first character is read.)
	if (!(inb(COM_LSR) & COM_LSR_DATA))
		outb(COM_FCR, COM_FCR_ON);
	serial_fifo = (inb(COM_IIR) & COM_IIR_FIFO) == COM_IIR_FIFO ? COM_FIFO_SIZE : 1;
	outb(COM_IER, COM_IER_RDI);
	serial_exists = inb(COM_LSR) != 0xFF;
}

// Wait until the transmit buffer is empty. Returns false if the port does not become ready in
// COM_MAX_POLLS reads: the port is dead. The limit does not apply to a port that has already sent
// more characters than its buffer holds: the port works, and the reader at the other end is slow.
static bool
serial_wait(void)
{
	int polls_left = COM_MAX_POLLS;

	while (!(inb(COM_LSR) & COM_LSR_TXRDY)) {
		if (serial_sent <= COM_FIFO_SIZE && --polls_left == 0) {
			serial_exists = false;
			return false;
		}
	}
	return true;
}

// Fill the transmit buffer each time it is empty. This keeps the serial line busy, because the port
// is still sending the last character when its buffer becomes empty.
static void
serial_write(const char *s, size_t len)
{
	while (len > 0 && serial_exists && serial_wait()) {
		size_t part = MIN(len, serial_fifo);

		outsb(COM_DATA, s, part);
		serial_sent += part;
		s += part;
		len -= part;
	}
}

// ---- Input and output together ----

#define PANIC_TRIES 1000 // Attempts to get cons_lock in a panic, 1 ms apart

void
cons_intr(void)
{
	spin_lock(&cons_lock);
	if (serial_exists)
		cons_collect(serial_getc, SERIAL_MAX);
	cons_collect(kbd_getc, INPUT_SIZE);
	spin_unlock(&cons_lock);
}

// Store the unread keys anew, after the monitor: its Ctrl-C and Ctrl-P become requests.
static void
store_again(void)
{
	uint32_t pos = input.rpos, end = input.wpos;

	for (input.wpos = pos; pos != end; pos++)
		store_key(input.keys[pos % INPUT_SIZE]);
}

void
cons_monitor_opens(bool open)
{
	spin_lock(&cons_lock);
	monitor_open = open;
	cons_requests = 0;
	if (!open)
		store_again();
	spin_unlock(&cons_lock);
}

bool
cons_stop_wanted(void)
{
	bool wanted = false;

	cons_intr();
	spin_lock(&cons_lock);
	for (uint32_t pos = input.rpos; pos != input.wpos && !wanted; pos++) {
		wanted = input.keys[pos % INPUT_SIZE] == CTRL('C');
		if (wanted)
			input.rpos = pos + 1;
	}
	spin_unlock(&cons_lock);
	return wanted;
}

void
cons_lock_for_panic(void)
{
	int tries = PANIC_TRIES;

	while (!spin_holding(&cons_lock) && !spin_try(&cons_lock) && --tries > 0)
		udelay(1000);
	cons_lock.holder = -1; // -1 is not the value of any CPU, so no CPU can release the lock.
}

// True if text was written since the last newline. The cursor's column does not show this: after
// text that fills a line of the screen, the cursor is in column 0, but the line on the serial port
// has not ended.
static bool mid_line;

void
cons_end_line(void)
{
	if (mid_line)
		cons_put("\n", 1);
}

// True if the last character that the monitor read was a CR. If the next character is an LF, the LF
// belongs to the same press of Enter, and must not reach a program that the monitor starts.
static bool after_cr;

int
cons_getc(void)
{
	int c = 0;

	cons_intr(); // If interrupts are off, the handler has not filled the buffer.
	spin_lock(&cons_lock);
	while (c == 0 && input.rpos != input.wpos) {
		c = input.keys[input.rpos++ % INPUT_SIZE];
		if (c == '\n' && after_cr)
			c = 0;
		after_cr = false;
	}
	spin_unlock(&cons_lock);
	return c;
}

void
cons_enable_interrupts(void)
{
	if (serial_exists)
		irq_enable(IRQ_SERIAL);
}

// mid_line is set last. So if a panic interrupts this function in the middle of a line, the panic
// still starts a new line for its message.
static void
put_control(char c)
{
	if (c == '\n')
		serial_write("\r\n", 2);
	else
		serial_write(&c, 1);
	cga_control(c);
	mid_line = c != '\n';
}

// Text is written to the screen first. So when a line has arrived at the other end of the serial
// port, its text is also on the screen.
void
cons_put(const char *s, size_t len)
{
	size_t n;

	for (; len > 0; s += n, len -= n) {
		if ((uint8_t)*s < ' ') {
			put_control(*s);
			n = 1;
		} else {
			mid_line = true;
			n = cga_put(s, len);
			serial_write(s, n);
		}
	}
}

// A terminal at the serial port gets the escape sequence for these colours (ECMA-48, SGR): 30 to 37
// and 90 to 97 (bright) for characters, 40 to 47 for the background. The CGA counts blue as 1 and
// red as 4; terminals do the opposite.
void
cons_set_colours(unsigned colours)
{
	static const char ansi[] = "04261537";
	char sequence[] = "\033[0;30;40m";

	sequence[4] = colours & 8 ? '9' : '3';
	sequence[5] = ansi[colours & 7];
	sequence[8] = ansi[colours >> 4 & 7];
	spin_lock(&cons_lock);
	cga_set_colours(colours);
	if (colours == CONS_COLOURS)
		serial_write("\033[0m", 4);
	else
		serial_write(sequence, sizeof(sequence) - 1);
	spin_unlock(&cons_lock);
}

void
cons_init(void)
{
	cga_init();
	serial_init();
	kbd_init();
	cons_collect(kbd_getc_bios, INPUT_SIZE);
}

// ---- Called by lib/readline.c and lib/printfmt.c ----

void
cputchar(int c)
{
	char character = c;

	cons_write(&character, 1);
}

int
getchar(void)
{
	int c;

	after_cr = false; // readline handles an LF after a CR itself.
	while ((c = cons_getc()) == 0) {
		// Only the boot CPU gets device interrupts, so only the boot CPU may halt until an
		// interrupt arrives.
		if (thiscpu == bootcpu && !panicstr)
			__asm__ volatile("sti; hlt; cli" : : : "memory");
		else
			cpu_pause();
	}
	after_cr = c == '\r';
	return c;
}

int
iscons(int fdnum)
{
	return 1;
}
