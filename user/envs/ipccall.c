// Tests sys_ipc_call, which sends a message and receives the answer: with a receiver that already
// waits and one that does not; with several callers at once; with a row of environments that call
// each other; and with the events that end the call while it sends or while it receives.

#include <user/common/testing.h>

#define ROUNDS  1000
#define CALLERS 6
#define PAGE    ((void *)0x10001000)     // The page that is sent
#define ANSWER  ((uint32_t *)0x10002000) // The page of the answer
#define NO_PAGE ((void *)UTOP)

// In a page that all environments share
static struct {
	volatile bool go;
	volatile int result[CALLERS];
} *const shared = (void *)0x10000000;

#define NO_RESULT 1

static void
check(int got, int expected, const char *what)
{
	if (got != expected)
		panic("%s: %d, not %d", what, got, expected);
}

// Answer each number with the next number, until destroyed.
static void
serve(void)
{
	envid_t from;
	int32_t word = ipc_recv(&from, NULL, NULL);

	for (;;)
		word = ipc_call(from, word + 1, NULL, 0, &from, NULL, NULL);
}

static void
try_rounds(void)
{
	envid_t server = must_fork(), from;

	if (server == 0)
		serve();
	for (int i = 0; i < ROUNDS; i++) {
		check(ipc_call(server, i, NULL, 0, &from, NULL, NULL), i + 1, "answer");
		check(from, server, "sender of the answer");
	}
	must(sys_env_destroy(server), "destroy");
	cprintf("ipccall: %d questions were answered\n", ROUNDS);
}

// Several callers at once: most of them must wait in the server's queue. Each gets its own answer.
static void
try_callers(void)
{
	envid_t server = must_fork(), callers[CALLERS];

	if (server == 0)
		serve();
	for (int c = 0; c < CALLERS; c++) {
		callers[c] = must_fork();
		if (callers[c] != 0)
			continue;
		for (int i = c; i < CALLERS * ROUNDS / 10; i += CALLERS)
			check(ipc_call(server, i, NULL, 0, NULL, NULL, NULL), i + 1, "answer");
		exit();
	}
	for (int c = 0; c < CALLERS; c++)
		wait_until_gone(callers[c]);
	must(sys_env_destroy(server), "destroy");
	cprintf("ipccall: %d callers got their answers\n", CALLERS);
}

// Make a row of environments: row[0] calls this environment, and row[i] calls row[i - 1]. When this
// environment receives, row[0] starts to receive too, and gets the message of row[1] as its answer,
// and so on.
static void
try_row(void)
{
	envid_t before = sys_getenvid(), row[CALLERS], from;

	for (int i = 0; i < CALLERS; i++) {
		shared->result[i] = NO_RESULT;
		row[i] = must_fork();
		if (row[i] == 0) {
			shared->result[i] = ipc_call(before, i, NULL, 0, NULL, NULL, NULL);
			exit();
		}
		wait_until_asleep(row[i]);
		before = row[i];
	}
	check(ipc_recv(&from, NULL, NULL), 0, "the number of row[0]");
	check(from, row[0], "the sender");
	for (int i = 0; i < CALLERS - 1; i++) {
		wait_until_gone(row[i]);
		check(shared->result[i], i + 1, "the number of the next caller");
	}
	wait_until_asleep(row[CALLERS - 1]); // The last caller receives, and nothing is sent to it.
	check(sys_ipc_try_send(row[CALLERS - 1], 99, NO_PAGE, 0), 0, "try_send");
	wait_until_gone(row[CALLERS - 1]);
	check(shared->result[CALLERS - 1], 99, "the last caller's answer");
	cprintf("ipccall: %d callers in a row got their answers\n", CALLERS);
}

// Send a page, and receive another page with the answer.
static void
try_pages(void)
{
	envid_t server = must_fork(), from;
	int perm;

	if (server == 0) {
		check(ipc_recv(&from, PAGE, &perm), 1, "word");
		check(perm, PERM_READ, "permissions of the message");
		must(sys_page_alloc(0, ANSWER, PERM_WRITE), "alloc");
		*ANSWER = *(uint32_t *)PAGE + 1;
		must(ipc_send_checked(from, 2, ANSWER, PERM_WRITE), "send");
		exit();
	}
	must(sys_page_alloc(0, PAGE, PERM_WRITE), "alloc");
	*(uint32_t *)PAGE = 41;
	check(ipc_call(server, 1, PAGE, PERM_READ, NULL, ANSWER, &perm), 2, "word");
	check(perm, PERM_WRITE, "permissions of the answer");
	check(*ANSWER, 42, "contents of the page");
	wait_until_gone(server);
}

