// Write 128 KB in one call, which takes the console a while: others run meanwhile, and what they
// write stands between the lines of the text. Only the last line differs from the others.

#include <user/common/testing.h>

#define SIZE    (32 * PGSIZE)
#define LINE    64
#define LEAST   3 // A child may come to run just before the call, and just after it.
#define TEXT    ((char *)0x10000000)
#define LAST    "the end of the text\n"
#define COUNTER ((volatile uint32_t *)0x20000000)

static void
write_text(void)
{
	must(sys_page_alloc(0, TEXT, PERM_WRITE), "sys_page_alloc");
	memset(TEXT, 'x', PGSIZE);
	for (int i = LINE - 1; i < PGSIZE; i += LINE)
		TEXT[i] = '\n';
	for (uint32_t at = PGSIZE; at < SIZE; at += PGSIZE)
		must(sys_page_map(0, TEXT, 0, TEXT + at, PERM_READ), "sys_page_map");
	must(sys_page_alloc(0, TEXT + SIZE, PERM_WRITE), "sys_page_alloc");
	memcpy(TEXT + SIZE, LAST, sizeof(LAST));
}

void
umain(int argc, char **argv)
{
	share_memory((void *)COUNTER, PGSIZE);
	envid_t child = must_fork();

	if (child == 0) {
		for (;;) {
			cprintf("in between\n");
			++*COUNTER;
			sys_yield();
		}
	}
	write_text();
	while (*COUNTER == 0)
		sys_yield();
	uint32_t before = *COUNTER;
	sys_cputs(TEXT, SIZE + sizeof(LAST) - 1);
	uint32_t turns = *COUNTER - before;
	must(sys_env_destroy(child), "sys_env_destroy");
	if (turns < LEAST)
		panic("the child had %u turns meanwhile", turns);
	cprintf("longtext: ok\n");
}
