#ifndef JOS_USER_MESSAGES_H
#define JOS_USER_MESSAGES_H

// For the conformance programs of the calls that send a message: a child that receives messages
// and reports what it received, and the checks that are the same for all these calls.

#include "refusals.h"

// Pages of AREA: a writable one, a read-only one, an unmapped one, and the receiver's report.
#define WRITABLE AREA
#define READONLY (AREA + PGSIZE)
#define NOTHING  (AREA + 2 * PGSIZE)
#define REPORT   ((volatile struct report *)(AREA + 3 * PGSIZE))

// Where the receiver receives a page, if the test needs no special address
#define RECEIVED SPARE
#define NO_PAGE  ((char *)UTOP)

// Neither sender nor receiver has a page table here before all memory is taken.
#define UNTOUCHED (FRESH + PTSIZE)

#define END_VALUE 0xE4D // The receiver exits after a message with this value.

struct report {
	// The test tells the receiver what to do:
	volatile bool go;     // Receive a message
	void *volatile dstva; // Receive a page at this address
	volatile bool answer; // Send a message back, without a page

	// The receiver reports what it received:
	volatile bool done;
	int result; // Of sys_ipc_recv
	uint32_t value;
	envid_t from;
	int perm;
	bool receiving;  // env_ipc_recving after the call
	physaddr_t page; // The page at dstva
	int page_perm;   // The permissions of the page at dstva
};

// A function that sends: sys_ipc_try_send, sys_ipc_send, or sys_ipc_call and a check of the answer.
typedef int (*conform_send_fn)(envid_t to, uint32_t value, void *srcva, int perm);

static inline void
conform_report(int result, void *dstva)
{
	REPORT->result = result;
	REPORT->value = thisenv->env_ipc_value;
	REPORT->from = thisenv->env_ipc_from;
	REPORT->perm = thisenv->env_ipc_perm;
	REPORT->receiving = thisenv->env_ipc_recving;
	REPORT->page = (uintptr_t)dstva < UTOP ? conform_page(dstva) : 0;
	REPORT->page_perm = (uintptr_t)dstva < UTOP ? conform_perm(dstva) : 0;
}

static inline void
conform_answer(envid_t to)
{
	int r;

	while ((r = sys_ipc_try_send(to, REPORT->value + 1, NO_PAGE, 0)) == -E_IPC_NOT_RECV)
		sys_yield();
	CHECK_EQ(r, 0);
}

// The receiver runs this.
static inline void
conform_keep_receiving(void)
{
	do {
		while (!REPORT->go)
			sys_yield();
		REPORT->go = false;
		void *dstva = REPORT->dstva;
		conform_report(sys_ipc_recv(dstva), dstva);
		if (REPORT->answer)
			conform_answer(REPORT->from);
		if ((uintptr_t)dstva < UTOP)
			sys_page_unmap(0, dstva);
		REPORT->done = true;
	} while (REPORT->value != END_VALUE);
}

// Map the pages of AREA, and make a receiver, which does not receive yet.
static inline envid_t
conform_spawn_receiver(void)
{
	CHECK_EQ(sys_page_alloc(0, WRITABLE, PERM_WRITE), 0);
	CHECK_EQ(sys_page_alloc(0, READONLY, PERM_READ), 0);
	CHECK_EQ(sys_page_alloc(0, (void *)REPORT, PERM_WRITE), 0);
	return conform_spawn(conform_keep_receiving);
}

// Let the receiver receive at dstva, and wait until it is receiving.
static inline void
conform_let_receive(envid_t receiver, void *dstva)
{
	REPORT->dstva = dstva;
	REPORT->done = false;
	REPORT->go = true;
	while (!env_of(receiver)->env_ipc_recving)
		sys_yield();
}

static inline void
conform_wait_report(void)
{
	while (!REPORT->done)
		sys_yield();
}

// Send a valid message to the receiver, which is receiving, and check its report. `page` is the
// physical address that must be mapped at dstva, 0 if no page must be mapped there.
static inline void
conform_send_good(conform_send_fn send, envid_t to, uint32_t value, void *srcva, int perm,
    physaddr_t page, int page_perm)
{
	CHECK_EQ(send(to, value, srcva, perm), 0);
	conform_wait_report();
	CHECK_EQ(REPORT->result, 0);
	CHECK_EQ(REPORT->value, value);
	CHECK_EQ(REPORT->from, sys_getenvid());
	CHECK_EQ(REPORT->perm, page_perm);
	CHECK_EQ(REPORT->receiving, false);
	CHECK_EQ(REPORT->page, page);
	CHECK_EQ(REPORT->page_perm, page_perm);
}

