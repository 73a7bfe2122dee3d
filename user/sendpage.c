// Parent and child send each other a page with a greeting.

#include <inc/lib.h>

#define PAGE ((char *)0x10000000) // Where parent and child map a page to send or receive

static const char to_child[] = "hello child environment! how are you?";
static const char to_parent[] = "hello parent environment! I'm good.";

// Receive a page, and check that it has the expected text. Returns the sender.
static envid_t
receive(const char *who_am_i, const char *expected)
{
	envid_t from;
	int32_t r = ipc_recv(&from, PAGE, NULL);

	if (from == 0)
		panic("ipc_recv: %e", r);
	cprintf("%x got message: %s\n", from, PAGE);
	if (strcmp(PAGE, expected) == 0)
		cprintf("%s received correct message\n", who_am_i);
	return from;
}

static void
send(envid_t to, const char *greeting)
{
	int r = sys_page_alloc(0, PAGE, PTE_P | PTE_U | PTE_W);

	if (r < 0)
		panic("sys_page_alloc: %e", r);
	strcpy(PAGE, greeting);
	ipc_send(to, 0, PAGE, PTE_P | PTE_U);
}

void
umain(int argc, char **argv)
{
	envid_t child = fork();

	if (child < 0)
		panic("fork: %e", child);
	if (child == 0) {
		send(receive("child", to_child), to_parent);
		return;
	}
	send(child, to_child);
	receive("parent", to_parent);
}
