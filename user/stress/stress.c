// A tree of environments that at random fork, send to each other, receive, and destroy
// their children, whatever those are doing. In the end all must be gone, and no page be
// missing. The random numbers come from a seed, which is printed; with more than one CPU
// that is not enough to make the same happen again.
//
// What is random must still come to an end: nobody may wait for what does not come. So each
// environment has an entry in a table that all share, by its place in envs[]:
//
//	id        whose entry this is: written by itself, when it begins
//	state     IDLE, BUSY while it must not be destroyed, DOOMED when it is about to be
//	letters   so many it has sent to its parent, or is about to send
//
// An environment is destroyed only by its parent, after changing its state from IDLE to
// DOOMED: so not while it forks, since a child that is not complete would stay for
// ever, nor while it destroys another one. And a parent receives when one of its children
// has sent more letters than have come, which means that one is on its way.

#include <user/common/testing.h>

#define SEED 0 // 0: another one each time

#define MAX_DEPTH    4
#define MAX_CHILDREN 4  // Of one
#define MAX_LIVE     40 // Environments at a time, about
#define ROOT_STEPS   300
#define STEPS        40 // Of each other one

enum { IDLE, BUSY, DOOMED };

struct entry {
	volatile envid_t id;
	volatile uint32_t state;
	volatile uint32_t letters;
};

// Shared by all.
static struct {
	volatile uint32_t live, forks, messages, destroyed;
	struct entry entries[NENV];
} *const shared = (void *)0x10000000;

#define LETTER   ((uint32_t *)0x10100000) // Where a page is written that is sent,
#define RECEIVED ((uint32_t *)0x10101000) // and where one comes that was received

// What an environment knows of its children.
struct family {
	int depth, n;
	envid_t children[MAX_CHILDREN];
	uint32_t letters[MAX_CHILDREN]; // That came from them
};

// ---- Random numbers, counters, states ----

static uint32_t random_state;

// xorshift32: not good, but good enough, and never 0.
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

// Do not let our parent destroy us. If it is about to, this is the end.
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
	f->letters[i] = f->letters[f->n];
}

// Destroy a child, if it has begun, has not ended, and is not busy.
static bool
try_to_destroy(struct family *f, int i)
{
	envid_t child = f->children[i];

	if (shared->entries[ENVX(child)].id != child || !change_state(child, IDLE, DOOMED))
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

static void live(int depth, int steps);

// The caller is busy.
static void
fork_child(struct family *f)
{
	uint32_t seed = random();
	envid_t child = must_fork();
	if (child == 0) {
		random_state = seed;
		live(f->depth + 1, STEPS);
		exit();
	}
	add(&shared->forks, 1);
	f->children[f->n] = child;
	f->letters[f->n] = 0;
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

// The words of the page that goes with a value.
static uint32_t
word_of_letter(uint32_t value, uint32_t i)
{
	return (value + i) * 2654435761U;
}

// Send a value, with a page or without, in one of two ways. An environment that has
// gone is no error here.
static void
send(envid_t to, int (*how)(envid_t to, uint32_t value, void *srcva, int perm))
{
	uint32_t value = random() & 0x7FFFFFFF;
	void *page = (void *)UTOP;

	if (value % 2) {
		page = LETTER;
		must(sys_page_alloc(0, page, PERM_WRITE), "sys_page_alloc");
		for (uint32_t i = 0; i < PGSIZE / sizeof(uint32_t); i++)
			LETTER[i] = word_of_letter(value, i);
	}
	int r = how(to, value, page, value % 3 ? PERM_READ : PERM_WRITE);
	if (r < 0 && r != -E_BAD_ENV && r != -E_IPC_NOT_RECV)
		panic("sending: %e", r);
	must(sys_page_unmap(0, LETTER), "sys_page_unmap");
}

static void
send_to_parent(struct family *f)
{
	envid_t parent = thisenv->env_parent_id; // 0 when the parent has ended

	if (f->depth == 0 || parent == 0)
		return;
	shared->entries[ENVX(thisenv->env_id)].letters++;
	send(parent, sys_ipc_send);
}

// Most of them are not waiting for anything. If it is there any more at all.
static void
send_to_anybody(void)
{
	envid_t to = shared->entries[random() % (2 * MAX_LIVE)].id;

	if (to != 0 && to != thisenv->env_id)
		send(to, sys_ipc_try_send);
}

static void
read_letter(uint32_t value, int perm)
{
	if ((perm != 0) != value % 2)
		panic("value %x came with permissions %x", value, perm);
	if (perm == 0)
		return;
	for (uint32_t i = 0; i < PGSIZE / sizeof(uint32_t); i++) {
		if (RECEIVED[i] != word_of_letter(value, i))
			panic("value %x came with a page that has %08x", value, RECEIVED[i]);
	}
	must(sys_page_unmap(0, RECEIVED), "sys_page_unmap");
}

static bool
letter_expected(const struct family *f)
{
	for (int i = 0; i < f->n; i++) {
		const struct entry *e = &shared->entries[ENVX(f->children[i])];
		if (e->id == f->children[i] && is_alive(e->id) && e->letters != f->letters[i])
			return true;
	}
	return false;
}

static void
receive(struct family *f)
{
	envid_t from;
	int perm;

	if (!letter_expected(f))
		return;
	int32_t value = must(ipc_recv(&from, RECEIVED, &perm), "ipc_recv");
	read_letter(value, perm);
	add(&shared->messages, 1);
	for (int i = 0; i < f->n; i++)
		f->letters[i] += f->children[i] == from;
}

// ---- A life ----

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
		send_to_anybody();
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

// Take this environment's entry, live, and leave nobody behind.
static void
live(int depth, int steps)
{
	struct family f = { .depth = depth };
	struct entry *e = &shared->entries[ENVX(thisenv->env_id)];

	e->letters = 0;
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

	share_memory(shared, sizeof(*shared));
	// Page tables, and what the first fork takes for itself, are here before we count.
	must(sys_page_alloc(0, LETTER, PERM_WRITE), "sys_page_alloc");
	must(sys_page_unmap(0, LETTER), "sys_page_unmap");
	if (must_fork() == 0)
		return;
	wait_until_alone();
	int free_pages = count_free_pages();

	random_state = seed;
	shared->live = 1;
	live(0, ROOT_STEPS);
	wait_until_alone();
	if (shared->live != 0)
		panic("seed %u: %d environments have not been counted", seed, shared->live);
	if (count_free_pages() != free_pages)
		panic("seed %u: %d pages are missing", seed, free_pages - count_free_pages());
	cprintf("stress: seed %u, %u forks, %u messages, %u destroyed: ok\n", seed, shared->forks,
	    shared->messages, shared->destroyed);
}
