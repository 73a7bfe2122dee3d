// sys_ipc_send sends a message and waits until the receiver has received it. sys_ipc_call does the
// same and then waits for an answer.
//
// A waiting sender is in the receiver's queue, env_ipc_senders. The arguments of the sender's call
// are in the sender's struct Env. The receiver receives messages from the front of the queue. The
// page of a message is looked up only at delivery. If the sender's parent has unmapped the page
// during the wait, the sender gets an error.

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/challenge/challenge.h>
#include <kern/env.h>
#include <kern/ipc.h>
#include <kern/trapcases.h>
#include <kern/wait.h>

// Maximum number of undeliverable messages that a receiver tries to receive in one call. The number
// is limited because the kernel holds the big lock during the call.
#define REFUSED_MAX 64

// ---- Sending ----

// If the receiver is waiting for a message, deliver the sender's. Otherwise put `from` into the
// receiver's queue. Returns 0 or an error. On success, *to is NULL if `from` is in the queue. If
// the message was delivered, *to is the receiver; the caller of this function must then end the
// receiver's wait. If `call` is true, `from` is in sys_ipc_call, and must receive a message after
// its wait.
static inline int
send_or_wait(struct Env *from, envid_t to_id, uint32_t value, void *srcva, int perm, bool call,
    struct Env **to)
{
	if (!(*to = ipc_receiver(from, to_id)))
		return -E_BAD_ENV;
	if ((*to)->env_ipc_recving)
		return ipc_deliver(from, *to, value, srcva, perm);
	// Check for errors before the wait. (An environment that waits for itself would never run
	// again.)
	if (*to == from || ((uintptr_t)srcva < UTOP && !ipc_page_to_send(from, srcva, perm)))
		return -E_INVAL;
	from->env_ipc_send_value = value;
	from->env_ipc_send_srcva = srcva;
	from->env_ipc_send_perm = perm;
	from->env_ipc_send_call = call;
	wait_in(&(*to)->env_ipc_senders);
	*to = NULL;
	return 0;
}

HOT int
sys_ipc_send(envid_t to_id, uint32_t value, void *srcva, int perm)
{
	struct Env *to;
	int r = send_or_wait(curenv, to_id, value, srcva, perm, false, &to);

	if (r == 0 && to)
		wait_end(to, 0);
	return r;
}

// If the caller must wait for the answer, the receiver runs at once, for the rest of the caller's
// turn. So the kernel does not have to choose an environment or wake a CPU. The turn does not
// become longer, so the scheduler's rule (sched.c) still holds. If a timer tick has arrived during
// the call, the turn may be over: then the receiver becomes runnable and waits for its own turn.
int
sys_ipc_call(envid_t to_id, uint32_t value, void *srcva, int perm, void *dstva)
{
	struct Env *to, *from = curenv;
	int r;

	if (!ipc_dstva_ok(dstva))
		return -E_INVAL;
	if ((r = send_or_wait(from, to_id, value, srcva, perm, true, &to)) < 0)
		return r;
	if (!to) {
		from->env_ipc_dstva = dstva;
		return 0;
	}
	r = ipc_receive(from, dstva);
	if (from->env_ipc_recving && !to->env_stopped && !thiscpu->cpu_ticked) {
		to->env_tf.tf_regs.reg_eax = 0;
		env_run(to);
	}
	wait_end(to, 0);
	return r;
}

// ---- Receiving from the queue ----

// Change the registers in tf so that the environment executes its system call instruction again,
// but now calls sys_ipc_recv(dstva). Returns the call's number, which the caller must store in the
// environment's eax.
static int
receive_next(struct Trapframe *tf, void *dstva)
{
	tf->tf_regs.reg_edx = (uint32_t)dstva;
	trap_rewind(tf);
	return SYS_ipc_recv;
}

// End the wait of the sender `from`, because its message was delivered. In sys_ipc_call, the sender
// next waits for an answer. But if messages for this sender are already waiting, it calls
// sys_ipc_recv when it runs again. This function does not deliver those messages itself: each such
// delivery could lead to another one in the same way, and one call could take a very long time.
static void
end_send(struct Env *from)
{
	if (!from->env_ipc_send_call) {
		wait_end(from, 0);
	} else if (ipc_senders_wait(from)) {
		wait_end(from, receive_next(&from->env_tf, from->env_ipc_dstva));
	} else {
		wait_leave(from);
		from->env_ipc_recving = true;
	}
}

// Deliver a message from the queue of `to`, which is curenv. Try the senders in the queue, from the
// front, until a message can be delivered. If the message of a sender cannot be delivered, this
// sender gets an error. After REFUSED_MAX such errors, curenv repeats its system call, so that
// interrupts are handled and other CPUs can take the big lock. If no message can be delivered,
// curenv waits.
int
ipc_receive_waiting(struct Env *to, void *dstva)
{
	struct Env *from;

	for (int tried = 0; (from = to->env_ipc_senders.head); tried++) {
		if (tried == REFUSED_MAX)
			return receive_next(env_frame(to), dstva);
		int r = ipc_deliver(from, to, from->env_ipc_send_value, from->env_ipc_send_srcva,
		    from->env_ipc_send_perm);
		if (r == -E_NO_MEM && envs_dying) {
			// Dying environments will soon free memory: repeat the call in the next
			// turn.
			env_set_status(to, ENV_RUNNABLE);
			return receive_next(env_frame(to), dstva);
		}
		if (r == 0) {
			end_send(from);
			return 0;
		}
		wait_end(from, r);
	}
	ipc_wait_for_message(to);
	return 0;
}
