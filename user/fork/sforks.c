// Tests which environments share memory after sfork and fork, in each order. Environments that
// sfork made share all pages from then on; a child of fork has copies.
//
// Each environment has a page at PRIVATE and a variable of the program. All environments except the
// first are servers, which read and write both on request.

#include <user/common/testing.h>

#define PRIVATE ((volatile uint32_t *)0x20000000)
#define MEMBERS 8

// Requests to a server; any other number is a value to write.
#define READ 0
#define END  ~0U

static volatile uint32_t variable;

static envid_t members[MEMBERS]; // members[0] is this environment, and stays 0.

// Write a value, unless it is READ. Returns the value that is then read.
static uint32_t
access(uint32_t value)
{
	if (value != READ)
		*PRIVATE = variable = value;
	if (*PRIVATE != variable)
		panic("%x in the page, %x in the variable", *PRIVATE, variable);
	return variable;
}

static __attribute__((noreturn)) void
serve(void)
{
	envid_t from;
	uint32_t value;

	while ((value = ipc_recv(&from, NULL, NULL)) != END)
		ipc_send(from, access(value), NULL, 0);
	exit();
}

// Let a member call access().
static uint32_t
ask(envid_t member, uint32_t value)
{
	return member ? (uint32_t)ipc_call(member, value, NULL, 0, NULL, NULL, NULL)
		      : access(value);
}

// Check that exactly the members with the same letter in `groups`, for example "aab", share memory.
static void
check_groups(const char *what, const char *groups)
{
	uint32_t n = strlen(groups);

	for (uint32_t writer = 0; writer < n; writer++) {
		uint32_t before[MEMBERS], value = 0x100 + writer;
		for (uint32_t i = 0; i < n; i++)
			before[i] = ask(members[i], READ);
		ask(members[writer], value);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t wanted = groups[i] == groups[writer] ? value : before[i];
			uint32_t found = ask(members[i], READ);
			if (found != wanted)
				panic("%s: member %u wrote, member %u reads %x, not %x", what,
				    writer, i, found, wanted);
		}
	}
}

// Make a member by fork_function(), which is fork or sfork.
static void
make(uint32_t member, envid_t (*fork_function)(void))
{
	envid_t child = must(fork_function(), "fork or sfork");

	if (child == 0)
		serve();
	members[member] = child;
}

// Make member 1 by first(). Member 1 makes member 2 by second().
static void
make_two(envid_t (*first)(void), envid_t (*second)(void))
{
	envid_t me = sys_getenvid(), child = must(first(), "fork or sfork");

	if (child == 0) {
		envid_t grandchild = must(second(), "fork or sfork");
		if (grandchild)
			ipc_send(me, grandchild, NULL, 0);
		serve();
	}
	members[1] = child;
	members[2] = ipc_recv(NULL, NULL, NULL);
}

static void
finish(void)
{
	for (uint32_t i = 1; i < MEMBERS; i++) {
		if (!members[i])
			continue;
		ipc_send(members[i], END, NULL, 0);
		wait_until_gone(members[i]);
		members[i] = 0;
	}
}

// Start a test: the page is this environment's own, or copy-on-write (`cow`).
static void
begin(bool cow)
{
	must(sys_page_alloc(0, (void *)PRIVATE, PERM_WRITE), "sys_page_alloc");
	*PRIVATE = variable = 1;
	if (cow) {
		envid_t child = must_fork();
		if (child == 0)
			exit();
		wait_until_gone(child);
	}
}

static void
try_all(bool cow)
{
	begin(cow);
	make(1, sfork);
	check_groups("sfork", "aa");
	make(2, fork);
	check_groups("sfork, fork", "aab");
	make(3, sfork);
	check_groups("sfork, fork, sfork", "aaba");
	make(4, fork);
	check_groups("sfork, fork, sfork, fork", "aabac");
	finish();

	begin(cow);
	make(1, fork);
	make(2, sfork);
	check_groups("fork, sfork", "aba");
	make(3, fork);
	check_groups("fork, sfork, fork", "abac");
	finish();

	begin(cow);
	make_two(sfork, fork);
	check_groups("sfork, and the child's fork", "aab");
	finish();

	begin(cow);
	make_two(sfork, sfork);
	check_groups("sfork, and the child's sfork", "aaa");
	make(3, fork);
	check_groups("sfork, the child's sfork, fork", "aaab");
	finish();

	begin(cow);
	make_two(fork, sfork);
	check_groups("fork, and the child's sfork", "abb");
	make(3, sfork);
	check_groups("fork, the child's sfork, sfork", "abba");
	finish();
}

void
umain(int argc, char **argv)
{
	try_all(false);
	try_all(true);
	cprintf("sforks: ok\n");
}
