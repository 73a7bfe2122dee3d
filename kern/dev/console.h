#ifndef JOS_KERN_CONSOLE_H
#define JOS_KERN_CONSOLE_H

// The console: output to the serial port and the screen, input from the serial port and the
// keyboard.

#include <inc/types.h>

#include <kern/spinlock.h>

// Protects the devices and the input buffer. cprintf holds the lock while it prints its text.
extern struct spinlock cons_lock;

// Find and initialize the devices. Called once, by the boot CPU.
void cons_init(void);

// Write len characters to the serial port and the screen. The caller holds cons_lock, and calls
// cga_update after the last part of its text.
void cons_put(const char *s, size_t len);

// printf.c: write len characters, without output of other CPUs in between. Takes cons_lock.
void cons_write(const char *s, size_t len);

// Set the colours of the text that follows, on both: bits 0 to 3 are the colour of the characters,
// and bits 4 to 6 the background, in the CGA's numbers. Takes cons_lock. The caller ends with
// CONS_COLOURS, the usual colours. Nothing else in the kernel writes in colours.
void cons_set_colours(unsigned colours);
#define CONS_COLOURS 0x07 // Light grey on black

// Take cons_lock for a panic, and never release the lock. If another CPU holds the lock, wait up to
// a second until that CPU has finished its line. Then take the lock by force, because the other CPU
// may have stopped. If this CPU already holds the lock, do not wait.
void cons_lock_for_panic(void);

// Write a newline if the last line has no newline yet. The caller holds cons_lock.
void cons_end_line(void);

// Return the next input character or key code (inc/kbdreg.h); 0 if there is no input. Takes
// cons_lock.
int cons_getc(void);

// If there is a serial port, unmask its interrupt line. Must be called after pic_init, because
// pic_init masks this line.
void cons_enable_interrupts(void);

// Handle an interrupt from the keyboard or the serial port: move the input of both devices to the
// input buffer. Takes cons_lock.
void cons_intr(void);

// What Ctrl-C and Ctrl-P ask for, while the monitor is closed. They are no input for programs. The
// console sets these bits; kern/check/breakin.c clears them.
enum {
	CONS_STOP = 1 << 0, // Ctrl-C: enter the monitor
	CONS_SHOW = 1 << 1, // Ctrl-P: show the environments
};
extern volatile uint32_t cons_requests;

// Tell the console that the monitor starts to read its input, or that it ends. While the monitor is
// open, Ctrl-C and Ctrl-P are input for its line editor. Takes cons_lock.
void cons_monitor_opens(bool open);

// For a command of the monitor that prints a long list: return whether Ctrl-C was typed since the
// command's line, and take it and what was typed before it from the input. Takes cons_lock.
bool cons_stop_wanted(void);

// kbd.c: read a byte from the keyboard controller. Returns the character or the key code
// (inc/kbdreg.h) of a pressed key. Returns 0 if the byte does not complete a character or key code,
// and -1 if there is no byte. The caller holds cons_lock.
int kbd_getc(void);

// kbd.c: kbd_init copies the keyboard's state from the BIOS's memory. kbd_init is called once,
// before the first kbd_getc. After that, each call of kbd_getc_bios returns the character or the
// key code of a key that was pressed before the kernel started. After the last of these keys,
// kbd_getc_bios returns -1.
void kbd_init(void);
int kbd_getc_bios(void);

// cga.c: the screen. The caller holds cons_lock; only cga_init needs no lock. cga_put writes text
// up to a control character or the end of the screen's line, and returns the number of characters
// that it wrote. cga_control writes a control character. After one or more of these calls, the
// caller must call cga_update, which sets the adapter's start address and cursor. cga_set_colours
// sets the colours of the characters that cga_put writes.
void cga_init(void);
size_t cga_put(const char *s, size_t len);
void cga_control(uint8_t c);
void cga_update(void);
void cga_set_colours(unsigned colours);

#endif // JOS_KERN_CONSOLE_H
