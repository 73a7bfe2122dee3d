#ifndef JOS_INC_ENV_H
#define JOS_INC_ENV_H

#include <inc/types.h>
#include <inc/trap.h>
#include <inc/memlayout.h>

// An environment's id. The low bits are the environment's slot in envs[]. The other bits are
// different each time the slot is used: "high" counts up from 1; after the largest value of "high",
// "low" is incremented, and "high" starts at 1 again. The format of an id is:
//
//	 31 30               12 11   10 9              0
//	+--+-------------------+-------+----------------+
//	| 0|       high        |  low  | ENVX: the slot |
//	+--+-------------------+-------+----------------+
//
// So an id is used again only after its slot was used 2,097,148 times. An id is never negative and
// never 0: a negative value means an error, and 0 means "the caller".
typedef int32_t envid_t;

#define LOG2NENV    10
#define NENV        (1 << LOG2NENV)
#define ENVX(envid) ((envid) & (NENV - 1))

enum {
	ENV_FREE = 0,
	ENV_DYING,       // Destroyed, but still on a CPU, or its memory is not yet free
	ENV_RUNNABLE,    // Waiting for a CPU
	ENV_RUNNING,     // On a CPU
	ENV_NOT_RUNNABLE // Stopped, or waiting in a system call
};

enum EnvType {
	ENV_TYPE_USER = 0,
};

// A first-in, first-out queue of environments that wait for the same event. env_link points to the
// next environment in the queue, and env_prev points to the previous environment: kern/wait.c.
struct EnvQueue {
	struct Env *head, *tail;
};

// The big kernel lock protects all members. Programs can read them at UENVS, without a lock.
struct Env {
	// The registers. Valid only while env_oncpu is false: while the environment is on a CPU,
	// its registers are in the CPU and on the CPU's kernel stack. fs and gs are separate
	// because struct Trapframe has no place for them.
	struct Trapframe env_tf;
	uint16_t env_fs, env_gs;
	void *env_fpu; // Floating-point registers, in kernel memory, or NULL: kern/challenge/fpu.c

	// Constant from env_alloc until the environment is destroyed, with one exception:
	// env_parent_id becomes 0 when the parent is destroyed. env_parent_id is also 0 if the
	// kernel created the environment.
	envid_t env_id;
	envid_t env_parent_id;
	enum EnvType env_type;
	pde_t *env_pgdir;                  // The page directory's kernel virtual address
	const struct Program *env_program; // The loaded program (the struct is in kernel memory)

	// Status: kern/env.c. Only env_set_status in kern/env.h writes env_status.
	unsigned env_status;
	bool env_oncpu;        // On CPU env_cpunum, whatever env_status says
	bool env_stopped;      // Must not run until sys_env_set_status starts it
	bool env_has_children; // Has created children (they may no longer exist)
	bool env_orphan;       // Its parent has been destroyed
	int env_cpunum;        // The CPU on which it runs, or ran last

	// Scheduling: kern/sched.c.
	uint32_t env_runs;  // Number of times it was put on a CPU
	uint32_t env_wait;  // Number of turns of other environments during its last wait for a CPU
	int32_t env_credit; // Time added to its next turn, in ticks of the time stamp counter

	// Upcalls: the addresses at which the kernel starts the environment after a page fault, and
	// after the exception of each vector. If an upcall is NULL, the kernel instead destroys the
	// environment at this exception.
	void *env_pgfault_upcall;
	void *env_upcalls[T_SIMDERR + 1];

	// Queues: kern/wait.c.
	struct EnvQueue *env_queue; // The queue in which it waits, or NULL
	struct Env *env_link;       // The next in env_queue, or on the list of free environments
	struct Env *env_prev;       // The previous in env_queue

	// Receiving: the arguments of sys_ipc_recv, and the message.
	bool env_ipc_recving;
	void *env_ipc_dstva;
	uint32_t env_ipc_value;
	envid_t env_ipc_from;
	int env_ipc_perm;

	// Sending: the arguments of sys_ipc_send, while the environment waits in this call.
	uint32_t env_ipc_send_value;
	void *env_ipc_send_srcva;
	int env_ipc_send_perm;
	bool env_ipc_send_call; // The call is sys_ipc_call: it must receive after sending

	// The environments that wait in sys_ipc_send until this environment receives.
	struct EnvQueue env_ipc_senders;
};

#endif // JOS_INC_ENV_H