static inline void
conform_end_receiver(conform_send_fn send, envid_t receiver)
{
	conform_let_receive(receiver, NO_PAGE);
	CHECK_EQ(send(receiver, END_VALUE, NO_PAGE, 0), 0);
	conform_wait(receiver);
}

// ---- Messages that must be refused ----

static conform_send_fn conform_sender;

static inline int
conform_send_to(envid_t envid)
{
	return conform_sender(envid, 1, NO_PAGE, 0);
}

static inline int
conform_send_badly_to(envid_t envid)
{
	return conform_sender(envid, 1, WRITABLE + 1, 0);
}

// Ids of no environment, with a valid message and with a bad message
static inline void
conform_refuse_receivers(conform_send_fn send, envid_t child)
{
	envid_t dead = sys_exofork();

	conform_must(dead, "sys_exofork");
	sys_env_destroy(dead);
	conform_sender = send;
	conform_attempt = conform_send_to;
	CHECK_REFUSED(conform_attempt(dead), E_BAD_ENV);
	conform_refuse_ids_like(sys_getenvid(), child);
	conform_attempt = conform_send_badly_to;
	CHECK_REFUSED(conform_attempt(dead), E_BAD_ENV);
	conform_refuse_ids_like(sys_getenvid(), child);
}

// Pages that must not be sent. The receiver receives at dstva, which is UTOP or higher if it wants
// no page, and still receives after the refusals.
static inline void
conform_refuse_pages(conform_send_fn send, envid_t to, void *dstva)
{
	unsigned i;
	int perm;

	conform_let_receive(to, dstva);
	for (i = 0; i < CONFORM_BAD_VAS; i++) {
		void *va = (void *)conform_bad_vas[i];

		if ((uintptr_t)va < UTOP)
			CHECK_REFUSED_WITH(va, send(to, 1, va, PERM_READ), E_INVAL);
	}
	for (i = 0; conform_bad_perm(i, &perm); i++)
		CHECK_REFUSED_WITH(perm, send(to, 1, WRITABLE, perm), E_INVAL);
	CHECK_REFUSED(send(to, 1, NOTHING, PERM_READ), E_INVAL);
	CHECK_REFUSED(send(to, 1, FRESH, PERM_READ), E_INVAL);
	CHECK_REFUSED(send(to, 1, READONLY, PERM_WRITE), E_INVAL);
	CHECK_REFUSED(send(to, 1, READONLY, PTE_SYSCALL), E_INVAL);
	CHECK_EQ(env_of(to)->env_ipc_recving, true);
	CHECK_EQ(env_of(to)->env_status, ENV_NOT_RUNNABLE);
	conform_send_good(send, to, 2, NO_PAGE, 0, 0, 0);
}

// ---- Messages that must be delivered ----

static inline void
conform_send_pages(conform_send_fn send, envid_t to)
{
	static char *const vas[] = { NULL, RECEIVED, FRESH, (char *)UTOP - PGSIZE };
	physaddr_t page = conform_page(WRITABLE), readonly = conform_page(READONLY);
	int refs = conform_refs(page), perm;
	unsigned i;

	for (perm = 0; perm <= PTE_SYSCALL; perm++) {
		if ((perm & ~PTE_SYSCALL) || (perm & PERM_READ) != PERM_READ)
			continue;
		conform_let_receive(to, RECEIVED);
		conform_send_good(send, to, perm, WRITABLE, perm, page, perm);
		if (perm & PTE_W)
			continue;
		conform_let_receive(to, RECEIVED);
		conform_send_good(send, to, perm, READONLY, perm, readonly, perm);
	}
	for (i = 0; i < ARRAY_SIZE(vas); i++) {
		conform_let_receive(to, vas[i]);
		conform_send_good(send, to, i, WRITABLE, PERM_WRITE, page, PERM_WRITE);
	}
	CHECK_EQ(conform_refs(page), refs);

	// The received page replaces a page of the receiver.
	CHECK_EQ(sys_page_alloc(to, RECEIVED, PERM_WRITE), 0);
	physaddr_t old = conform_page_of(to, RECEIVED);
	CHECK_EQ(conform_refs(old), 1);
	conform_let_receive(to, RECEIVED);
	conform_send_good(send, to, 3, WRITABLE, PERM_READ, page, PERM_READ);
	CHECK_EQ(conform_refs(old), 0);
}

