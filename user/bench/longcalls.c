// Makes the system calls that have the most work to do. The argument names the kind of call. A
// test then reads the longest time that the big lock was held, with the monitor's lockstat.
//
// All the work must be done when this program prints "ok".

#include <user/common/testing.h>

#define SHARED   ((volatile uint32_t *)0x10000000) // A page that all environments share
#define LARGE    0x20000000                        // Where large mappings start
#define CHILDREN 20                                // Children with a large address space
#define TABLES   800                               // Page tables of each of these children
#define MANY     900 // Environments in a queue: below NENV, because more environments are needed

// Map the SHARED page n times in envid: at LARGE, LARGE + apart, and so on.
static void
fill(envid_t envid, uint32_t n, uint32_t apart)
{
	for (uint32_t i = 0; i < n; i++)
		must(sys_page_map(0, (void *)SHARED, envid, (void *)(LARGE + i * apart), PERM_READ),
		    "page_map");
}

static envid_t
stopped_child(void)
{
	return must(sys_exofork(), "exofork");
}

// Wait until this is the only environment.
static void
wait_until_alone(void)
{
	while (count_envs() > 1)
		sys_yield();
}

// Run a function in a child. Wait until that child and all its descendants are gone.
static void
in_child(void (*run)(void))
{
	if (must_fork() == 0) {
		run();
		exit();
	}
	wait_until_alone();
}

// ---- The end of environments ----

// The children never run; they end when their parent ends.
static void
leave_large_children(void)
{
	for (int i = 0; i < CHILDREN; i++) {
		envid_t child = stopped_child();
		if (child == 0)
			panic("a stopped child runs");
		fill(child, TABLES, PTSIZE);
	}
}

static void
large_children(void)
{
	in_child(leave_large_children);
}

// Fill page tables with pages that no other environment has: they are freed with this environment.
static void
fill_tables(void)
{
	for (uint32_t va = LARGE; va < LARGE + 5 * PTSIZE; va += PGSIZE)
		must(sys_page_alloc(0, (void *)va, PERM_WRITE), "page_alloc");
}

static void
full_tables(void)
{
	in_child(fill_tables);
}

static void
leave_many_children(void)
{
	for (int i = 0; i < MANY; i++) {
		if (stopped_child() == 0)
			panic("a stopped child runs");
	}
}

static void
many_children(void)
{
	in_child(leave_many_children);
}

// Leave a chain of stopped environments: each is the parent of the next.
static void
leave_chain(void)
{
	for (int i = 0; i < 50; i++) {
		envid_t child = must_fork();
		if (child != 0) {
			if (i > 0)
				must(sys_env_set_status(0, ENV_NOT_RUNNABLE), "stop");
			while (SHARED[0] == 0)
				sys_yield();
			return;
		}
	}
	SHARED[0] = 1;
	for (;;)
		sys_env_set_status(0, ENV_NOT_RUNNABLE);
}

static void
chain_of_children(void)
{
	in_child(leave_chain);
}

// ---- Queues ----

// Make n children that send a message to their parent with `send`. Returns when all of them sleep.
static void
make_senders(int n, void (*send)(envid_t to))
{
	static envid_t senders[MANY];

	for (int i = 0; i < n; i++) {
		envid_t parent = sys_getenvid();
		senders[i] = must_fork();
		if (senders[i] == 0) {
			send(parent);
			exit();
		}
	}
	for (int i = 0; i < n; i++)
		wait_until_asleep(senders[i]);
}

static void
send_word(envid_t to)
{
	sys_ipc_send(to, 0, (void *)UTOP, 0);
}

static void
destroy_senders(void)
{
	make_senders(MANY, send_word);
	// All other environments are our children. The highest slot is the last in the queue.
	for (int i = NENV; i-- > 0;) {
		if (envs[i].env_status != ENV_FREE && envs[i].env_parent_id == thisenv->env_id)
			must(sys_env_destroy(envs[i].env_id), "destroy");
	}
}

static void
many_senders_destroyed(void)
{
	in_child(destroy_senders);
}

static void
have_senders(void)
{
	make_senders(MANY, send_word);
}

static void
receiver_of_many_ends(void)
{
	in_child(have_senders);
}

// The page of each message is unmapped before the receiver receives.
static void
send_page(envid_t to)
{
	sys_ipc_send(to, 0, (void *)SHARED, PERM_READ);
}

static void
refuse_messages(void)
{
	make_senders(MANY, send_page);
	for (int i = 0; i < NENV; i++) {
		if (envs[i].env_status != ENV_FREE && envs[i].env_parent_id == thisenv->env_id)
			must(sys_page_unmap(envs[i].env_id, (void *)SHARED), "page_unmap");
	}
	if (must_fork() == 0) {
		while (!env_of(thisenv->env_parent_id)->env_ipc_recving)
			sys_yield();
		must(sys_ipc_try_send(thisenv->env_parent_id, 7, (void *)UTOP, 0), "try_send");
		exit();
	}
	if (must(ipc_recv(NULL, NULL, NULL), "recv") != 7)
		panic("a message without its page was received");
}

