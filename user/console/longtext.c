// Prints 128 KB in one system call, which takes long. Meanwhile a child must run, and its lines
// appear between the lines of the text. All lines of the text are equal, except the last.

#include <user/common/testing.h>

#define SIZE    (32 * PGSIZE)
#define LINE    64
#define LEAST   3 // More than 2: the child may run just before and just after the call.
#define TEXT    ((char *)0x10000000)
#define LAST    "the end of the text\n"
#define COUNTER ((volatile uint32_t *)0x20000000)

static void
map_text(void)
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
	map_text();
	while (*COUNTER == 0)
		sys_yield();
	uint32_t before = *COUNTER;
	sys_cputs(TEXT, SIZE + sizeof(LAST) - 1);
	uint32_t turns = *COUNTER - before;
	must(sys_env_destroy(child), "sys_env_destroy");
	if (turns < LEAST)
		panic("the child had only %u turns during the call", turns);
	cprintf("longtext: ok\n");
}
