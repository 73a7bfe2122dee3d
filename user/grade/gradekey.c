// Waits for two characters from the console, and computes most of the time, so that the interrupts
// of the keyboard and of the serial line arrive in user mode.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	volatile uint32_t work;
	int c;

	for (int i = 0; i < 2; i++) {
		cprintf("gradekey: waiting\n");
		do {
			for (work = 0; work < 200000; work++)
				continue;
		} while ((c = sys_cgetc()) == 0);
		cprintf("gradekey: got '%c'\n", c);
	}
}
