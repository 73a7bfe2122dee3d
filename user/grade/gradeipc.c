// Tests ipc_send and ipc_recv of the library: their results, their errors, and that a sender waits
// for its receiver.

#include <user/conform/refusals.h>

#define PAGE     AREA
#define RECEIVED SPARE

static void
must_not_receive(void *va)
{
	envid_t from = 7;
	int perm = 7;

	CHECK_EQ(ipc_recv(&from, va, &perm), -E_INVAL);
	CHECK_EQ(from, 0);
	CHECK_EQ(perm, 0);
	CHECK_EQ(ipc_recv(NULL, va, &perm), -E_INVAL);
	CHECK_EQ(ipc_recv(&from, va, NULL), -E_INVAL);
	CHECK_EQ(ipc_recv(NULL, va, NULL), -E_INVAL);
}

// The child waits before it receives, so that the sender must wait.
static void
receive_late(void)
{
	envid_t from = 0;
	int perm = 7;

	for (int i = 0; i < 30; i++)
		sys_yield();
	CHECK_EQ(ipc_recv(&from, NULL, &perm), 0x80000001);
	CHECK_EQ(from, thisenv->env_parent_id);
	CHECK_EQ(perm, 0);
	CHECK_EQ(ipc_recv(NULL, NULL, NULL), 0);
	CHECK_EQ(ipc_recv(&from, RECEIVED, &perm), 3);
	CHECK_EQ(perm, PERM_READ);
	CHECK_EQ(conform_perm(RECEIVED), PERM_READ);
	CHECK_EQ(*(volatile uint32_t *)RECEIVED, 0xCAFE);
	CHECK_EQ(ipc_recv(&from, RECEIVED, &perm), 4); // No page is sent.
	CHECK_EQ(perm, 0);
	CHECK_EQ(ipc_recv(NULL, NULL, &perm), 5); // A page is sent, but not wanted.
	CHECK_EQ(perm, 0);
	CHECK_EQ(ipc_recv(&from, RECEIVED, &perm), 6);
	CHECK_EQ(perm, PERM_WRITE);
	*(volatile uint32_t *)RECEIVED = 0xF00D;
	ipc_send(from, 7, NULL, 0);
}

static void
send_all(envid_t to)
{
	envid_t from = 0;

	*(volatile uint32_t *)PAGE = 0xCAFE;
	ipc_send(to, 0x80000001, NULL, 0);
	ipc_send(to, 0, NULL, 0);
	ipc_send(to, 3, PAGE, PERM_READ);
	ipc_send(to, 4, NULL, PERM_WRITE);
	ipc_send(to, 5, PAGE, PERM_READ);
	ipc_send(to, 6, PAGE, PERM_WRITE);
	CHECK_EQ(ipc_recv(&from, NULL, NULL), 7);
	CHECK_EQ(from, to);
	CHECK_EQ(*(volatile uint32_t *)PAGE, 0xF00D);
}

static void
receive_once(void)
{
	ipc_recv(NULL, NULL, NULL);
}

// ipc_send must panic for any error but E_IPC_NOT_RECV. The argument selects the error.
static void
send_with_error(const char *error)
{
	envid_t to = conform_spawn(receive_once);

	wait_until_asleep(to);
	if (strcmp(error, "receiver") == 0)
		ipc_send(0x7FFFF123, 1, NULL, 0);
	else if (strcmp(error, "address") == 0)
		ipc_send(to, 1, PAGE + 1, PERM_READ);
	else
		ipc_send(to, 1, PAGE, PERM_WRITE | PTE_PCD);
	cprintf("gradeipc: went on\n");
}

void
umain(int argc, char **argv)
{
	conform_begin("gradeipc");
	CHECK_EQ(sys_page_alloc(0, PAGE, PERM_WRITE), 0);
	if (argc > 1) {
		send_with_error(argv[1]);
		return;
	}
	must_not_receive((void *)1);
	must_not_receive((void *)(UTOP - 1));
	must_not_receive(RECEIVED + 4);
	for (int i = 0; i < 3; i++) {
		envid_t child = conform_spawn(receive_late);
		send_all(child);
		conform_wait(child);
	}
	CHECK_EQ(conform_refs(conform_page(PAGE)), 1);
	conform_end();
}