static void
try_refusals(void)
{
	envid_t self = sys_getenvid(), child = must_fork();

	if (child == 0) {
		sys_ipc_recv(NO_PAGE);
		exit();
	}
	wait_until_asleep(child);
	check(sys_ipc_call(self, 0, NO_PAGE, 0, NO_PAGE), -E_INVAL, "call to itself");

	// The library's functions return the error, and no sender.
	envid_t from = self;
	int perm = PTE_P;
	check(ipc_call(self, 0, NULL, 0, &from, NULL, &perm), -E_INVAL, "ipc_call to itself");
	check(from, 0, "sender after ipc_call failed");
	check(perm, 0, "permissions after ipc_call failed");
	from = self;
	check(ipc_recv(&from, (void *)1, NULL), -E_INVAL, "ipc_recv at an odd address");
	check(from, 0, "sender after ipc_recv failed");

	check(sys_ipc_call(self + 0x1000, 0, NO_PAGE, 0, NO_PAGE), -E_BAD_ENV, "bad id");
	check(sys_ipc_call(child, 0, NO_PAGE, 0, (void *)1), -E_INVAL, "odd dstva");
	check(sys_ipc_call(child, 0, (void *)1, PERM_READ, NO_PAGE), -E_INVAL, "odd srcva");
	check(sys_ipc_call(child, 0, (void *)0x20000000, PERM_READ, NO_PAGE), -E_INVAL, "no page");
	check(sys_ipc_call(child, 0, PAGE, PTE_P, NO_PAGE), -E_INVAL, "permissions");
	check(env_of(child)->env_ipc_recving, true, "env_ipc_recving");
	must(sys_env_destroy(child), "destroy");
}

// End a call while the caller waits to send, or to receive (`receiving`): the receiver is destroyed
// (`destroy`), or the caller is made runnable. While the caller waits to receive, the end of the
// receiver does not end the call.
static void
try_ends(bool receiving, bool destroy, int expected)
{
	envid_t called = must_fork();

	if (called == 0) {
		while (!shared->go)
			sys_yield();
		if (receiving)
			ipc_recv(NULL, NULL, NULL);
		for (;;)
			sys_yield();
	}
	shared->go = false;
	shared->result[0] = NO_RESULT;
	envid_t caller = must_fork();
	if (caller == 0) {
		shared->result[0] = sys_ipc_call(called, 0, NO_PAGE, 0, NO_PAGE);
		exit();
	}
	wait_until_asleep(caller);
	shared->go = true;
	while (receiving && !env_of(caller)->env_ipc_recving)
		sys_yield();
	if (destroy)
		must(sys_env_destroy(called), "destroy the receiver");
	else
		must(sys_env_set_status(caller, ENV_RUNNABLE), "set_status");
	wait_until_gone(caller);
	check(shared->result[0], expected, "result of a call that was ended");
	if (!destroy)
		must(sys_env_destroy(called), "destroy the receiver");
}

// A receiver that was stopped while it waited gets the message, but stays stopped.
static void
try_stopped(void)
{
	envid_t parent = sys_getenvid(), child = must_fork();

	if (child == 0) {
		int32_t word = ipc_recv(NULL, NULL, NULL);
		ipc_send(parent, word + 1, NULL, 0);
		exit();
	}
	wait_until_asleep(child);
	must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "stop");
	envid_t starter = must_fork();
	if (starter == 0) {
		wait_until_asleep(parent);
		if (env_of(child)->env_ipc_value != 7 || env_of(child)->env_status == ENV_RUNNING)
			panic("the stopped receiver runs");
		ipc_send(parent, 1, NULL, 0);
		exit();
	}
	check(ipc_call(child, 7, NULL, 0, NULL, NULL, NULL), 1, "the starter's message");
	must(sys_env_set_status(child, ENV_RUNNABLE), "start");
	check(ipc_recv(NULL, NULL, NULL), 8, "the answer");
	wait_until_gone(starter);
	wait_until_gone(child);
}

void
umain(int argc, char **argv)
{
	share_memory(shared, sizeof(*shared));
	try_rounds();
	try_callers();
	try_row();
	try_pages();
	try_refusals();
	try_ends(false, false, -E_UNSPECIFIED);
	try_ends(false, true, -E_BAD_ENV);
	try_ends(true, false, -E_UNSPECIFIED);
	try_stopped();
	cprintf("ipccall: ok\n");
}
