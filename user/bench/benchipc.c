// Measures a message to another environment and its answer: with ipc_send and ipc_recv, and with
// ipc_call.

#include "bench.h"

static envid_t child;

static void
answer(void)
{
	envid_t from;
	uint32_t word = ipc_recv(&from, NULL, NULL);

	ipc_send(from, word + 1, NULL, 0);
}

static void
ask(uint32_t done)
{
	ipc_send(child, done, NULL, 0);
	if (ipc_recv(NULL, NULL, NULL) != (int32_t)done + 1)
		panic("wrong answer");
}

static void
answer_call(void)
{
	static envid_t from;
	static int32_t word;

	word = from ? ipc_call(from, word + 1, NULL, 0, &from, NULL, NULL)
		    : ipc_recv(&from, NULL, NULL);
}

static void
call(uint32_t done)
{
	if (ipc_call(child, done, NULL, 0, NULL, NULL, NULL) != (int32_t)done + 1)
		panic("wrong answer");
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_begin(argc, argv);

	child = bench_child(answer);
	bench("ipc", count, ask);
	sys_env_destroy(child);
	child = bench_child(answer_call);
	bench("ipc_call", count, call);
	sys_env_destroy(child);
	bench_end();
}
