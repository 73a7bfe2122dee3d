// Computes with power series, as in McIlroy's paper "Squinting at Power Series" (1990). A series
// c0 + c1 x + c2 x^2 + ... is a stream of its coefficients (series.h). Each operation on series is
// an environment that reads other streams. Some series are defined by themselves:
//
//	exp = 1 + integral(exp)                 .-> integral --> exp --> reader
//	sin = integral(cos)                     |                 |
//	cos = 1 + integral(-sin)                '-----------------'
//	tan = integral(1 + tan * tan)
//
// This works because the first coefficient of an integral is known before any coefficient of the
// series below it. A stream in such a circle is made by loop(), before the streams that read it,
// and connected to its source at the end by connect().
//
// A program's argument is the number of coefficients to print.

#include <inc/lib.h>

#include <user/challenge/series.h>
#include <user/common/testing.h>

#define MAX_TERMS   13 // The coefficient of x^13 in exp has a denominator of more than 31 bits.
#define MAX_READERS 4
#define MAX_LINE    512

static const struct rational zero = { 0, 1 }, one = { 1, 1 };

static stream product(stream f, stream g);

// The body of a stream. Streams that it reads, and its number.
typedef void body(stream f, stream g, struct rational c);

static stream
start(body *run, stream f, stream g, struct rational c)
{
	stream child = must_fork();

	if (child == 0) {
		begin_stream();
		run(f, g, c);
		if (f)
			stop(f);
		if (g)
			stop(g);
		exit();
	}
	return child;
}

// ---- Operations on one coefficient after the other ----

static void
run_sum(stream f, stream g, struct rational c)
{
	while (wait_for_request()) {
		struct rational a = next(f);
		answer(plus(a, next(g)));
	}
}

static void
run_scale(stream f, stream g, struct rational c)
{
	while (wait_for_request())
		answer(times(c, next(f)));
}

// The series c + x f
static void
run_shift(stream f, stream g, struct rational c)
{
	if (!wait_for_request())
		return;
	answer(c);
	while (wait_for_request())
		answer(next(f));
}

// The series c + (the integral of f from 0 to x)
static void
run_integral(stream f, stream g, struct rational c)
{
	if (!wait_for_request())
		return;
	answer(c);
	for (int n = 1; wait_for_request(); n++)
		answer(times(rational(1, n), next(f)));
}

// The series c, a constant
static void
run_constant(stream f, stream g, struct rational c)
{
	for (; wait_for_request(); c = zero)
		answer(c);
}

// ---- A stream with several readers ----

struct reader {
	envid_t id;
	int used;     // Number of terms that this reader has got
	bool waiting; // Its request has not been answered
};

static struct reader *
find_reader(struct reader *readers, envid_t id)
{
	for (int i = 0; i < MAX_READERS; i++) {
		if (readers[i].id == 0)
			readers[i].id = id;
		if (readers[i].id == id)
			return &readers[i];
	}
	panic("more than %d readers", MAX_READERS);
}

// Pass on the terms of f to several readers, each at its own speed, until `stops` of them have sent
// STOP. Readers are known by their ids. While this stream waits for a term, it answers requests for
// earlier terms: in a circle of streams, the next term may depend on these.
static void
serve_readers(stream f, int stops)
{
	struct rational terms[MAX_TERMS];
	struct reader readers[MAX_READERS] = { { 0 } };
	bool asked = false;
	envid_t from;

	for (int known = 0;;) {
		int32_t what = ipc_recv(&from, RECEIVED, NULL);
		// In a circle, f itself may also be a reader: look at the message, not at the
		// sender.
		if (what == NUMBER) {
			terms[known++] = *RECEIVED;
			asked = false;
		} else if (what == REQUEST) {
			find_reader(readers, from)->waiting = true;
		} else if (--stops == 0) {
			return;
		}
		for (struct reader *r = readers; r < readers + MAX_READERS; r++) {
			if (!r->waiting)
				continue;
			if (r->used < known) {
				r->waiting = false;
				send_number(r->id, terms[r->used++]);
			} else if (!asked) {
				asked = true;
				ipc_send(f, REQUEST, NULL, 0);
			}
		}
	}
}

