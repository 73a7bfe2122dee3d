// Memory as the CPUs of a PC see it (x86-TSO): what a CPU writes goes into a buffer of its
// own, which it reads first, and from there to memory in the same order, some time later. An
// instruction with a lock prefix, xchg among them, waits until its CPU's buffer is empty, and
// acts on memory at once. A model says before it includes this:
//
//	N          the number of CPUs; in a CPU's process, `me` is its number
//	WORDS      the number of words of memory
//	DEPTH      how many writes a buffer holds: 1, 2, or 0 for memory that is the same for all

byte mem[WORDS];

#if DEPTH == 0

#define READ(a) mem[a]
#define DRAINED true
#define WRITE(a, v) mem[a] = v

#else

typedef Buffer {
	byte n;
	byte addr[DEPTH];
	byte value[DEPTH]
};
Buffer buffer[N];

#if DEPTH == 1
#define READ(a) ((buffer[me].n && buffer[me].addr[0] == (a)) -> buffer[me].value[0] : mem[a])
#else
#define READ(a) ((buffer[me].n == 2 && buffer[me].addr[1] == (a)) -> buffer[me].value[1] : \
	((buffer[me].n && buffer[me].addr[0] == (a)) -> buffer[me].value[0] : mem[a]))
#endif
#define DRAINED (buffer[me].n == 0)

inline WRITE(a, v)
{
	d_step {
		buffer[me].n < DEPTH ->
		buffer[me].addr[buffer[me].n] = a;
		buffer[me].value[buffer[me].n] = v;
		buffer[me].n++
	}
}

// One for each CPU: its oldest write reaches memory.
proctype store_buffer(byte cpu)
{
end:	do
	:: d_step {
		buffer[cpu].n > 0 ->
		mem[buffer[cpu].addr[0]] = buffer[cpu].value[0];
#if DEPTH == 2
		buffer[cpu].addr[0] = buffer[cpu].addr[1];
		buffer[cpu].value[0] = buffer[cpu].value[1];
#endif
		buffer[cpu].addr[DEPTH - 1] = 0;
		buffer[cpu].value[DEPTH - 1] = 0;
		buffer[cpu].n--
	   }
	od
}

#endif

inline XCHG(a, v, old)
{
	d_step { DRAINED -> old = mem[a]; mem[a] = v }
}

// cmpxchg. `hit` says whether it was `from`, and is `to` now.
inline CHANGE(a, from, to, hit)
{
	d_step {
		DRAINED ->
		hit = mem[a] == (from);
		mem[a] = (hit -> (to) : mem[a])
	}
}

inline FETCH_OR(a, bits)
{
	d_step { DRAINED -> mem[a] = mem[a] | (bits) }
}

// `hit` says whether any of the bits was set.
inline FETCH_CLEAR(a, bits, hit)
{
	d_step { DRAINED -> hit = (mem[a] & (bits)) != 0; mem[a] = mem[a] & ~(bits) }
}
