// The console: everything printed appears on the serial port and on the screen,
// and input may come from the serial port or the keyboard (kbd.c).
//
// Input waits in a ring buffer. It gets there by an interrupt, or by the polling
// of a reader for whom interrupts are off. A device that does not answer when the
// kernel starts is left alone ever after, so that nothing waits for it.

#include <inc/assert.h>
#include <inc/memlayout.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/console.h>
#include <kern/cpu.h>
#include <kern/init.h>
#include <kern/kclock.h>
#include <kern/picirq.h>
#include <kern/pmap.h>
#include <kern/spinlock.h>
#include <kern/wait.h>

struct spinlock cons_lock = SPINLOCK("the console lock");

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
#define COM_IIR_FIFO  0xC0       // They are, and work
#define COM_FIFO_SIZE 16
#define COM_LCR_DLAB  0x80
#define COM_LCR_8N1   0x03
#define COM_MCR_ON    0x0B  // DTR, RTS, and OUT2, which lets interrupts through
#define COM_LSR_DATA  0x01  // A character has come
#define COM_LSR_TXRDY 0x20  // All have gone that were written
#define COM_DIVISOR   1     // 115200 baud
#define COM_PATIENCE  20000 // Port reads, of about 1 us, after which it is taken for dead

static bool serial_exists;
static bool serial_works; // It has sent characters: then who reads them may be slow
static int serial_fifo;   // So many characters can be written at once, when all have gone

static void
serial_init(void)
{
	outb(COM_FCR, COM_FCR_ON);
	serial_fifo = (inb(COM_IIR) & COM_IIR_FIFO) == COM_IIR_FIFO ? COM_FIFO_SIZE : 1;
	outb(COM_LCR, COM_LCR_DLAB);
	outb(COM_DATA, COM_DIVISOR & 0xFF);
	outb(COM_IER, COM_DIVISOR >> 8);
	outb(COM_LCR, COM_LCR_8N1);
	outb(COM_MCR, COM_MCR_ON);
	outb(COM_IER, COM_IER_RDI);
	// Nobody drives the bus where there is no port: it reads all ones.
	serial_exists = inb(COM_LSR) != 0xFF;
}

static int
serial_getc(void)
{
	if (!serial_exists || !(inb(COM_LSR) & COM_LSR_DATA))
		return -1;
	int c = inb(COM_DATA);
	return c == 0x7F ? '\b' : c; // A terminal's backspace key sends DEL.
}

// Wait until all characters have gone. False if the port is dead.
static bool
serial_wait(void)
{
	static bool sent;
	int patience = COM_PATIENCE;

	while (!(inb(COM_LSR) & COM_LSR_TXRDY)) {
		if (!serial_works && --patience == 0) {
			serial_exists = false;
			return false;
		}
	}
	serial_works = sent;
	sent = true;
	return true;
}

static void
serial_putc(int c)
{
	static int room;

	if (!serial_exists)
		return;
	if (room == 0) {
		if (!serial_wait())
			return;
		room = serial_fifo;
	}
	room--;
	outb(COM_DATA, c);
}

// ---- The screen: 25 lines of 80 cells of text, a character and its colours each ----

#define CGA_BUF    0xB8000
#define CGA_PORT   0x3D4 // Index and data registers of the 6845
#define CRT_ROWS   25
#define CRT_COLS   80
#define CRT_SIZE   (CRT_ROWS * CRT_COLS)
#define CRT_POS_HI 14 // Registers that hold the cursor's place
#define CRT_POS_LO 15
#define CRT_BLANK  0x0720 // A space, light grey on black

static uint16_t *const crt_buf = (uint16_t *)(KERNBASE + CGA_BUF);
static uint16_t crt_pos;

static void
cga_init(void)
{
	outb(CGA_PORT, CRT_POS_HI);
	crt_pos = inb(CGA_PORT + 1) << 8;
	outb(CGA_PORT, CRT_POS_LO);
	crt_pos |= inb(CGA_PORT + 1);
	// Go on where the BIOS stopped, unless its cursor was out of sight.
	if (crt_pos >= CRT_SIZE)
		crt_pos = 0;
}

