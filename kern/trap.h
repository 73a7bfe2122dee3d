#ifndef JOS_KERN_TRAP_H
#define JOS_KERN_TRAP_H

#include <inc/trap.h>

// The distance of one vector's code from the next one's in trapentry.S.
#define STUB_SIZE 16

#ifndef __ASSEMBLER__

#include <inc/mmu.h>

#include <kern/cpu.h>

// Where the vectors lead to, on each CPU.
extern struct Gatedesc idt[NCPU][256];

// Interrupts that nobody had asked for. They do no harm, but should be few.
extern uint32_t spurious_interrupts;

// Make the tables of vectors. The boot CPU calls it once, before trap_init_percpu.
void trap_init(void);

// Load this CPU's own one, and its own TSS: from here on the CPU knows its number, cpu, and
// any fault is caught. The first thing that a CPU does in C, after env_init_percpu.
void trap_init_percpu(int cpu);

// The one way in: called by trapentry.S with what is on the stack.
void trap(struct Trapframe *tf);

// End the current environment, and say where it was.
void fatal_user_trap(struct Trapframe *tf);

// Make a trap not have happened, for an environment that may not run now, or whose call shall
// be made again: when it runs, the trap comes again.
void undo_trap(struct Trapframe *tf);

void page_fault_handler(struct Trapframe *tf);
void print_trapframe(struct Trapframe *tf);
const char *trapname(uint32_t trapno);

#endif // !__ASSEMBLER__

#endif // JOS_KERN_TRAP_H
