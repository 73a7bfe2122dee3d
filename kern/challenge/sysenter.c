// Set up the two faster entry points for system calls, which are in sysentry.S. int $T_SYSCALL
// enters the kernel at syscall_int, not at a stub in trapentry.S. sysenter enters the kernel at
// sysenter_entry.

#include <inc/mmu.h>
#include <inc/x86.h>

#include <kern/challenge/challenge.h>
#include <kern/challenge/fpu.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/syscall.h>
#include <kern/trap.h>

// Addresses in sysentry.S
extern const uint8_t syscall_int[], sysenter_entry[], sysenter_stepped[];
// Called by sysentry.S
envid_t syscall_getenvid(void);

void
challenge_init(void)
{
	SETGATE(idt[0][T_SYSCALL], 0, GD_KT, syscall_int, 3);
}

// Intel's manual, volume 3, section 5.8.7, describes the registers that sysenter reads.
void
challenge_init_percpu(int cpu)
{
	if (has_sysenter()) {
		wrmsr(MSR_SYSENTER_CS, GD_KT);
		wrmsr(MSR_SYSENTER_ESP, KSTACKTOP_CPU(cpu));
		wrmsr(MSR_SYSENTER_EIP, (uintptr_t)sysenter_entry);
	}
	fpu_init_percpu();
}

// sys_getenvid for sysentry.S, without the big lock. The lock is not needed, because the caller's
// id does not change while the caller runs. (Another CPU may stop or destroy the caller during the
// call. The interrupt from that CPU then arrives before the caller's next instruction, just like an
// interrupt that is sent after the call.)
envid_t
syscall_getenvid(void)
{
	return curenv->env_id;
}

// sysenter does not clear TF. So if a single-stepped program executes sysenter, the CPU raises a
// debug exception at the first instruction of sysenter_entry. Clear TF, and continue at
// sysenter_stepped, which sets TF again in the program's flags.
bool
challenge_kernel_trap(struct Trapframe *tf)
{
	if (tf->tf_trapno != T_DEBUG || tf->tf_eip != (uintptr_t)sysenter_entry)
		return false;
	tf->tf_eip = (uintptr_t)sysenter_stepped;
	tf->tf_eflags &= ~FL_TF;
	return true;
}
