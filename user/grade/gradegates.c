// Tests that a program cannot call the gates of exceptions and interrupts: the kernel must destroy
// it. Also tests that the time goes on, and that no interrupt is lost after that.

#include <user/conform/conform.h>

extern uint8_t the_int[];
__asm__(
    ".section .data\n"
    ".balign 4096\n"
    ".globl the_int\n"
    "the_int:\n"
    "	int $0\n"
    "	ret\n"
    ".text\n");

static void
execute_int(void)
{
	the_int[1] = STATE->words[1];
	((void (*)(void))the_int)();
	STATE->words[0] = 1;
}

void
umain(int argc, char **argv)
{
	conform_begin("gradegates");
	for (uint32_t vector = 0; vector < 256; vector++) {
		// A program may call the system call, and in most kernels int3 and into.
		if (vector == T_SYSCALL || vector == T_BRKPT || vector == T_OFLOW)
			continue;
		STATE->words[0] = 0;
		STATE->words[1] = vector;
		conform_wait(conform_spawn(execute_int));
		conform_count_with(
		    vector, __LINE__, "the program went on after int", 0, STATE->words[0]);
	}
	conform_end();
}
