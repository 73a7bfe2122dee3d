// Tests sys_ipc_call: it first sends like sys_ipc_send, then receives like sys_ipc_recv.

#include "messages.h"

// Send with sys_ipc_call. The receiver answers with value + 1.
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

// If the address for the answer is bad, nothing is sent.
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

// Answers two calls: the first with a read-only page, the second without a page.
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

// Send pages in both directions. `asleep`: the child already receives before the first call.
static void
exchange_pages(bool asleep)
{
	envid_t child = conform_spawn(answer_twice);
	char *dstva = asleep ? RECEIVED : RECEIVED + PGSIZE; // Different in the two calls
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
