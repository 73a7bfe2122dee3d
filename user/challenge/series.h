#ifndef JOS_USER_CHALLENGE_SERIES_H
#define JOS_USER_CHALLENGE_SERIES_H

// Streams of rational numbers. A stream is an environment that computes one number after the other,
// and only when another environment (its reader) asks for it:
//
//	reader                       stream
//	next(s)    -- REQUEST -->    wait_for_request() returns true
//	           <-- page -----    answer(number)
//	stop(s)    -- STOP ----->    wait_for_request() returns false: the stream stops the
//	                             streams that it reads itself, and exits
//
// A number is in a page that the stream sends. The reader must copy the number before it asks
// again.

#include <inc/lib.h>

#include <user/common/testing.h>

typedef envid_t stream;

// Messages. (connect in user/challenge/power.c also sends the id of a stream, which is larger.)
enum { NUMBER, REQUEST, STOP };

// A rational number in lowest terms; den > 0. Both are less than 2^31 in absolute value, so that
// the product of two such numbers fits in 64 bits.
struct rational {
	int64_t num, den;
};

#define ANSWER   ((struct rational *)0x20000000) // The page that a stream sends
#define RECEIVED ((struct rational *)0x20001000) // The page that a reader receives

static envid_t reader; // The environment that has sent the last request

// ---- Rational numbers ----

static inline struct rational
rational(int64_t num, int64_t den)
{
	int64_t a = num < 0 ? -num : num, b = den;

	while (b != 0) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	num /= a;
	den /= a;
	if (num != (int32_t)num || den != (int32_t)den)
		panic("a number is too large");
	return (struct rational){ num, den };
}

static inline struct rational
plus(struct rational a, struct rational b)
{
	return rational(a.num * b.den + b.num * a.den, a.den * b.den);
}

static inline struct rational
times(struct rational a, struct rational b)
{
	return rational(a.num * b.num, a.den * b.den);
}

// ---- Streams ----

// A stream calls this before its first request.
static inline void
begin_stream(void)
{
	must(sys_page_alloc(0, ANSWER, PERM_WRITE), "sys_page_alloc");
}

static inline bool
wait_for_request(void)
{
	return ipc_recv(&reader, NULL, NULL) == REQUEST;
}

// Send a number to an environment that waits for it. If that environment has ended, do nothing.
static inline void
send_number(envid_t to, struct rational number)
{
	*ANSWER = number;
	ipc_send_checked(to, NUMBER, ANSWER, PERM_READ);
}

static inline void
answer(struct rational number)
{
	send_number(reader, number);
}

// Ask a stream for its next number.
static inline struct rational
next(stream s)
{
	must(ipc_call(s, REQUEST, NULL, 0, NULL, RECEIVED, NULL), "next");
	return *RECEIVED;
}

// Tell a stream that this environment does not need it any more. The stream may have ended already.
static inline void
stop(stream s)
{
	ipc_send_checked(s, STOP, NULL, 0);
}

#endif // JOS_USER_CHALLENGE_SERIES_H
