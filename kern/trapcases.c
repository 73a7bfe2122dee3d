// Special cases of traps: see trapcases.h.

#include <inc/types.h>

#include <kern/env.h>
#include <kern/trapcases.h>

// A fault repeats by itself, because eip is still at the instruction. After the instructions that
// trap on purpose eip is behind them: int $T_SYSCALL and sysenter have two bytes; int3 and into
// have one. (A breakpoint written as CD 03 has two bytes too, and the kernel cannot tell. Only the
// program that uses it is harmed.)
void
trap_rewind(struct Trapframe *tf)
{
	if (tf->tf_trapno == T_SYSCALL)
		tf->tf_eip -= 2;
	else if (tf->tf_trapno == T_BRKPT || tf->tf_trapno == T_OFLOW)
		tf->tf_eip -= 1;
}

static uint16_t
loadable(uint16_t selector)
{
	return selector == GD_KD || is_user_selector(selector) ? selector : 0;
}

// Between sysenter and the instructions of challenge/sysentry.S that load ds and es, both are the
// program's. After virtual-8086 mode they may hold no selectors. An NMI can come there, and its
// return would fault when it loads them again: make these null.
void
trap_fix_segments(struct Trapframe *tf)
{
	tf->tf_ds = loadable(tf->tf_ds);
	tf->tf_es = loadable(tf->tf_es);
}

// `sti; hlt` lets an interrupt in only after hlt has begun. But if an NMI comes between the two,
// its return lets the waiting interrupt in before the hlt, which then sleeps although its wake-up
// has come. So skip the hlt: its callers check again what they wait for.
void
trap_skip_halt(struct Trapframe *tf)
{
	const uint8_t hlt = 0xF4;

	if (*(const uint8_t *)tf->tf_eip == hlt)
		tf->tf_eip++;
}
