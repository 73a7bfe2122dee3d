// Special cases of traps, described in trapcases.h.

#include <inc/types.h>

#include <kern/env.h>
#include <kern/trapcases.h>

// A fault repeats by itself, because eip is still at the instruction. If an instruction traps on
// purpose, eip is already behind the instruction: int $T_SYSCALL and sysenter have two bytes; int3
// and into have one. (A breakpoint written as CD 03 also has two bytes, and the kernel cannot tell.
// Only the program that uses such a breakpoint is harmed.)
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

// Between sysenter and the instructions of challenge/sysentry.S that load ds and es, these
// registers hold the program's values, which may not be selectors after virtual-8086 mode. If an
// NMI arrives there, its return loads the values again, which could fault: make bad values 0.
void
trap_fix_segments(struct Trapframe *tf)
{
	tf->tf_ds = loadable(tf->tf_ds);
	tf->tf_es = loadable(tf->tf_es);
}

// In `sti; hlt`, an interrupt is let in only after hlt has begun. But if an NMI arrives between the
// two instructions, the NMI's return lets the waiting interrupt in before the hlt, and the CPU
// would then halt although its wake-up has arrived. So skip the hlt: the code after the hlt checks
// again whether it must wait.
void
trap_skip_halt(struct Trapframe *tf)
{
	const uint8_t hlt = 0xF4;

	if (*(const uint8_t *)tf->tf_eip == hlt)
		tf->tf_eip++;
}
