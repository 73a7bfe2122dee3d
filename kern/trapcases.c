// Rare cases in the handling of traps. trapcases.h describes the functions.

#include <inc/types.h>

#include <kern/env.h>
#include <kern/trapcases.h>

// After a fault, eip points to the instruction, so the fault repeats without a change. After an
// instruction that traps on purpose, eip points behind this instruction: int $T_SYSCALL and
// sysenter have two bytes, and int3 and into have one byte. (The kernel does not recognize a
// breakpoint that is coded in two bytes, CD 03. A program that uses such a breakpoint harms only
// itself.)
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

// After sysenter, ds and es hold the program's values until challenge/sysentry.S has loaded them.
// If the program was in virtual-8086 mode, these values may not be selectors. If an NMI arrives in
// between, the return from the NMI loads the values again and could fault. So set bad values to 0.
void
trap_fix_segments(struct Trapframe *tf)
{
	tf->tf_ds = loadable(tf->tf_ds);
	tf->tf_es = loadable(tf->tf_es);
}

// In `sti; hlt`, the CPU accepts an interrupt only after hlt has begun. But if an NMI arrives
// before the hlt, the CPU already accepts a pending interrupt when the NMI returns. The CPU would
// then halt although its wake-up has arrived. So skip the hlt. The code after the hlt checks again
// whether the CPU must wait.
void
trap_skip_halt(struct Trapframe *tf)
{
	const uint8_t hlt = 0xF4;

	if (*(const uint8_t *)tf->tf_eip == hlt)
		tf->tf_eip++;
}
