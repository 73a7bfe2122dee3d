#ifndef JOS_USER_FUZZCALLS_H
#define JOS_USER_FUZZCALLS_H

// System calls with random arguments, and a check of their results.

#include "fuzzing.h"

// The kinds of arguments
enum {
	NONE,
	WORD,
	OWN,
	ANY_ENV,
	VA,
	PAGE,
	PERM,
	STRING,
	LENGTH,
	STATUS,
	TRAPNO,
	BATCH,
	COUNT,
	FLAGS,
	NKINDS
};

#define MAY(error) (1 << (error))

// All system calls except exofork. A random exofork would make children that never run; only
// make_child, in fuzzchildren.h, makes children.
static const struct {
	uint8_t kinds[MAX_CALL_ARGS]; // Kinds of the arguments. OWN: the caller or its child;
				      // VA: an address to map; PAGE: one to send or receive
	uint8_t rarity;               // The call is chosen once in so many times.
	uint32_t may_fail;            // Possible errors with good arguments
} call_table[NSYSCALLS] = {
	[SYS_cputs] = { { STRING, LENGTH }, 16, 0 },
	[SYS_cgetc] = { { NONE }, 8, 0 },
	[SYS_cgetc_wait] = { { NONE }, 32, MAY(E_UNSPECIFIED) },
	[SYS_getenvid] = { { NONE }, 4, 0 },
	[SYS_env_destroy] = { { OWN }, 16, 0 },
	[SYS_page_alloc] = { { OWN, VA, PERM }, 1, MAY(E_NO_MEM) },
	[SYS_page_map] = { { OWN, VA, OWN, VA, PERM }, 1, MAY(E_INVAL) | MAY(E_NO_MEM) },
	[SYS_page_unmap] = { { OWN, VA }, 1, 0 },
	[SYS_env_set_status] = { { OWN, STATUS }, 4, 0 },
	[SYS_env_set_pgfault_upcall] = { { OWN, WORD }, 4, 0 },
	[SYS_yield] = { { NONE }, 4, 0 },
	[SYS_ipc_try_send] = { { ANY_ENV, WORD, PAGE, PERM }, 1,
	    MAY(E_BAD_ENV) | MAY(E_INVAL) | MAY(E_NO_MEM) | MAY(E_IPC_NOT_RECV) },
	[SYS_ipc_recv] = { { PAGE }, 8, MAY(E_UNSPECIFIED) },
	[SYS_ipc_send] = { { ANY_ENV, WORD, PAGE, PERM }, 8,
	    MAY(E_BAD_ENV) | MAY(E_INVAL) | MAY(E_NO_MEM) | MAY(E_UNSPECIFIED) },
	[SYS_ipc_call] = { { ANY_ENV, WORD, PAGE, PERM, PAGE }, 8,
	    MAY(E_BAD_ENV) | MAY(E_INVAL) | MAY(E_NO_MEM) | MAY(E_UNSPECIFIED) },
	[SYS_batch] = { { BATCH, COUNT, FLAGS }, 4, MAY(E_INVAL) },
	[SYS_env_set_exception_upcall] = { { OWN, TRAPNO, WORD }, 4, MAY(E_INVAL) },
};

// ---- Arguments ----

// In most cases a string that can be printed
static uint32_t
any_string(void)
{
	static const char text[] = "fuzz\n";

	return one_in(8) ? any_va() : (uint32_t)text;
}

// A few characters; or more than an environment can have: then the kernel destroys it and prints
// nothing.
static uint32_t
any_length(void)
{
	return one_in(8) ? 0x40000000 | random() : below(6);
}

// The address of a page to send or receive; UTOP or higher means no page.
static uint32_t
any_page(void)
{
	if (one_in(4))
		return one_in(2) ? UTOP : any_va();
	return area_page();
}

// The array that any_batch fills with calls of any_call
static struct BatchCall batch[BATCH_MAX];

static uint32_t any_batch(void);

static uint32_t
any_count(void)
{
	return one_in(8) ? any_word() : below(6);
}

static uint32_t
any_flags(void)
{
	return one_in(8) ? any_word() : below(2) * BATCH_STOP;
}

static uint32_t
nothing(void)
{
	return 0xDEADBEEF; // The call does not use this argument.
}

static uint32_t (*const any_of_kind[NKINDS])(void) = {
	[NONE] = nothing,
	[WORD] = any_va,
	[OWN] = any_env,
	[ANY_ENV] = any_env,
	[VA] = any_va,
	[PAGE] = any_page,
	[PERM] = any_perm,
	[STRING] = any_string,
	[LENGTH] = any_length,
	[STATUS] = any_status,
	[TRAPNO] = any_trapno,
	[BATCH] = any_batch,
	[COUNT] = any_count,
	[FLAGS] = any_flags,
};

