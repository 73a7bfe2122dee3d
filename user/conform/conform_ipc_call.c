// sys_ipc_call: its first half sends as sys_ipc_send does, its second half receives as
// sys_ipc_recv does.

#include "messages.h"

// For messages that the receiver answers, with the value that comes after ours.
static int
call(envid_t to, uint32_t value, void *srcva, int perm)
{
	int r;

	REPORT->answer = true;
	r = sys_ipc_call(to, value, srcva, perm, NO_PAGE);
	if (r == 0) {
		CHECK_EQ(thisenv->env_ipc_value, value + 1);
		CHECK_EQ(thisenv->env_ipc_from, to);
		CHECK_EQ(thisenv->env_ipc_perm, 0);
		CHECK_EQ(thisenv->env_ipc_recving, false);
	}
	return r;
}

// An address where nothing can be received: nothing is sent either.
static void
refuse_addresses(envid_t to)
{
	unsigned i;

	conform_let_receive(to, RECEIVED);
	for (i = 0; i < CONFORM_BAD_VAS; i++) {
		void *va = (void *)conform_bad_vas[i];

		if ((uintptr_t)va < UTOP)
			CHECK_REFUSED_WITH(
			    va, sys_ipc_call(to, 1, WRITABLE, PERM_READ, va), E_INVAL);
	}
	CHECK_EQ(env_of(to)->env_ipc_recving, true);
	CHECK_EQ(env_of(to)->env_status, ENV_NOT_RUNNABLE);
	CHECK_EQ(thisenv->env_ipc_recving, false);
	CHECK_REFUSED(sys_ipc_call(0, 1, NO_PAGE, 0, NO_PAGE), E_INVAL);
	conform_send_good(call, to, 1, NO_PAGE, 0, 0, 0);
}

// Answers two calls: the first with its read-only page, the second without a page.
static void
answer_twice(void)
{
	int r;

	CHECK_EQ(sys_ipc_recv(NO_PAGE), 0);
	CHECK_EQ(thisenv->env_ipc_value, 10);
	CHECK_EQ(sys_ipc_call(thisenv->env_ipc_from, 11, READONLY, PERM_READ, RECEIVED), 0);
	CHECK_EQ(thisenv->env_ipc_value, 12);
	CHECK_EQ(thisenv->env_ipc_perm, PERM_WRITE);
	CHECK_EQ(conform_page(RECEIVED), conform_page(WRITABLE));
	CHECK_EQ(conform_perm(RECEIVED), PERM_WRITE);
	while ((r = sys_ipc_try_send(thisenv->env_ipc_from, 13, NO_PAGE, PTE_W)) == -E_IPC_NOT_RECV)
		sys_yield();
	CHECK_EQ(r, 0);
}

// Pages in both directions, wanted or not, whether the other side receives already (`asleep`)
// or has to be waited for.
static void
exchange_pages(bool asleep)
{
	envid_t child = conform_spawn(answer_twice);
	char *dstva = asleep ? RECEIVED : RECEIVED + PGSIZE; // Not where the last page came
	physaddr_t readonly = conform_page(READONLY);
	int refs = conform_refs(readonly);

	if (asleep)
		wait_until_asleep(child);
	CHECK_EQ(sys_ipc_call(child, 10, NO_PAGE, 0, dstva), 0);
	CHECK_EQ(thisenv->env_ipc_value, 11);
	CHECK_EQ(thisenv->env_ipc_from, child);
	CHECK_EQ(thisenv->env_ipc_perm, PERM_READ);
	CHECK_EQ(conform_page(dstva), readonly);
	CHECK_EQ(conform_perm(dstva), PERM_READ);
	CHECK_EQ(conform_refs(readonly), refs + 1);
	CHECK_EQ(sys_page_unmap(0, dstva), 0);
	CHECK_EQ(sys_ipc_call(child, 12, WRITABLE, PERM_WRITE, dstva), 0);
	CHECK_EQ(thisenv->env_ipc_value, 13);
	CHECK_EQ(thisenv->env_ipc_perm, 0);
	CHECK_EQ(conform_page(dstva), 0);
	conform_wait(child);
}

void
umain(int argc, char **argv)
{
	envid_t receiver;

	conform_begin("conform_ipc_call");
	receiver = conform_spawn_receiver();
	REPORT->answer = true;
	conform_check_sending(call, receiver);
	refuse_addresses(receiver);
	conform_end_receiver(call, receiver);
	exchange_pages(true);
	exchange_pages(false);
	conform_end();
}
