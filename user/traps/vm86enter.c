// Tests system calls by sysenter from virtual-8086 mode. sysenter leaves that mode, and the segment
// registers then hold values that are not selectors. The kernel must not load them.

#include "vm86.h"

static void
ignore_step(struct UTrapframe *utf)
{
}

static int32_t
enter(uint32_t number, uint32_t flags)
{
	struct vm86_result result;

	vm86_enter(number, flags, &result);
	return result.eax;
}

void
umain(int argc, char **argv)
{
	static const uint32_t flags[] = { FL_VM | FL_IF, FL_VM | FL_IF | FL_TF };

	cprintf("vm86enter: asking\n");
	if (!has_sysenter()) {
		cprintf("vm86enter: there is no sysenter\n");
		return;
	}
	vm86_prepare();
	vm86_set_code("\x0F\x34", 2); // sysenter
	must(set_exception_handler(T_DEBUG, ignore_step), "set_exception_handler");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (enter(SYS_getenvid, flags[i]) == SYS_getenvid) {
			cprintf("vm86enter: refused\n");
			return;
		}
		enter(SYS_yield, flags[i]);
		if (enter(SYS_env_set_status, flags[i]) != -E_BAD_ENV)
			panic("wrong result");
	}
	cprintf("vm86enter: ok\n");
}