// Messages without a page: the sender sends no page, the receiver wants no page, or both. The
// receiver keeps the page that it has at dstva, and its env_ipc_perm is 0.
static inline void
conform_send_words(conform_send_fn send, envid_t to)
{
	static const uint32_t values[] = { 0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF };
	physaddr_t page = conform_page(WRITABLE);
	int refs = conform_refs(page);
	unsigned i;

	for (i = 0; i < CONFORM_BAD_VAS; i++) {
		void *va = (void *)conform_bad_vas[i];

		if ((uintptr_t)va < UTOP)
			continue;
		conform_let_receive(to, RECEIVED);
		conform_send_good(send, to, i, va, ~0, 0, 0);
		conform_let_receive(to, va);
		conform_send_good(send, to, i, WRITABLE, PERM_WRITE, 0, 0);
		conform_let_receive(to, va);
		conform_send_good(send, to, i, va, 0, 0, 0);
	}
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		conform_let_receive(to, NO_PAGE);
		conform_send_good(send, to, values[i], NO_PAGE, 0, 0, 0);
	}
	CHECK_EQ(conform_refs(page), refs);

	CHECK_EQ(sys_page_map(0, READONLY, to, RECEIVED, PERM_READ), 0);
	conform_let_receive(to, RECEIVED);
	CHECK_EQ(send(to, 4, NO_PAGE, PERM_WRITE), 0);
	conform_wait_report();
	CHECK_EQ(REPORT->page, conform_page(READONLY));
	CHECK_EQ(REPORT->page_perm, PERM_READ);
	CHECK_EQ(REPORT->perm, 0);
}

// Without memory for a page table of the receiver, the sender gets an error, and the receiver still
// receives. The errors of a bad page are found first.
static inline void
conform_send_without_memory(conform_send_fn send, envid_t to)
{
	conform_let_receive(to, UNTOUCHED);
	conform_take_memory();
	CHECK_REFUSED(send(to, 1, WRITABLE, PERM_READ), E_NO_MEM);
	CHECK_REFUSED(send(to, 1, READONLY, PERM_WRITE), E_INVAL);
	CHECK_REFUSED(send(to, 1, WRITABLE, PTE_P), E_INVAL);
	CHECK_EQ(env_of(to)->env_ipc_recving, true);
	CHECK_EQ(env_of(to)->env_status, ENV_NOT_RUNNABLE);
	conform_release_memory();
	conform_send_good(send, to, 2, WRITABLE, PERM_READ, conform_page(WRITABLE), PERM_READ);
}

// Any environment may send to any other: here, a child sends to its sibling. words[0] is the
// sender's result.
static inline void
conform_send_to_sibling(void)
{
	STATE->words[0] = conform_sender(STATE->envid, 5, WRITABLE, PERM_READ);
}

static inline void
conform_send_from_sibling(conform_send_fn send, envid_t to)
{
	envid_t sender;

	conform_sender = send;
	STATE->envid = to;
	STATE->words[0] = 1;
	conform_let_receive(to, RECEIVED);
	sender = conform_spawn(conform_send_to_sibling);
	conform_wait(sender);
	conform_wait_report();
	CHECK_EQ(STATE->words[0], 0);
	CHECK_EQ(REPORT->from, sender);
	CHECK_EQ(REPORT->value, 5);
	CHECK_EQ(REPORT->page, conform_page(WRITABLE));
	CHECK_EQ(REPORT->page_perm, PERM_READ);
}

// Make all the checks above.
static inline void
conform_check_sending(conform_send_fn send, envid_t receiver)
{
	conform_refuse_receivers(send, receiver);
	conform_refuse_pages(send, receiver, RECEIVED);
	conform_refuse_pages(send, receiver, NO_PAGE);
	conform_send_pages(send, receiver);
	conform_send_words(send, receiver);
	conform_send_from_sibling(send, receiver);
	conform_send_without_memory(send, receiver);
}

#endif // JOS_USER_MESSAGES_H
