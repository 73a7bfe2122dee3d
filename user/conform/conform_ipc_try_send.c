// Tests sys_ipc_try_send: what it sends, what it refuses, and what it does not change.

#include "messages.h"

// If the environment does not receive, the error is E_IPC_NOT_RECV, even if the message is bad.
static void
refuse_when_not_receiving(envid_t to)
{
	CHECK_EQ(env_of(to)->env_ipc_recving, false);
	CHECK_REFUSED(sys_ipc_try_send(to, 1, NO_PAGE, 0), E_IPC_NOT_RECV);
	CHECK_REFUSED(sys_ipc_try_send(to, 1, WRITABLE, PERM_WRITE), E_IPC_NOT_RECV);
	CHECK_REFUSED(sys_ipc_try_send(to, 1, WRITABLE + 1, PERM_WRITE), E_IPC_NOT_RECV);
	CHECK_REFUSED(sys_ipc_try_send(to, 1, WRITABLE, PTE_W), E_IPC_NOT_RECV);
	CHECK_REFUSED(sys_ipc_try_send(to, 1, WRITABLE, -1), E_IPC_NOT_RECV);
	CHECK_REFUSED(sys_ipc_try_send(to, 1, NOTHING, PERM_READ), E_IPC_NOT_RECV);
	CHECK_REFUSED(sys_ipc_try_send(to, 1, READONLY, PERM_WRITE), E_IPC_NOT_RECV);
}

// Id 0 means the caller. It does not mean the environment in slot 0, which is the parent and
// receives.
static void
send_to_0(void)
{
	envid_t parent = thisenv->env_parent_id;

	wait_until_asleep(parent);
	CHECK_EQ(sys_ipc_try_send(0, 1, NO_PAGE, 0), -E_IPC_NOT_RECV);
	CHECK_EQ(sys_ipc_try_send(parent, 2, NO_PAGE, 0), 0);
}

static void
receive_from_child(void)
{
	envid_t child = conform_spawn(send_to_0);

	CHECK_EQ(ENVX(sys_getenvid()), 0);
	CHECK_EQ(sys_ipc_recv(NO_PAGE), 0);
	CHECK_EQ(thisenv->env_ipc_value, 2);
	CHECK_EQ(thisenv->env_ipc_from, child);
	conform_wait(child);
}

void
umain(int argc, char **argv)
{
	envid_t receiver, stopped;

	conform_begin("conform_ipc_try_send");
	receiver = conform_spawn_receiver();

	refuse_when_not_receiving(receiver);
	refuse_when_not_receiving(0);
	refuse_when_not_receiving(sys_getenvid());
	stopped = sys_exofork();
	conform_must(stopped, "sys_exofork");
	refuse_when_not_receiving(stopped);
	sys_env_destroy(stopped);

	receive_from_child();

	// One sys_ipc_recv receives one message.
	conform_let_receive(receiver, NO_PAGE);
	conform_send_good(sys_ipc_try_send, receiver, 1, NO_PAGE, 0, 0, 0);
	refuse_when_not_receiving(receiver);

	conform_check_sending(sys_ipc_try_send, receiver);
	conform_end_receiver(sys_ipc_try_send, receiver);
	conform_end();
}
