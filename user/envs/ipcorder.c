// Tests the queue of a receiver. A sender sleeps in the queue until the receiver receives; messages
// are received in the order in which the senders called. A sender that is destroyed, or made
// runnable by its parent, or whose page is unmapped, leaves the queue. When the receiver is
// destroyed, all senders in its queue get an error.

#include <user/common/testing.h>

#define SENDERS 8
#define PAGE    ((void *)0x10001000) // What a sender sends, if anything

// The order in which the senders call, by their numbers
static const int order[SENDERS] = { 3, 0, 7, 1, 6, 2, 5, 4 };

// In a page that all environments share
static struct {
	volatile bool go[SENDERS];    // Tells a sender to send
	volatile int result[SENDERS]; // The result of its call
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

// Fork all senders. Each sends when the sender before it sleeps.
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

// Wait until all senders are gone, and check the results of their calls.
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

// Receive from the senders in order, except from those whose call must fail.
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
	cprintf("ipcorder: received from %d senders in order\n", SENDERS);
}

// Destroy the first and the last sender of the queue, one in the middle, and two neighbours.
static void
try_destroyed_senders(void)
{
	static const int expected[SENDERS] = {
		[3] = NO_RESULT,
		[1] = NO_RESULT,
		[2] = NO_RESULT,
		[5] = NO_RESULT,
		[4] = NO_RESULT,
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

// Two senders are made runnable by their parent: their calls fail.
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
	cprintf("ipcorder: senders that were made runnable left the queue in order\n");
}

// The pages of two senders are unmapped while the senders sleep.
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
	cprintf("ipcorder: senders whose page was unmapped got an error\n");
}

// ---- A child receives ----

// Destroy the receiver while it runs, or while it sleeps in its parent's queue (`asleep`).
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
		panic("no error after a send to a destroyed receiver");
	cprintf("ipcorder: the senders to a receiver that was destroyed %s got an error\n",
	    asleep ? "asleep" : "running");
}

// A message to the sender itself must be refused: the sender would never wake up.
static void
try_self(void)
{
	int r = sys_ipc_send(sys_getenvid(), 0, (void *)UTOP, 0);

	if (r != -E_INVAL)
		panic("sys_ipc_send to the sender itself: %d", r);
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
