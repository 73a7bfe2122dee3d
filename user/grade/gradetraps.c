// Each child raises another exception. The kernel must print its frame and destroy the child; the
// grade checks the printed frames. (Without CR0.AM, the last child goes on.)

#include <user/conform/conform.h>

static void
execute(void)
{
	static volatile int32_t bounds[2] = { 1, 2 };

	switch (STATE->words[1]) {
	case T_DIVIDE:
		__asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0) : "cc");
		break;
	case T_BOUND:
		// bound %eax, bounds. Assemblers do not agree on the mnemonic.
		__asm__ volatile(".byte 0x62, 0x05; .long %c1" : : "a"(3), "i"(&bounds));
		break;
	case T_ILLOP:
		__asm__ volatile("ud2");
		break;
	case T_GPFLT:
		__asm__ volatile("movl %0, %%gs" : : "r"(GD_KD));
		break;
	case T_PGFLT:
		*(volatile uint32_t *)0x30000000 = 1;
		break;
	case T_ALIGN:
		__asm__ volatile("pushfl; orl %0, (%%esp); popfl; movl 1(%%esp), %%eax"
				 :
				 : "i"(FL_AC)
				 : "eax", "cc", "memory");
		__asm__ volatile("pushfl; andl %0, (%%esp); popfl" : : "i"(~FL_AC) : "cc");
		return;
	}
	STATE->words[0] = 1;
}

void
umain(int argc, char **argv)
{
	static const uint32_t traps[] = { T_DIVIDE, T_BOUND, T_ILLOP, T_GPFLT, T_PGFLT, T_ALIGN };

	conform_begin("gradetraps");
	for (unsigned i = 0; i < ARRAY_SIZE(traps); i++) {
		STATE->words[0] = 0;
		STATE->words[1] = traps[i];
		conform_wait(conform_spawn(execute));
		conform_count_with(
		    traps[i], __LINE__, "the program went on after exception", 0, STATE->words[0]);
	}
	conform_end();
}
