// sys_cgetc, with nobody at the keyboard: it says so, and does not wait.

#include "conform.h"

void
umain(int argc, char **argv)
{
	int i;

	USED(argc);
	USED(argv);
	conform_begin("conform_cgetc");
	for (i = 0; i < 10; i++) {
		CHECK_EQ(sys_cgetc(), 0);
		CHECK_EQ(thisenv->env_status, ENV_RUNNING);
		sys_yield();
	}
	conform_end();
}