static inline uint32_t
any_call_number(void)
{
	for (;;) {
		uint32_t number = below(NSYSCALLS);
		if (call_table[number].rarity > 0 && one_in(call_table[number].rarity))
			return number;
	}
}

static inline struct call
any_call(void)
{
	struct call c = { .number = any_call_number() };

	for (int i = 0; i < MAX_CALL_ARGS; i++)
		c.args[i] = any_of_kind[call_table[c.number].kinds[i]]();
	if (one_in(64))
		c.number = MAX(any_word(), (uint32_t)NSYSCALLS);
	return c;
}

// An array of some calls, or any address. The calls may contain another batch, which the kernel
// must refuse.
static uint32_t
any_batch(void)
{
	static bool nested;

	if (one_in(8) || nested)
		return any_va() + one_in(2);
	nested = true;
	for (uint32_t i = 0; i < 6; i++) {
		struct call c = any_call();
		batch[i].number = c.number;
		memcpy(batch[i].args, c.args, sizeof(c.args));
	}
	nested = false;
	return (uint32_t)batch;
}

static inline int32_t
make_call(const struct call *c)
{
	int32_t r;

	// The versions of clang-format disagree about operands below a single string.
	// clang-format off
	__asm__ volatile("int %1"
	    : "=a"(r)
	    : "i"(T_SYSCALL), "a"(c->number), "d"(c->args[0]), "c"(c->args[1]), "b"(c->args[2]),
	    "D"(c->args[3]), "S"(c->args[4])
	    : "memory", "cc");
	// clang-format on
	return r;
}

// ---- Results ----

static inline bool
is_argument_bad(uint8_t kind, uint32_t arg)
{
	switch (kind) {
	case VA:
		return arg >= UTOP || PGOFF(arg) != 0;
	case PERM:
		return (arg & PERM_READ) != PERM_READ || (arg & ~PTE_SYSCALL) != 0;
	case STATUS:
		return arg != ENV_RUNNABLE && arg != ENV_NOT_RUNNABLE;
	case TRAPNO:
		return arg > T_SIMDERR;
	default:
		return false;
	}
}

// Returns the error that a call with bad arguments must return, if the caller has no children.
// Returns 0 if the arguments alone do not decide the result.
static inline int32_t
expected_error(const struct call *c)
{
	const uint8_t *kinds = call_table[c->number].kinds;

	for (int i = 0; i < MAX_CALL_ARGS; i++) {
		if (kinds[i] == OWN && c->args[i] != 0 && c->args[i] != (uint32_t)thisenv->env_id)
			return -E_BAD_ENV;
	}
	// A message without a page may have any permissions.
	if (kinds[0] == ANY_ENV)
		return 0;
	for (int i = 0; i < MAX_CALL_ARGS; i++) {
		if (is_argument_bad(kinds[i], c->args[i]))
			return -E_INVAL;
	}
	return 0;
}

// Whether a call may return r, if the caller has no children.
static inline bool
is_result_good(const struct call *c, int32_t r)
{
	if (c->number >= NSYSCALLS)
		return r == -E_INVAL;
	if (c->number == SYS_ipc_recv && r == -E_INVAL)
		return c->args[0] < UTOP && PGOFF(c->args[0]) != 0;
	if (c->number == SYS_batch)
		return c->args[2] & ~BATCH_STOP || c->args[0] % sizeof(uint32_t) != 0
			   ? r == -E_INVAL
			   : r >= 0 && (uint32_t)r <= MIN(c->args[1], (uint32_t)BATCH_MAX);
	int32_t expected = expected_error(c);
	if (expected)
		return r == expected;
	if (r < 0)
		return r > -MAXERROR && (call_table[c->number].may_fail & MAY(-r));
	if (c->number == SYS_getenvid)
		return r == thisenv->env_id;
	return r == 0 || c->number == SYS_cgetc || c->number == SYS_cgetc_wait;
}

// Whether a call may change the caller's program, stack or fuzzing data.
static inline bool
is_dangerous(const struct call *c)
{
	extern char end[]; // Where the program ends: user/user.ld

	if (c->number == SYS_batch) {
		for (int i = 0; i < BATCH_MAX; i++) {
			struct call inner = { .number = batch[i].number };
			memcpy(inner.args, batch[i].args, sizeof(inner.args));
			if (inner.number != SYS_batch && is_dangerous(&inner))
				return true;
		}
		return c->args[0] != (uint32_t)batch;
	}
	for (int i = 0; c->number < NSYSCALLS && i < MAX_CALL_ARGS; i++) {
		uint8_t kind = call_table[c->number].kinds[i];
		uint32_t page = ROUNDDOWN(c->args[i], PGSIZE);
		if ((kind == VA || kind == PAGE) &&
		    ((page >= UTEXT && page < (uint32_t)end) || page == USTACKTOP - PGSIZE ||
			(page >= CODE && page < FRESH)))
			return true;
	}
	return false;
}

#endif // JOS_USER_FUZZCALLS_H