static void
many_messages_refused(void)
{
	in_child(refuse_messages);
}

// Each environment waits in sys_ipc_call to its parent, and its child waits in its queue.
static void
call_in_chain(void)
{
	envid_t child = 0, parent = 0;

	for (int i = 0; i < MANY; i++) {
		envid_t self = sys_getenvid();
		child = must_fork();
		if (child != 0)
			break;
		parent = self;
	}
	if (child != 0)
		wait_until_asleep(child);
	if (child == 0) // The last environment of the chain: nothing is sent to it.
		ipc_send(parent, 0, NULL, 0);
	else if (parent != 0)
		must(ipc_call(parent, 0, NULL, 0, NULL, NULL, NULL), "call");
	else
		must(ipc_recv(NULL, NULL, NULL), "recv");
}

static void
chain_of_calls(void)
{
	in_child(call_in_chain);
}

// Children that wait for a key: the test sends as many keys at once.
static void
have_readers(void)
{
	envid_t child;

	for (int i = 0; i < 400; i++) {
		if ((child = must_fork()) == 0) {
			if (sys_cgetc_wait() != 'k')
				panic("the key is not a k");
			exit();
		}
	}
	wait_until_asleep(child);
	cprintf("longcalls: press 400 keys\n");
}

static void
many_readers(void)
{
	in_child(have_readers);
}

// ---- Single calls ----

// For each kind of character, print a page that is full of it, in one call.
static void
long_text(void)
{
	must(sys_page_alloc(0, (void *)LARGE, PERM_WRITE), "page_alloc");
	for (const char *c = "x\n\t\r\b\a\1\x7f\xff"; *c; c++) {
		memset((void *)LARGE, *c, PGSIZE);
		sys_cputs((void *)LARGE, PGSIZE);
	}
	cprintf("\n");
}

// A child prints a text of 16 MB; the parent destroys the child while it prints.
static void
huge_text(void)
{
	must(sys_page_alloc(0, (void *)LARGE, PERM_WRITE), "page_alloc");
	memset((void *)LARGE, 'x', PGSIZE);
	for (uint32_t at = PGSIZE; at < 4 * PTSIZE; at += PGSIZE)
		must(sys_page_map(0, (void *)LARGE, 0, (void *)(LARGE + at), PERM_READ), "map");
	envid_t child = must_fork();
	if (child == 0) {
		SHARED[0] = 1;
		sys_cputs((void *)LARGE, 4 * PTSIZE);
		panic("all of the text was printed");
	}
	while (SHARED[0] == 0)
		sys_yield();
	sys_yield();
	must(sys_env_destroy(child), "destroy");
	wait_until_gone(child);
	cprintf("\n");
}

static void
full_batch(void)
{
	static struct BatchCall calls[BATCH_MAX];

	for (uint32_t i = 0; i < BATCH_MAX; i++)
		calls[i] =
		    (struct BatchCall){ SYS_page_alloc, { 0, LARGE + i * PTSIZE, PERM_WRITE }, 1 };
	if (sys_batch(calls, BATCH_MAX, BATCH_STOP) != BATCH_MAX)
		panic("the batch was not completed");
}

static void
fault(void)
{
	must(sys_env_set_pgfault_upcall(0, NULL), "set_pgfault_upcall");
	*(volatile int *)0 = 0;
}

static void
faults(void)
{
	in_child(fault);
}

// ---- All of them ----

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "large_children", large_children },
	{ "full_tables", full_tables },
	{ "many_children", many_children },
	{ "chain_of_children", chain_of_children },
	{ "many_senders_destroyed", many_senders_destroyed },
	{ "receiver_of_many_ends", receiver_of_many_ends },
	{ "many_messages_refused", many_messages_refused },
	{ "chain_of_calls", chain_of_calls },
	{ "many_readers", many_readers },
	{ "long_text", long_text },
	{ "huge_text", huge_text },
	{ "full_batch", full_batch },
	{ "faults", faults },
};

// For the monitor's command kill: has a lot of memory, and sleeps.
static void
stay(void)
{
	fill_tables();
	sys_env_set_status(0, ENV_NOT_RUNNABLE);
}

void
umain(int argc, char **argv)
{
	share_memory((void *)SHARED, PGSIZE);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (argc == 2 && strcmp(argv[1], kinds[i].name) == 0) {
			kinds[i].run();
			cprintf("longcalls: %s: ok\n", kinds[i].name);
			return;
		}
	}
	if (argc == 2 && strcmp(argv[1], "stay") == 0)
		stay();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		cprintf("longcalls: longcalls,%s\n", kinds[i].name);
}