static void
cga_scroll(void)
{
	memmove(crt_buf, crt_buf + CRT_COLS, (CRT_SIZE - CRT_COLS) * sizeof(crt_buf[0]));
	for (int i = CRT_SIZE - CRT_COLS; i < CRT_SIZE; i++)
		crt_buf[i] = CRT_BLANK;
	crt_pos -= CRT_COLS;
}

static void
cga_putc(int c)
{
	switch (c) {
	case '\a':
		return;
	case '\b':
		if (crt_pos > 0)
			crt_pos--;
		break;
	case '\n':
		crt_pos += CRT_COLS - crt_pos % CRT_COLS;
		break;
	case '\r':
		crt_pos -= crt_pos % CRT_COLS;
		break;
	case '\t':
		for (int n = 8 - crt_pos % 8; n > 0; n--)
			crt_buf[crt_pos++] = CRT_BLANK;
		break;
	default:
		crt_buf[crt_pos++] = (CRT_BLANK & 0xFF00) | (c & 0xFF);
		break;
	}
	if (crt_pos >= CRT_SIZE)
		cga_scroll();
}

static void
cga_show_cursor(void)
{
	outb(CGA_PORT, CRT_POS_HI);
	outb(CGA_PORT + 1, crt_pos >> 8);
	outb(CGA_PORT, CRT_POS_LO);
	outb(CGA_PORT + 1, crt_pos & 0xFF);
}

// ---- Input, and both together ----

#define PANIC_PATIENCE 1000 // Looks, one a ms, until a line must have ended

static struct {
	uint8_t buf[512];
	uint32_t rpos; // Both count for ever; their difference is what waits.
	uint32_t wpos;
} input;

// Take what a device has, as far as there is room. The rest waits in the device, until
// the next one who reads a character collects again.
static void
cons_collect(int (*device_getc)(void))
{
	int c;
	while (input.wpos - input.rpos < sizeof(input.buf) && (c = device_getc()) != -1) {
		if (c != 0)
			input.buf[input.wpos++ % sizeof(input.buf)] = c;
	}
}

void
cons_intr(void)
{
	spin_lock(&cons_lock);
	cons_collect(serial_getc);
	cons_collect(kbd_getc);
	spin_unlock(&cons_lock);
}

void
cons_break_in(void)
{
	int patience = PANIC_PATIENCE;

	while (cons_lock.holder != spin_name(cpunum()) && !spin_change(&cons_lock, 0, spin_me()) &&
	       --patience > 0)
		udelay(1000);
	cons_lock.word = SPIN_BROKEN; // Nobody can drop it any more; and see spin_lock.
}

void
cons_fresh_line(void)
{
	if (crt_pos % CRT_COLS != 0)
		cons_putc('\n');
}

int
cons_getc(void)
{
	int c = 0;

	cons_intr(); // In case interrupts are off.
	spin_lock(&cons_lock);
	if (input.rpos != input.wpos)
		c = input.buf[input.rpos++ % sizeof(input.buf)];
	spin_unlock(&cons_lock);
	return c;
}

struct EnvQueue cons_readers;

void
cons_wait(void)
{
	wait_in(&cons_readers);
}

void
cons_wake_readers(void)
{
	int c;

	assert(kernel_locked());
	while (cons_readers.head && (c = cons_getc()) != 0)
		wait_end(cons_readers.head, c);
}

void
cons_enable_interrupts(void)
{
	if (serial_exists)
		irq_enable(IRQ_SERIAL);
}

void
cons_putc(int c)
{
	if (c == '\n')
		serial_putc('\r');
	serial_putc(c);
	cga_putc(c);
}

void
cons_end_text(void)
{
	cga_show_cursor();
}

void
cons_init(void)
{
	cga_init();
	serial_init();
	while (kbd_getc() != -1) {
		// What was typed at the BIOS was not meant for us.
	}
}

// ---- What lib/readline.c and lib/printfmt.c need ----

void
cputchar(int c)
{
	cprintf("%c", c);
}

int
getchar(void)
{
	int c;
	while ((c = cons_getc()) == 0) {
		// The boot CPU takes the devices' interrupts, and may sleep until one comes.
		if (thiscpu == bootcpu && !panicstr)
			__asm__ volatile("sti; hlt; cli" : : : "memory");
		else
			cpu_pause();
	}
	return c;
}

int
iscons(int fdnum)
{
	return 1;
}
