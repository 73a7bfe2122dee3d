// sys_ipc_send, which waits until the receiver takes the message, and sys_ipc_call, which then waits
// for an answer.
//
// A waiting sender is in the receiver's queue, env_ipc_senders, with its arguments in its struct
// Env. The receiver serves the queue from the front. A page is looked up when it is delivered: the
// sender's parent may have unmapped it during the wait, and then the sender gets an error.

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/challenge/challenge.h>
#include <kern/env.h>
#include <kern/ipc.h>
#include <kern/trapcases.h>
#include <kern/wait.h>

// One call of a receiver refuses at most this many messages, so that it does not hold the big lock
// for long.
#define REFUSED_MOST 64

// ---- Sending ----

// Send a message, or wait in the receiver's queue. Returns 0 or an error. *to is then the receiver,
// whose wait the caller must end; or NULL if `from` waits. `call`: after a wait, from receives.
static inline int
send_or_wait(struct Env *from, envid_t to_id, uint32_t value, void *srcva, int perm, bool call,
    struct Env **to)
{
	if (!(*to = ipc_receiver(from, to_id)))
		return -E_BAD_ENV;
	if ((*to)->env_ipc_recving)
		return ipc_deliver(from, *to, value, srcva, perm);
	// Refuse before the wait what cannot be sent after it. And an environment that waits for
	// itself would never run again.
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

// If the caller has to wait for a message, the receiver of its own message runs at once in its
// place, for the rest of the caller's turn: no environment must be chosen and no CPU woken. This
// keeps the scheduler's rule (sched.c), because the turn ends when it would have ended anyway: if a
// tick has come meanwhile, the receiver waits for a turn of its own.
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

// Make an environment, whose registers are in tf, repeat its call as sys_ipc_recv(dstva). Returns
// what must be in its eax for that.
static int
receive_next(struct Trapframe *tf, void *dstva)
{
	tf->tf_regs.reg_edx = (uint32_t)dstva;
	trap_rewind(tf);
	return SYS_ipc_recv;
}

// The message of the waiting sender `from` was delivered. If from is in sys_ipc_call, it now
// receives. If senders wait for from in turn, it does so by a call of its own: each of them may be
// in sys_ipc_call, too, and have senders that wait, and so on.
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

// Deliver the first message of the queue that can be delivered to curenv. The senders before it get
// an error. If that takes long, curenv repeats its call, and can be interrupted before that.
int
ipc_receive_waiting(struct Env *to, void *dstva)
{
	struct Env *from;

	for (int tried = 0; (from = to->env_ipc_senders.head); tried++) {
		if (tried == REFUSED_MOST)
			return receive_next(env_frame(to), dstva);
		int r = ipc_deliver(from, to, from->env_ipc_send_value, from->env_ipc_send_srcva,
		    from->env_ipc_send_perm);
		if (r == -E_NO_MEM && envs_dying) {
			// Memory will be free soon: try again in the next turn.
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
