#ifndef JOS_KERN_CONSOLE_H
#define JOS_KERN_CONSOLE_H

#include <inc/env.h>
#include <inc/types.h>

#include <kern/spinlock.h>

// Guards the devices and the input buffer. printf.c holds it for a whole line.
extern struct spinlock cons_lock;

// Find the devices and make them ready. The boot CPU calls it, once.
void cons_init(void);

// Write a part of a text on all of them. The caller holds cons_lock, and calls cga_show at the
// text's end.
void cons_put(const char *s, size_t len);

// printf.c: write len characters, in one piece. Takes cons_lock.
void cons_write(const char *s, size_t len);

// This CPU panics: take the console lock, and keep it. If the lock is held, wait a second for the
// holder to end its line; then take the lock from it, since the holder may be this CPU, or a CPU
// that does not run any more.
void cons_break_in(void);

// End the line that is being written, if there is one. The caller holds cons_lock.
void cons_fresh_line(void);

// The next character of input from any of them, or a key of inc/kbdreg.h; 0 if there is none.
// Takes cons_lock.
int cons_getc(void);

// Let the serial port interrupt. After pic_init.
void cons_enable_interrupts(void);

// Put curenv to sleep until a character arrives. cons_wake_readers gives the characters that
// have arrived to the sleeping environments, in the order in which these went to sleep: to 32 at
// most, so that the lock is not held for long. It returns whether there was one. The caller of
// both holds the big lock.
void cons_wait(void);
bool cons_wake_readers(void);
extern struct EnvQueue cons_readers; // The environments that sleep in cons_wait

static inline bool
cons_awaited(void)
{
	return cons_readers.head != NULL;
}

// An interrupt of the keyboard or the serial port: put what they have into the input
// buffer. Takes cons_lock.
void cons_intr(void);

// kbd.c: read a byte from the keyboard controller. Returns the character of a key that went down,
// or its code in inc/kbdreg.h; 0 if the byte means neither; -1 if there is nothing to read. The
// caller holds cons_lock.
int kbd_getc(void);

// kbd.c: take over the keyboard from the BIOS, once, before the first kbd_getc. Then the keys that
// were typed before: returned by kbd_getc_bios in the same way, one a call.
void kbd_init(void);
int kbd_getc_bios(void);

// cga.c: the screen. The caller holds cons_lock, except for cga_init.
void cga_init(void);
size_t cga_put(const char *s, size_t len); // Writes to the end of a line at most; returns how much
void cga_control(uint8_t c);
void cga_show(void); // After writing: scroll the screen, and move the cursor

#endif // JOS_KERN_CONSOLE_H