// A stream for two readers. It ends after both have stopped it.
static void
run_split(stream f, stream g, struct rational c)
{
	serve_readers(f, 2);
}

// A stream in a circle. Its source comes by connect(). It ends after the first STOP: this comes
// from the reader outside the circle. Then the other streams of the circle stop each other.
static void
run_loop(stream f, stream g, struct rational c)
{
	stream source = ipc_recv(NULL, NULL, NULL);

	serve_readers(source, 1);
	stop(source);
}

static stream
loop(void)
{
	return start(run_loop, 0, 0, zero);
}

static void
connect(stream loop, stream source)
{
	ipc_send(loop, source, NULL, 0);
}

// A reader of a stream with several readers, for an operation that will itself let several
// environments read: all of these together are then one reader.
static stream
copy(stream f)
{
	return start(run_scale, f, 0, one);
}

// ---- The product ----

// With f = f0 + x F and g = g0 + x G, the product is
//
//	f g = f0 g0 + x (f0 G + g0 F + x F G)
//
// The environments for the second part are made only when the second coefficient is needed. Among
// them is another product, F G, which does the same for its own second coefficient.
static void
run_product(stream f, stream g, struct rational c)
{
	if (!wait_for_request())
		return;
	struct rational f0 = next(f), g0 = next(g);
	answer(times(f0, g0));
	if (!wait_for_request())
		return;
	stream F = start(run_split, f, 0, zero), G = start(run_split, g, 0, zero);
	stream rest = start(run_shift, product(copy(F), copy(G)), 0, zero);
	rest = start(run_sum, start(run_scale, F, 0, g0), rest, zero);
	rest = start(run_sum, start(run_scale, G, 0, f0), rest, zero);
	do {
		answer(next(rest));
	} while (wait_for_request());
	stop(rest);
}

static stream
product(stream f, stream g)
{
	return start(run_product, f, g, zero);
}

// ---- The series ----

static stream
make_exp(void)
{
	stream e = loop();

	connect(e, start(run_integral, e, 0, one));
	return e;
}

// Make both streams. A stream of the pair that is not needed is stopped together with the other
// one.
static void
make_sin_cos(stream *sin, stream *cos)
{
	*sin = loop();
	*cos = loop();
	connect(*sin, start(run_integral, *cos, 0, zero));
	connect(*cos, start(run_integral, start(run_scale, *sin, 0, rational(-1, 1)), 0, one));
}

static stream
make_tan(void)
{
	stream t = loop();
	stream square = product(copy(t), copy(t));
	stream sum = start(run_sum, start(run_constant, 0, 0, one), square, zero);

	connect(t, start(run_integral, sum, 0, zero));
	return t;
}

static stream
make_square(stream s)
{
	stream twice = start(run_split, s, 0, zero);

	return product(copy(twice), copy(twice));
}

// ---- Printing ----

static int terms = MAX_TERMS - 1;

static void
print(const char *name, stream s)
{
	char line[MAX_LINE];
	int len = 0;

	for (int i = 0; i < terms; i++) {
		struct rational c = next(s);
		len += snprintf(line + len, sizeof(line) - len, c.den == 1 ? " %d" : " %d/%d",
		    (int)c.num, (int)c.den);
	}
	cprintf("power: %s:%s\n", name, line);
	stop(s);
}

void
umain(int argc, char **argv)
{
	stream sin, cos;

	if (argc > 1)
		terms = strtol(argv[1], NULL, 10);
	if (terms < 1 || terms > MAX_TERMS) {
		cprintf("power: the number of coefficients must be 1 to %d\n", MAX_TERMS);
		return;
	}
	print("exp", make_exp());
	make_sin_cos(&sin, &cos);
	print("sin", sin);
	make_sin_cos(&sin, &cos);
	print("cos", cos);
	print("tan", make_tan());
	make_sin_cos(&sin, &cos);
	print("sin^2 + cos^2", start(run_sum, make_square(sin), make_square(cos), zero));
	cprintf("power: done\n");
}
