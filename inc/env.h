#ifndef JOS_INC_ENV_H
#define JOS_INC_ENV_H

#include <inc/types.h>
#include <inc/trap.h>
#include <inc/memlayout.h>

// An environment's id. The low bits are the environment's slot in envs[]; the other bits are
// different each time the slot is used: "high" counts from 1, and when it has reached its
// largest value, "low" counts up and high begins at 1 again.
//
//	 31 30               12 11   10 9              0
//	+--+-------------------+-------+----------------+
//	| 0|       high        |  low  | ENVX: the slot |
//	+--+-------------------+-------+----------------+
//
// So an id comes back after its slot was used 2,097,148 times. A negative id is an error
// code, and 0 means "the caller".
typedef int32_t envid_t;

#define LOG2NENV    10
#define NENV        (1 << LOG2NENV)
#define ENVX(envid) ((envid) & (NENV - 1))

enum {
	ENV_FREE = 0,
	ENV_DYING,       // Ended, but it is still on a CPU, or not all of its memory is free yet
	ENV_RUNNABLE,    // Waiting for a CPU
	ENV_RUNNING,     // On a CPU
	ENV_NOT_RUNNABLE // Waiting for something else
};

enum EnvType {
	ENV_TYPE_USER = 0,
};

// Environments that wait for the same thing, in the order in which they came, linked
// by env_link and, backwards, by env_prev.
struct EnvQueue {
	struct Env *head, *tail;
};

struct Env {
	struct Trapframe env_tf;   // Its registers, while it is not on a CPU
	struct Env *env_link;      // The next one that is free, or that waits in env_queue
	struct Env *env_prev;      // The one before it in env_queue
	envid_t env_id;
	envid_t env_parent_id;     // 0: the kernel made it, or its parent has ended
	enum EnvType env_type;
	unsigned env_status;       // Written by kern/env.c alone
	uint32_t env_runs;         // How often it was put on a CPU
	uint32_t env_wait;         // Turns that others began while it last waited for its own
	int32_t env_credit;        // Added to its next turn, in ticks of the time stamp counter
	int env_cpunum;            // The CPU it is on, or was on last
	bool env_oncpu;            // A CPU has it, though its status may say otherwise by now
	bool env_stopped;          // Not to run until it is started, whatever it waits for
	bool env_has_children;     // It made some; they may be gone by now
	bool env_orphan;           // Its parent has ended
	const struct Program *env_program; // What it was made from, in the kernel's memory

	pde_t *env_pgdir;          // Its page directory, at the kernel's address

	// Where page faults are to be handled, and other exceptions, by their vectors.
	void *env_pgfault_upcall;
	void *env_upcalls[T_SIMDERR + 1];

	// fs and gs, while it is not on a CPU. (The Trapframe has no place for them.)
	uint16_t env_fs, env_gs;

	void *env_fpu;             // Its floating-point state, in the kernel's memory, if any

	struct EnvQueue *env_queue; // Where it waits, with others, or NULL

	// What sys_ipc_recv waits with and is answered by.
	bool env_ipc_recving;
	void *env_ipc_dstva;
	uint32_t env_ipc_value;
	envid_t env_ipc_from;
	int env_ipc_perm;

	// Who waits in sys_ipc_send for this one to receive; what this one sends there.
	struct EnvQueue env_ipc_senders;
	uint32_t env_ipc_send_value;
	void *env_ipc_send_srcva;
	int env_ipc_send_perm;
	bool env_ipc_send_call;    // Afterwards it receives
};

#endif // JOS_INC_ENV_H
