// Tests sys_ipc_recv: what it refuses, and what it reports of a message. The tests of the sending
// calls check the received pages and permissions (messages.h).

#include "messages.h"

// After a refused sys_ipc_recv, the caller does not receive: a message to it is refused.
static void
refuse_addresses(void)
{
	unsigned i;

	for (i = 0; i < CONFORM_BAD_VAS; i++) {
		void *va = (void *)conform_bad_vas[i];

		if ((uintptr_t)va >= UTOP)
			continue;
		CHECK_REFUSED_WITH(va, sys_ipc_recv(va), E_INVAL);
		CHECK_EQ(thisenv->env_ipc_recving, false);
		CHECK_EQ(sys_ipc_try_send(0, 1, NO_PAGE, 0), -E_IPC_NOT_RECV);
	}
}

// A receiver that waits does not run, and its members in envs[] show this. A message is then stored
// in envs[], and stays there until the next message.
static void
wait_for_a_message(envid_t receiver)
{
	conform_let_receive(receiver, RECEIVED);
	CHECK_EQ(env_of(receiver)->env_status, ENV_NOT_RUNNABLE);
	CHECK_EQ((uint32_t)env_of(receiver)->env_ipc_dstva, (uint32_t)RECEIVED);
	for (int i = 0; i < 50; i++)
		sys_yield();
	CHECK_EQ(env_of(receiver)->env_status, ENV_NOT_RUNNABLE);
	CHECK_EQ(REPORT->done, false);
	conform_send_good(
	    sys_ipc_try_send, receiver, 6, WRITABLE, PERM_READ, conform_page(WRITABLE), PERM_READ);
	CHECK_EQ(env_of(receiver)->env_ipc_value, 6);
	CHECK_EQ(env_of(receiver)->env_ipc_from, sys_getenvid());
	CHECK_EQ(env_of(receiver)->env_ipc_perm, PERM_READ);
	CHECK_EQ(env_of(receiver)->env_ipc_recving, false);
}

static void
receive_until_started(void)
{
	STATE->words[0] = sys_ipc_recv(NO_PAGE);
	while (STATE->stage == 0)
		sys_yield();
}

// A child that is made runnable while it waits gets an error, and does not receive any more.
static void
end_the_wait(void)
{
	envid_t child;

	STATE->stage = STATE->words[0] = 0;
	child = conform_spawn(receive_until_started);
	wait_until_asleep(child);
	CHECK_EQ(env_of(child)->env_ipc_recving, true);
	CHECK_EQ(sys_env_set_status(child, ENV_RUNNABLE), 0);
	CHECK_EQ(env_of(child)->env_ipc_recving, false);
	while (STATE->words[0] == 0)
		sys_yield();
	CHECK_EQ(STATE->words[0], -E_UNSPECIFIED);
	CHECK_EQ(sys_ipc_try_send(child, 1, NO_PAGE, 0), -E_IPC_NOT_RECV);
	STATE->stage = 1;
	conform_wait(child);
}

void
umain(int argc, char **argv)
{
	envid_t receiver;

	conform_begin("conform_ipc_recv");
	receiver = conform_spawn_receiver();
	refuse_addresses();
	wait_for_a_message(receiver);
	wait_for_a_message(receiver);
	conform_send_words(sys_ipc_try_send, receiver);
	conform_end_receiver(sys_ipc_try_send, receiver);
	end_the_wait();
	conform_end();
}
