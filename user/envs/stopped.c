// Tests environments that are stopped while they wait. Such an environment stays stopped when the
// event for which it waits happens. When it is made runnable again, it continues to wait if the
// event has not happened yet. A stopped environment whose parent ends is destroyed too, because no
// environment could start it again.

#include <user/common/testing.h>

// Stop an environment. Returns its env_runs.
static uint32_t
stop(envid_t envid)
{
	must(sys_env_set_status(envid, ENV_NOT_RUNNABLE), "stop");
	return env_of(envid)->env_runs;
}

static void
start(envid_t envid)
{
	must(sys_env_set_status(envid, ENV_RUNNABLE), "start");
}

// Let other environments run for a while, and check that the stopped environment has not run.
static void
check_stays_stopped(envid_t envid, uint32_t runs, const char *when)
{
	for (int i = 0; i < 100; i++)
		sys_yield();
	if (env_of(envid)->env_status != ENV_NOT_RUNNABLE || env_of(envid)->env_runs != runs)
		panic("%08x runs, although it was stopped %s", envid, when);
}

// Make a child that sends back each value that it receives.
static envid_t
start_echo(void)
{
	envid_t child = must_fork(), from;

	if (child == 0) {
		for (;;) {
			uint32_t value = ipc_recv(&from, NULL, NULL);
			must(ipc_send_checked(from, value, NULL, 0), "echo");
		}
	}
	return child;
}

static void
check_echo(envid_t echo, uint32_t value)
{
	uint32_t got = ipc_recv(NULL, NULL, NULL);

	if (got != value)
		panic("%08x sent %d back, not %d", echo, got, value);
}

static void
stop_a_receiver(void)
{
	envid_t echo = start_echo();

	wait_until_asleep(echo);
	uint32_t runs = stop(echo);
	must(sys_ipc_try_send(echo, 1, (void *)UTOP, 0), "send to a stopped receiver");
	check_stays_stopped(echo, runs, "while it received");
	start(echo);
	check_echo(echo, 1);

	// Stopped and started without a message, the receiver continues to wait.
	wait_until_asleep(echo);
	runs = stop(echo);
	start(echo);
	check_stays_stopped(echo, runs, "and started without a message");
	must(ipc_send_checked(echo, 2, NULL, 0), "send to a restarted receiver");
	check_echo(echo, 2);
	must(sys_env_destroy(echo), "destroy");
	wait_until_gone(echo); // Until then another CPU may use it, and its pages are not free.
	cprintf("stopped: a receiver stayed stopped, and got its message\n");
}

static void
stop_a_sender(void)
{
	envid_t parent = sys_getenvid(), sender = must_fork();

	if (sender == 0) {
		must(ipc_send_checked(parent, 1, NULL, 0), "first");
		must(ipc_send_checked(parent, 2, NULL, 0), "second");
		exit();
	}
	wait_until_asleep(sender);
	uint32_t runs = stop(sender);
	check_echo(sender, 1);
	check_stays_stopped(sender, runs, "while it sent");
	start(sender);
	check_echo(sender, 2);
	wait_until_gone(sender);
	cprintf("stopped: a sender stayed stopped, and its message was taken\n");
}

// Leave a stopped child that has a child, and a child that has never run.
static void
leave_stopped_children(void)
{
	envid_t child = must_fork(), never, last;

	must(child, "fork");
	if (child == 0) {
		last = must(sys_exofork(), "exofork");
		if (last == 0)
			panic("a child that was never started runs");
		must(ipc_send_checked(thisenv->env_parent_id, last, NULL, 0), "send");
		for (;;)
			continue;
	}
	ipc_recv(NULL, NULL, NULL);
	stop(child);
	never = must(sys_exofork(), "exofork");
	if (never == 0)
		panic("a child that was never started runs");
	exit();
}

static void
abandon_children(void)
{
	int envs_before = count_envs(), pages_before = count_free_pages();
	envid_t child = must_fork();

	if (child == 0)
		leave_stopped_children();
	wait_until_gone(child);
	while (count_envs() != envs_before)
		sys_yield(); // Another CPU may still have to free a child that it ran.
	if (count_free_pages() != pages_before)
		panic("%d pages are free, not %d", count_free_pages(), pages_before);
	cprintf("stopped: stopped children ended with their parent\n");
}

void
umain(int argc, char **argv)
{
	stop_a_receiver();
	stop_a_sender();
	abandon_children();
	abandon_children();
	cprintf("stopped: ok\n");
}
