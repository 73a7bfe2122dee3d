// Memory as x86 CPUs see it (x86-TSO). Each CPU has a store buffer. A write goes into the CPU's own
// buffer, and some time later from there to memory. The order of the writes stays the same. A read
// returns the newest value for its address in the CPU's own buffer; if there is none, the value in
// memory. An instruction with a lock prefix, or xchg, waits until its CPU's buffer is empty, and
// changes memory at once. Before a model includes this file, it defines:
//
//	N          number of CPUs; in a CPU's process, `me` is its number
//	WORDS      number of words of memory
//	DEPTH      number of writes that a buffer can hold: 1, 2, or 0 for no buffers

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

// One process for each CPU: at any time, it may move the buffer's oldest write to memory.
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

// cmpxchg: if the word is `from`, change it to `to`. `hit` tells whether the word was `from`.
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

// Clear bits. `hit` tells whether any of the bits was set.
inline FETCH_CLEAR(a, bits, hit)
{
	d_step { DRAINED -> hit = (mem[a] & (bits)) != 0; mem[a] = mem[a] & ~(bits) }
}
