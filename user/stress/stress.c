// A tree of environments that at random fork, send to each other, receive, and destroy their
// children at any time. At the end all environments must be gone, and all memory must be free. The
// random numbers come from a seed, which is printed; on several CPUs, a run with the same seed is
// still different.
//
// No environment may wait without end. So each environment has an entry in a shared table, at its
// index in envs[]:
//
//	id        the environment's id, which it writes when it starts
//	state     IDLE; BUSY: must not be destroyed; DYING: its parent is about to destroy it
//	sent      the number of messages that it has sent to its parent, or is about to send
//
// Only the parent destroys an environment, after it has changed the state from IDLE to DYING. So
// no environment is destroyed while it forks, which would leave an incomplete child, or while it
// destroys a child. A parent receives only if one of its children has sent more messages than were
// received from it: then a message must arrive.
//
// With an argument (stress,lab), it makes only system calls of the lab, not those of challenges.

#include <user/common/testing.h>

#define SEED 0 // 0: a different seed in each run

#define MAX_DEPTH    4
#define MAX_CHILDREN 4   // Of an environment
#define MAX_LIVE     40  // Environments at the same time, about
#define ROOT_STEPS   300 // Steps of the root
#define STEPS        40  // Steps of each other environment

enum { IDLE, BUSY, DYING };

struct entry {
	volatile envid_t id;
	volatile uint32_t state;
	volatile uint32_t sent;
};

// Shared by all environments
static struct {
	volatile uint32_t live, forks, messages, destroyed;
	struct entry entries[NENV];
} *const shared = (void *)0x10000000;

#define TO_SEND  ((uint32_t *)0x10100000) // A page to send
#define RECEIVED ((uint32_t *)0x10101000) // A page that was received

// An environment's record of its children
struct family {
	int depth, n;
	envid_t children[MAX_CHILDREN];
	uint32_t received[MAX_CHILDREN]; // Number of messages received from each child
};

// ---- Random numbers, counters, states ----

static uint32_t random_state;
static bool only_lab_calls;

// xorshift32: simple, and random enough for tests. Never returns 0.
static uint32_t
random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static uint32_t
add(volatile uint32_t *counter, int n)
{
	return __atomic_add_fetch(counter, n, __ATOMIC_SEQ_CST);
}

