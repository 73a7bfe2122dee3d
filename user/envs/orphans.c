// Tests children that wait in a system call when their parent ends: they continue to wait, to
// receive or to send a message.

#include <user/common/testing.h>

static struct {
	volatile envid_t receiver, sender;
} *const shared = (void *)0x10000000;

static void
receive_and_answer(void)
{
	envid_t from;
	int32_t value = ipc_recv(&from, NULL, NULL);

	must(sys_ipc_send(from, value + 1, (void *)UTOP, 0), "answer");
	exit();
}

// Make two children that wait, and exit.
static void
leave_two(envid_t grandparent)
{
	envid_t receiver, sender;

	receiver = must_fork();
	if (receiver == 0)
		receive_and_answer();
	sender = must_fork();
	if (sender == 0) {
		must(sys_ipc_send(grandparent, 10, (void *)UTOP, 0), "send");
		exit();
	}
	wait_until_asleep(receiver);
	wait_until_asleep(sender);
	shared->receiver = receiver;
	shared->sender = sender;
	exit();
}

static void
check(const char *what, int is, int should_be)
{
	if (is != should_be)
		panic("%s: %d, not %d", what, is, should_be);
}

void
umain(int argc, char **argv)
{
	envid_t self = sys_getenvid(), parent, from;

	share_memory(shared, PGSIZE);
	parent = must_fork();
	if (parent == 0)
		leave_two(self);
	wait_until_gone(parent);
	check("a message of an orphan", ipc_recv(&from, NULL, NULL), 10);
	check("the orphan", from, shared->sender);
	must(sys_ipc_send(shared->receiver, 20, (void *)UTOP, 0), "send to an orphan");
	check("an orphan's answer", ipc_recv(&from, NULL, NULL), 21);
	check("the orphan", from, shared->receiver);
	wait_until_gone(shared->sender);
	wait_until_gone(shared->receiver);
	cprintf("orphans: ok\n");
}
