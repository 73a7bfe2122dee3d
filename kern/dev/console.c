// The console: everything printed appears on the serial port and on the screen (cga.c),
// and input may come from the serial port or the keyboard (kbd.c).
//
// Input waits in a ring buffer. The interrupt handler puts it there, and so does every reader,
// since a reader may run with interrupts off. Input for which the buffer has no room stays in its
// device: QEMU then stops reading its side of the serial line. A serial port that does not answer
// when the kernel starts is never used, so that nothing waits for it.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/dev/console.h>
#include <kern/cpu.h>
#include <kern/init.h>
#include <kern/dev/kclock.h>
#include <kern/dev/picirq.h>
#include <kern/spinlock.h>
#include <kern/wait.h>

struct spinlock cons_lock = SPINLOCK("the console lock");

// ---- The input buffer ----

#define INPUT_SIZE   1024
#define SERIAL_SHARE 768 // How many the serial line may fill: the keyboard keeps but few keys

static struct {
	uint16_t keys[INPUT_SIZE]; // Characters, and the keys of inc/kbdreg.h
	uint32_t rpos;             // Both only grow; wpos - rpos keys are waiting.
	uint32_t wpos;
} input;

// Take what a device has, until `most` keys wait in the buffer. NUL is no character: for a reader
// it would mean that there is none.
static void
cons_collect(int (*device_getc)(void), uint32_t most)
{
	int c;

	while (input.wpos - input.rpos < most && (c = device_getc()) != -1) {
		if (c != 0)
			input.keys[input.wpos++ % INPUT_SIZE] = c;
	}
}

// ---- The first serial port, a 16550: its data sheet ----

#define COM1          0x3F8
#define COM_DATA      (COM1 + 0) // Transmit, receive; with DLAB the divisor's low byte
#define COM_IER       (COM1 + 1) // Interrupts; with DLAB the divisor's high byte
#define COM_FCR       (COM1 + 2) // FIFO control, when written
#define COM_IIR       (COM1 + 2) // Which interrupt, when read
#define COM_LCR       (COM1 + 3) // Line control
#define COM_MCR       (COM1 + 4) // Modem control
#define COM_LSR       (COM1 + 5) // Line status
#define COM_IER_RDI   0x01       // Interrupt on received data
#define COM_FCR_ON    0x01       // FIFOs on, an interrupt for each character received
#define COM_IIR_FIFO  0xC0       // In COM_IIR, both bits: the FIFOs are on, and work
#define COM_FIFO_SIZE 16
#define COM_LCR_DLAB  0x80
#define COM_LCR_8N1   0x03
#define COM_MCR_ON    0x0B  // DTR, RTS, and OUT2, which lets interrupts through
#define COM_LSR_DATA  0x01  // A character has arrived
#define COM_LSR_TXRDY 0x20  // The transmit buffer is empty
#define COM_DIVISOR   1     // 115200 baud
#define COM_PATIENCE  20000 // Port reads, about 1 us each, before the port counts as dead

static bool serial_exists;
static size_t serial_fifo;   // Characters that an empty transmit buffer takes
static uint64_t serial_sent; // Characters written since the kernel started

static int
serial_getc(void)
{
	// A port without a device reads all ones.
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
	// To switch the FIFOs on empties the port. If a character has arrived already, more may
	// follow at any moment (QEMU holds up the sender until the character is read), and there
	// is no moment at which none can be lost: then work without the FIFOs.
	if (!(inb(COM_LSR) & COM_LSR_DATA))
		outb(COM_FCR, COM_FCR_ON);
	serial_fifo = (inb(COM_IIR) & COM_IIR_FIFO) == COM_IIR_FIFO ? COM_FIFO_SIZE : 1;
	outb(COM_IER, COM_IER_RDI);
	serial_exists = inb(COM_LSR) != 0xFF;
}

// Wait until the transmit buffer is empty. False if the port is dead. A port that has sent more
// characters than its buffer holds is not dead: its reader is slow.
static bool
serial_wait(void)
{
	int patience = COM_PATIENCE;

	while (!(inb(COM_LSR) & COM_LSR_TXRDY)) {
		if (serial_sent <= COM_FIFO_SIZE && --patience == 0) {
			serial_exists = false;
			return false;
		}
	}
	return true;
}

// Fill the transmit buffer each time it is empty. The line has no pause then: the port is still
// sending the last character that left the buffer.
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

#define WAKE_MOST      32   // Readers that get a character at a time
#define PANIC_PATIENCE 1000 // Attempts, one each ms, to get the console lock in a panic

void
cons_intr(void)
{
	spin_lock(&cons_lock);
	if (serial_exists)
		cons_collect(serial_getc, SERIAL_SHARE);
	cons_collect(kbd_getc, INPUT_SIZE);
	spin_unlock(&cons_lock);
}

void
cons_break_in(void)
{
	int patience = PANIC_PATIENCE;

	while (!spin_holding(&cons_lock) && !spin_try(&cons_lock) && --patience > 0)
		udelay(1000);
	cons_lock.holder = -1; // No CPU can drop the lock any more: see spin_lock.
}

// Whether something has been written since the end of the last line. (The cursor's column does not
// say so: a text that fills a line of the screen has not ended its line on the serial port.)
static bool in_line;

void
cons_fresh_line(void)
{
	if (in_line)
		cons_put("\n", 1);
}

// The last character that the monitor has read is CR. If LF follows, it belongs to the same Enter,
// and must not reach the program that the monitor has started.
static bool after_cr;

int
cons_getc(void)
{
	int c = 0;

	cons_intr(); // In case interrupts are off.
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

HOT_DATA struct EnvQueue cons_readers;

void
cons_wait(void)
{
	wait_in(&cons_readers);
}

bool
cons_wake_readers(void)
{
	int c, woken = 0;

	assert(kernel_locked());
	for (; woken < WAKE_MOST && cons_readers.head && (c = cons_getc()) != 0; woken++)
		wait_end(cons_readers.head, c);
	return woken > 0;
}

void
cons_enable_interrupts(void)
{
	if (serial_exists)
		irq_enable(IRQ_SERIAL);
}

// in_line changes last: a panic in the middle of this ends the line again.
static void
put_control(char c)
{
	if (c == '\n')
		serial_write("\r\n", 2);
	else
		serial_write(&c, 1);
	cga_control(c);
	in_line = c != '\n';
}

// The screen is written before the serial port, so that a line that was read from the port is
// already on the screen.
void
cons_put(const char *s, size_t len)
{
	size_t n;

	for (; len > 0; s += n, len -= n) {
		if ((uint8_t)*s < ' ') {
			put_control(*s);
			n = 1;
		} else {
			in_line = true;
			n = cga_put(s, len);
			serial_write(s, n);
		}
	}
}

void
cons_init(void)
{
	cga_init();
	serial_init();
	kbd_init();
	cons_collect(kbd_getc_bios, INPUT_SIZE);
}

// ---- What lib/readline.c and lib/printfmt.c need ----

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

	after_cr = false; // readline knows what to do with an LF.
	while ((c = cons_getc()) == 0) {
		// The boot CPU takes the devices' interrupts, and may sleep until one comes.
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
