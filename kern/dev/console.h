#ifndef JOS_KERN_CONSOLE_H
#define JOS_KERN_CONSOLE_H

// The console: output to the serial port and the screen, input from the serial port and the
// keyboard.

#include <inc/types.h>

#include <kern/spinlock.h>

// Protects the devices and the input buffer. printf.c holds it while it prints a line.
extern struct spinlock cons_lock;

// Find and initialize the devices. Called once, by the boot CPU.
void cons_init(void);

// Write len characters to the serial port and the screen. The caller holds cons_lock, and calls
// cga_update after the last part of its text.
void cons_put(const char *s, size_t len);

// printf.c: write len characters without another CPU's output in between. Takes cons_lock.
void cons_write(const char *s, size_t len);

// Take cons_lock for a panic, and never release it. If the lock is held, wait up to a second for
// the holder to finish its line. Then take the lock by force: the holder may be this CPU, or a CPU
// that no longer runs.
void cons_lock_for_panic(void);

// Write a newline if the last line has no newline yet. The caller holds cons_lock.
void cons_end_line(void);

// Return the next input character, or a key of inc/kbdreg.h; 0 if there is no input. Takes
// cons_lock.
int cons_getc(void);

// Enable the serial port's interrupt. Call it after pic_init.
void cons_enable_interrupts(void);

// Handle an interrupt of the keyboard or the serial port: move the devices' input to the input
// buffer. Takes cons_lock.
void cons_intr(void);

// kbd.c: read a byte from the keyboard controller. Returns the character of a key that was
// pressed, or its code in inc/kbdreg.h; 0 if the byte completes neither; -1 if there is no byte.
// The caller holds cons_lock.
int kbd_getc(void);

// kbd.c: kbd_init takes over the keyboard's state from the BIOS; call it once, before the first
// kbd_getc. kbd_getc_bios then returns the keys that were typed earlier, one for each call, in the
// form that kbd_getc uses.
void kbd_init(void);
int kbd_getc_bios(void);

// cga.c: the screen. The caller holds cons_lock, except for cga_init.
void cga_init(void);
size_t cga_put(const char *s, size_t len); // Stops at the end of a line; returns characters written
void cga_control(uint8_t c);
void cga_update(void); // After writing: set the adapter's start address and cursor

#endif // JOS_KERN_CONSOLE_H
