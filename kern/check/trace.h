#ifndef JOS_KERN_CHECK_TRACE_H
#define JOS_KERN_CHECK_TRACE_H

// The trace: a record of each event that a probe reports (trace.c, traceprint.c).

#include <inc/mmu.h>

#include <kern/cpu.h>

// One event. tools/see/records.py reads these structures in the emulator's memory.
struct TraceRecord {
	uint64_t time;   // Time stamp counter
	uint32_t number; // How many records the ring has had before this one, modulo 2^32
	uint32_t kind;   // enum ProbeKind
	uint32_t env;    // The environment on the CPU, or 0. PROBE_MESSAGE: the sender
	// PROBE_ENTER: the vector, plus the number of the call << 8 for a system call.
	// PROBE_INTERRUPT: the vector. PROBE_BLOCK: enum TraceBlock. Otherwise the probe's argument
	uint32_t argument;
	uint32_t place;  // Address of the code. PROBE_ENTER and PROBE_INTERRUPT: eip in the frame
	uint32_t unused; // Makes the size a power of two
};

enum TraceBlock { BLOCK_RECEIVE, BLOCK_SEND, BLOCK_KEY };

#define TRACE_PAGES 64 // Pages of a CPU's ring, unless the command line has trace=PAGES
#define TRACE_PAGE  (PGSIZE / sizeof(struct TraceRecord)) // Records in a page

// The records of one CPU. Only this CPU writes them. Record i is at place i % TRACE_PAGE of page
// i / TRACE_PAGE % trace.ring_pages. It is there after `next` has become i + 1, until `next`
// becomes i + TRACE_PAGE * trace.ring_pages: then the CPU starts to overwrite the record.
struct TraceRing {
	struct TraceRecord **pages;
	volatile uint32_t next; // Number of the next record
};

extern struct Trace {
	uint32_t ring_pages;       // Pages in each ring, a power of two. 0: there are no rings yet
	uint32_t cpus;             // Number of rings
	uint64_t ticks_per_second; // Of the time stamp counter. 0: not known
	struct TraceRing rings[NCPU];
} trace;

// The command-line option trace, or trace=PAGES: start the trace, with this number of pages for
// each CPU. `value` is the text behind "trace". Returns false if it is not valid.
bool trace_set(const char *value);

// Start or stop the trace. The records stay. The first start allocates `pages` pages for each CPU,
// and prints an error if there is too little memory. The caller holds the big lock.
void trace_on(uint32_t pages);
void trace_off(void);

// For a panic: print the last records of this CPU, if there are any.
void trace_print_panic(void);

#endif // JOS_KERN_CHECK_TRACE_H
