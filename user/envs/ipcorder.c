// Who sends to an environment that does not receive yet sleeps in its queue: several are
// served in the order in which they came. One that is destroyed, or made to run by its
// parent, or whose page has gone, is passed over. When the receiver is destroyed, all who
// sleep in its queue are told so.

#include <user/common/testing.h>

#define SENDERS 8
#define PAGE    ((void *)0x10001000) // What a sender sends, if anything

// The order in which the senders come, by their numbers.
static const int order[SENDERS] = { 3, 0, 7, 1, 6, 2, 5, 4 };

// One page for all of them.
static struct {
	volatile bool go[SENDERS];    // Now send
	volatile int result[SENDERS]; // What the call returned
} *const shared = (void *)0x10000000;

#define NO_RESULT 1

// ---- Senders ----

static void
send_when_told(int number, envid_t to, bool with_page)
{
	if (with_page)
		must(sys_page_alloc(0, PAGE, PERM_WRITE), "sys_page_alloc");
	while (!shared->go[number])
		sys_yield();
	shared->result[number] =
	    sys_ipc_send(to, number, with_page ? PAGE : (void *)UTOP, PERM_READ);
	exit();
}

// Fork all senders, and let each go when the one before it sleeps.
static void
start_senders(envid_t senders[SENDERS], envid_t to, bool with_page)
{
	for (int i = 0; i < SENDERS; i++) {
		shared->go[i] = false;
		shared->result[i] = NO_RESULT;
		senders[i] = must_fork();
		if (senders[i] == 0)
			send_when_told(i, to, with_page);
	}
	for (int i = 0; i < SENDERS; i++) {
		shared->go[order[i]] = true;
		wait_until_asleep(senders[order[i]]);
	}
}

// That each sender is gone, after its call returned what it should.
static void
check_results(const envid_t senders[SENDERS], const int expected[SENDERS])
{
	for (int i = 0; i < SENDERS; i++) {
		wait_until_gone(senders[i]);
		if (shared->result[i] != expected[i])
			panic("sender %d: returned %d, not %d", i, shared->result[i], expected[i]);
	}
}

// ---- The parent receives ----

// Receive from the senders in their order, but not from those that are not to be there.
static void
receive_in_order(const envid_t senders[SENDERS], const int expected[SENDERS])
{
	for (int i = 0; i < SENDERS; i++) {
		envid_t from;
		if (expected[order[i]] != 0)
			continue;
		int number = ipc_recv(&from, NULL, NULL);
		if (number != order[i] || from != senders[number])
			panic("got %d from %08x, not %d", number, from, order[i]);
	}
	check_results(senders, expected);
}

static void
try_order(void)
{
	static const int expected[SENDERS] = { 0 };
	envid_t senders[SENDERS];

	start_senders(senders, sys_getenvid(), false);
	receive_in_order(senders, expected);
	cprintf("ipcorder: %d senders were served in the order they came\n", SENDERS);
}

// The first, one in the middle, two that are neighbours, and the last of the queue go.
static void
try_destroyed_senders(void)
{
	static const int expected[SENDERS] = {
		[3] = NO_RESULT, [1] = NO_RESULT, [2] = NO_RESULT, [5] = NO_RESULT, [4] = NO_RESULT,
	};
	envid_t senders[SENDERS];
	int destroyed = 0;

	start_senders(senders, sys_getenvid(), false);
	for (int i = 0; i < SENDERS; i++) {
		if (expected[i] != NO_RESULT)
			continue;
		must(sys_env_destroy(senders[i]), "sys_env_destroy");
		destroyed++;
	}
	receive_in_order(senders, expected);
	cprintf("ipcorder: %d destroyed senders left the queue in order\n", destroyed);
}

// Their parent makes two senders run: they do not send any more.
static void
try_stopped_senders(void)
{
	static const int expected[SENDERS] = { [7] = -E_UNSPECIFIED, [4] = -E_UNSPECIFIED };
	envid_t senders[SENDERS];

	start_senders(senders, sys_getenvid(), false);
	for (int i = 0; i < SENDERS; i++) {
		if (expected[i] < 0)
			must(sys_env_set_status(senders[i], ENV_RUNNABLE), "sys_env_set_status");
	}
	receive_in_order(senders, expected);
	cprintf("ipcorder: senders that were made to run left the queue in order\n");
}

// Two senders' page goes away while they sleep.
static void
try_lost_pages(void)
{
	static const int expected[SENDERS] = { [3] = -E_INVAL, [6] = -E_INVAL };
	envid_t senders[SENDERS];

	start_senders(senders, sys_getenvid(), true);
	for (int i = 0; i < SENDERS; i++) {
		if (expected[i] < 0)
			must(sys_page_unmap(senders[i], PAGE), "sys_page_unmap");
	}
	receive_in_order(senders, expected);
	cprintf("ipcorder: senders whose page had gone were told, and passed over\n");
}

// ---- A child receives ----

// The receiver is destroyed: while it is running, or while it sleeps, itself in a queue.
static void
try_destroyed_receiver(bool asleep)
{
	static const int expected[SENDERS] = { [0 ... SENDERS - 1] = -E_BAD_ENV };
	envid_t senders[SENDERS], receiver = must_fork();

	if (receiver == 0) {
		while (!asleep) {
		}
		ipc_send(thisenv->env_parent_id, 0, NULL, 0);
		exit();
	}
	start_senders(senders, receiver, false);
	if (asleep)
		wait_until_asleep(receiver);
	must(sys_env_destroy(receiver), "sys_env_destroy");
	check_results(senders, expected);
	wait_until_gone(receiver);
	if (sys_ipc_send(receiver, 0, (void *)UTOP, 0) != -E_BAD_ENV)
		panic("a receiver that is gone can be sent to");
	cprintf("ipcorder: the senders to a receiver that was destroyed %s were told\n",
	    asleep ? "asleep" : "running");
}

// Nobody may wait for oneself: it would be for ever.
static void
try_self(void)
{
	int r = sys_ipc_send(sys_getenvid(), 0, (void *)UTOP, 0);

	if (r != -E_INVAL)
		panic("sending to oneself: %d", r);
}

void
umain(int argc, char **argv)
{
	share_memory(shared, sizeof(*shared));
	try_order();
	try_destroyed_senders();
	try_stopped_senders();
	try_lost_pages();
	try_destroyed_receiver(false);
	try_destroyed_receiver(true);
	try_self();
	cprintf("ipcorder: ok\n");
}
