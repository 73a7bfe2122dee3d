// Tests sys_ipc_send. To a receiver that waits, it sends like sys_ipc_try_send. Otherwise the
// sender sleeps in the receiver's queue, and the message is sent when the receiver receives.

#include "messages.h"

// The message that a child sends
static struct {
	void *srcva;
	int perm;
	int place; // The result of the call is stored in RESULT[place].
} sent;

#define RESULT    STATE->words
#define NO_RESULT 1

static void
send_to_parent(void)
{
	RESULT[sent.place] = sys_ipc_send(thisenv->env_parent_id, 77, sent.srcva, sent.perm);
}

// Make a child that sends this message to the caller, and sleeps in the caller's queue.
static envid_t
spawn_sender(int place, void *srcva, int perm)
{
	envid_t sender;

	sent.srcva = srcva;
	sent.perm = perm;
	sent.place = place;
	RESULT[place] = NO_RESULT;
	sender = conform_spawn(send_to_parent);
	wait_until_asleep(sender);
	CHECK_EQ(RESULT[place], NO_RESULT);
	return sender;
}

// Receive a message at dstva from a sender that sleeps in the queue, and check it.
static void
take(void *srcva, int perm, void *dstva, physaddr_t page, int page_perm)
{
	envid_t sender = spawn_sender(0, srcva, perm);

	CHECK_EQ(sys_ipc_recv(dstva), 0);
	conform_wait(sender);
	CHECK_EQ(RESULT[0], 0);
	CHECK_EQ(thisenv->env_ipc_value, 77);
	CHECK_EQ(thisenv->env_ipc_from, sender);
	CHECK_EQ(thisenv->env_ipc_perm, page_perm);
	CHECK_EQ(thisenv->env_ipc_recving, false);
	if ((uintptr_t)dstva >= UTOP)
		return;
	CHECK_EQ(conform_page(dstva), page);
	CHECK_EQ(conform_perm(dstva), page_perm);
	sys_page_unmap(0, dstva);
}

static void
take_from_queue(void)
{
	physaddr_t page = conform_page(WRITABLE), readonly = conform_page(READONLY);
	int refs = conform_refs(page);

	take(WRITABLE, PERM_WRITE, RECEIVED, page, PERM_WRITE);
	take(WRITABLE, PTE_SYSCALL, RECEIVED, page, PTE_SYSCALL);
	take(WRITABLE, PERM_READ, FRESH, page, PERM_READ);
	take(READONLY, PERM_READ, RECEIVED, readonly, PERM_READ);
	take(WRITABLE, PERM_WRITE, NO_PAGE, 0, 0);
	take(NO_PAGE, PERM_WRITE, RECEIVED, 0, 0);
	take(NO_PAGE, 0, NO_PAGE, 0, 0);
	CHECK_EQ(conform_refs(page), refs);
}

// The first message in the queue cannot be delivered: its sender gets the error, and the receiver
// gets the second message.
static void
pass_over(envid_t first, envid_t second, void *dstva, int error)
{
	CHECK_EQ(sys_ipc_recv(dstva), 0);
	CHECK_EQ(thisenv->env_ipc_from, second);
	CHECK_EQ(thisenv->env_ipc_perm, 0);
	CHECK_EQ(conform_page(dstva), 0);
	conform_wait(first);
	conform_wait(second);
	CHECK_EQ(RESULT[0], -error);
	CHECK_EQ(RESULT[1], 0);
}

static void
refuse_in_queue(void)
{
	envid_t first = spawn_sender(0, WRITABLE, PERM_WRITE);
	envid_t second = spawn_sender(1, NO_PAGE, 0);

	CHECK_EQ(sys_page_map(first, WRITABLE, first, WRITABLE, PERM_READ), 0);
	pass_over(first, second, RECEIVED, E_INVAL);

	first = spawn_sender(0, WRITABLE, PERM_WRITE);
	second = spawn_sender(1, NO_PAGE, 0);
	CHECK_EQ(sys_page_unmap(first, WRITABLE), 0);
	pass_over(first, second, RECEIVED, E_INVAL);

	first = spawn_sender(0, WRITABLE, PERM_WRITE);
	second = spawn_sender(1, NO_PAGE, 0);
	conform_take_memory();
	pass_over(first, second, UNTOUCHED, E_NO_MEM);
	conform_release_memory();
}

// Send after the first sender got its error.
static void
send_after_first(void)
{
	while (RESULT[0] == NO_RESULT)
		sys_yield();
	send_to_parent();
}

// The only message in the queue cannot be delivered: the receiver waits for the next message.
static void
wait_after_refusal(void)
{
	envid_t first = spawn_sender(0, WRITABLE, PERM_WRITE), second;

	CHECK_EQ(sys_page_unmap(first, WRITABLE), 0);
	sent.srcva = NO_PAGE;
	sent.place = 1;
	second = conform_spawn(send_after_first);
	pass_over(first, second, RECEIVED, E_INVAL);
}

// A message that is already bad is refused before the sender sleeps. A message to the sender itself
// is refused too: the sender would never wake up.
static void
refuse_at_once(void)
{
	envid_t child = sys_exofork();

	conform_must(child, "sys_exofork");
	CHECK_REFUSED(sys_ipc_send(child, 1, WRITABLE + 1, PERM_READ), E_INVAL);
	CHECK_REFUSED(sys_ipc_send(child, 1, WRITABLE, PTE_P), E_INVAL);
	CHECK_REFUSED(sys_ipc_send(child, 1, NOTHING, PERM_READ), E_INVAL);
	CHECK_REFUSED(sys_ipc_send(child, 1, READONLY, PERM_WRITE), E_INVAL);
	CHECK_REFUSED(sys_ipc_send(0, 1, NO_PAGE, 0), E_INVAL);
	CHECK_REFUSED(sys_ipc_send(sys_getenvid(), 1, NO_PAGE, 0), E_INVAL);
	sys_env_destroy(child);
}

void
umain(int argc, char **argv)
{
	envid_t receiver;

	conform_begin("conform_ipc_send");
	receiver = conform_spawn_receiver();
	conform_check_sending(sys_ipc_send, receiver);
	conform_end_receiver(sys_ipc_send, receiver);
	refuse_at_once();
	take_from_queue();
	refuse_in_queue();
	wait_after_refusal();
	conform_end();
}
