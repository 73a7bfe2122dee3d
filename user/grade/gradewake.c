// Tests that no message and no wake-up is lost: several pairs of environments send to and fro, and
// all CPUs go to sleep and are woken again and again.

#include <user/conform/conform.h>

#define PAIRS  3
#define ROUNDS 300

static void
answer(void)
{
	envid_t from;
	uint32_t value;

	do {
		value = ipc_recv(&from, NULL, NULL);
		ipc_send(from, value + 1, NULL, 0);
	} while (value < 2 * ROUNDS);
}

static void
ask(void)
{
	envid_t partner = STATE->words[0];
	uint32_t wrong = 0;

	STATE->stage = 1;
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		ipc_send(partner, 2 * i, NULL, 0);
		wrong += ipc_recv(NULL, NULL, NULL) != (int32_t)(2 * i + 1);
	}
	CHECK_EQ(wrong, 0);
}

void
umain(int argc, char **argv)
{
	envid_t all[2 * PAIRS];

	conform_begin("gradewake");
	for (int i = 0; i < PAIRS; i++) {
		all[2 * i] = conform_spawn(answer);
		STATE->words[0] = all[2 * i];
		STATE->stage = 0;
		all[2 * i + 1] = conform_spawn(ask);
		conform_wait_stage(1);
	}
	for (int i = 0; i < 2 * PAIRS; i++)
		conform_wait(all[i]);
	conform_end();
}