static bool
change_state(envid_t envid, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&shared->entries[ENVX(envid)].state, &from, to, false,
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// From now on the parent must not destroy this environment. If the state is DYING already, this
// does not return: the parent destroys this environment.
static void
become_busy(void)
{
	while (!change_state(thisenv->env_id, IDLE, BUSY))
		sys_yield();
}

static void
become_idle(void)
{
	change_state(thisenv->env_id, BUSY, IDLE);
}

// ---- Children ----

static void
forget_child(struct family *f, int i)
{
	f->n--;
	f->children[i] = f->children[f->n];
	f->received[i] = f->received[f->n];
}

// Destroy a child, if it has started, has not ended, and is not busy.
static bool
try_to_destroy(struct family *f, int i)
{
	envid_t child = f->children[i];

	if (shared->entries[ENVX(child)].id != child || !change_state(child, IDLE, DYING))
		return false;
	must(sys_env_destroy(child), "sys_env_destroy");
	add(&shared->live, -1);
	add(&shared->destroyed, 1);
	forget_child(f, i);
	return true;
}

static void
forget_dead_children(struct family *f)
{
	for (int i = f->n - 1; i >= 0; i--) {
		if (!is_alive(f->children[i]))
			forget_child(f, i);
	}
}

static void
destroy_all_children(struct family *f)
{
	while (f->n > 0) {
		forget_dead_children(f);
		for (int i = f->n - 1; i >= 0; i--)
			try_to_destroy(f, i);
		sys_yield();
	}
}

static void run(int depth, int steps);

// The caller's state must be BUSY.
static void
fork_child(struct family *f)
{
	uint32_t seed = random();
	envid_t child = must_fork();
	if (child == 0) {
		random_state = seed;
		run(f->depth + 1, STEPS);
		exit();
	}
	add(&shared->forks, 1);
	f->children[f->n] = child;
	f->received[f->n] = 0;
	f->n++;
}

static void
try_to_fork(struct family *f)
{
	if (f->depth == MAX_DEPTH || f->n == MAX_CHILDREN)
		return;
	become_busy();
	if (add(&shared->live, 1) <= MAX_LIVE)
		fork_child(f);
	else
		add(&shared->live, -1);
	become_idle();
}

static void
destroy_child(struct family *f)
{
	become_busy();
	if (f->n > 0)
		try_to_destroy(f, random() % f->n);
	become_idle();
}

// ---- Messages ----

// Word i of the page that is sent with a value
static uint32_t
word_of_page(uint32_t value, uint32_t i)
{
	return (value + i) * 2654435761U;
}

// Send a value, with or without a page, by the system call `call`. It is not an error if the
// receiver is gone.
static void
send(envid_t to, int (*call)(envid_t to, uint32_t value, void *srcva, int perm))
{
	uint32_t value = random() & 0x7FFFFFFF;
	void *page = (void *)UTOP;

	if (value % 2) {
		page = TO_SEND;
		must(sys_page_alloc(0, page, PERM_WRITE), "sys_page_alloc");
		for (uint32_t i = 0; i < PGSIZE / sizeof(uint32_t); i++)
			TO_SEND[i] = word_of_page(value, i);
	}
	int r = call(to, value, page, value % 3 ? PERM_READ : PERM_WRITE);
	if (r < 0 && r != -E_BAD_ENV && r != -E_IPC_NOT_RECV)
		panic("sending: %e", r);
	must(sys_page_unmap(0, TO_SEND), "sys_page_unmap");
}

// Send only with a call of the lab, which does not wait for the receiver.
static int
send_later(envid_t to, uint32_t value, void *page, int perm)
{
	int r;

	do {
		sys_yield();
		r = sys_ipc_try_send(to, value, page, perm);
	} while (r == -E_IPC_NOT_RECV);
	return r;
}

static void
send_to_parent(struct family *f)
{
	envid_t parent = thisenv->env_parent_id; // 0 when the parent has ended

	if (f->depth == 0 || parent == 0)
		return;
	shared->entries[ENVX(thisenv->env_id)].sent++;
	send(parent, only_lab_calls ? send_later : sys_ipc_send);
}

// Try to send to a random environment. Most environments do not receive, or are gone.
static void
send_to_random(void)
{
	envid_t to = shared->entries[random() % (2 * MAX_LIVE)].id;

	if (to != 0 && to != thisenv->env_id)
		send(to, sys_ipc_try_send);
}

static void
check_message(uint32_t value, int perm)
{
	if ((perm != 0) != value % 2)
		panic("value %x came with permissions %x", value, perm);
	if (perm == 0)
		return;
	for (uint32_t i = 0; i < PGSIZE / sizeof(uint32_t); i++) {
		if (RECEIVED[i] != word_of_page(value, i))
			panic("value %x came with a page that has %08x", value, RECEIVED[i]);
	}
	must(sys_page_unmap(0, RECEIVED), "sys_page_unmap");
}

static bool
message_expected(const struct family *f)
{
	for (int i = 0; i < f->n; i++) {
		const struct entry *e = &shared->entries[ENVX(f->children[i])];
		if (e->id == f->children[i] && is_alive(e->id) && e->sent != f->received[i])
			return true;
	}
	return false;
}

static void
receive(struct family *f)
{
	envid_t from;
	int perm;

	if (!message_expected(f))
		return;
	int32_t value = must(ipc_recv(&from, RECEIVED, &perm), "ipc_recv");
	check_message(value, perm);
	add(&shared->messages, 1);
	for (int i = 0; i < f->n; i++)
		f->received[i] += f->children[i] == from;
}

// ---- The steps of an environment ----

static void
do_something(struct family *f)
{
	switch (random() % 8) {
	case 0:
	case 1:
		try_to_fork(f);
		break;
	case 2:
		destroy_child(f);
		break;
	case 3:
		send_to_parent(f);
		break;
	case 4:
		send_to_random();
		break;
	case 5:
	case 6:
		receive(f);
		break;
	default:
		sys_yield();
	}
	forget_dead_children(f);
}

// Initialize this environment's entry, do random steps, and destroy all children.
static void
run(int depth, int steps)
{
	struct family f = { .depth = depth };
	struct entry *e = &shared->entries[ENVX(thisenv->env_id)];

	e->sent = 0;
	e->state = IDLE;
	e->id = thisenv->env_id;
	while (steps-- > 0)
		do_something(&f);
	become_busy();
	destroy_all_children(&f);
	add(&shared->live, -1);
}

static void
wait_until_alone(void)
{
	while (count_envs() > 1)
		sys_yield();
}

void
umain(int argc, char **argv)
{
	uint32_t seed = SEED ? SEED : (uint32_t)read_tsc() | 1;

	only_lab_calls = argc > 1;
	share_memory(shared, sizeof(*shared));
	// Page tables, and the pages that the first fork allocates, stay: make them before the free
	// pages are counted.
	must(sys_page_alloc(0, TO_SEND, PERM_WRITE), "sys_page_alloc");
	must(sys_page_unmap(0, TO_SEND), "sys_page_unmap");
	if (must_fork() == 0)
		return;
	wait_until_alone();
	int free_pages = count_free_pages();

	random_state = seed;
	shared->live = 1;
	run(0, ROOT_STEPS);
	wait_until_alone();
	if (shared->live != 0)
		panic("seed %u: %d environments were not counted when they ended", seed,
		    shared->live);
	if (count_free_pages() != free_pages)
		panic("seed %u: %d pages are missing", seed, free_pages - count_free_pages());
	cprintf("stress: seed %u, %u forks, %u messages, %u destroyed: ok\n", seed, shared->forks,
	    shared->messages, shared->destroyed);
}
