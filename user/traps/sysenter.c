// System calls by sysenter, which the kernel enters with the user's flags: whatever these are,
// and the segments, each call comes back as it would from int $T_SYSCALL, with the same
// flags, and with segments that can be used. With an argument, no-steps, it is not
// single-stepped meanwhile: see lib/pfentry.S.

#include <user/common/testing.h>

// Make a call that takes an environment as its first argument, or none, with some flags set,
// and selector in ds and es. Returns its result; *flags_after are the flags when it came back.
// Anything else that is not as it was ends in an undefined instruction.
int32_t enter(uint32_t number, uint32_t flags, uint32_t selector, uint32_t *flags_after);

__asm__("	.text\n"
	"enter:	pushl %ebp\n"
	"	pushl %ebx\n"
	"	pushl %esi\n"
	"	pushl %edi\n"
	"	movl 20(%esp), %eax\n"
	"	movl 28(%esp), %ebx\n"
	"	movl $0x5EE5, %edi\n"
	"	movl $0x12345678, %edx\n" // Nobody's id
	"	movl $1f, %esi\n"
	"	movl %esp, %ebp\n"
	"	pushl 24(%esp)\n"
	"	movl %ebx, %ds\n"
	"	movl %ebx, %es\n"
	"	popfl\n"
	"	sysenter\n"
	"	ud2\n"
	"1:	pushfl\n"
	"	popl %ecx\n"
	"	pushl $0x202\n"
	"	popfl\n"
	"	cmpl 28(%esp), %ebx\n"
	"	jne 2f\n"
	"	movl %ss, %ebx\n"
	"	movl %ds, %edx\n"
	"	cmpl %ebx, %edx\n"
	"	jne 2f\n"
	"	movl %es, %edx\n"
	"	cmpl %ebx, %edx\n"
	"	jne 2f\n"
	"	cmpl $0x5EE5, %edi\n"
	"	jne 2f\n"
	"	cmpl %esp, %ebp\n"
	"	jne 2f\n"
	"	movl 32(%esp), %edx\n"
	"	movl %ecx, (%edx)\n"
	"	popl %edi\n"
	"	popl %esi\n"
	"	popl %ebx\n"
	"	popl %ebp\n"
	"	ret\n"
	"2:	ud2\n");

static uint32_t steps;

static void
count_step(struct UTrapframe *utf)
{
	steps++;
}

static void
try_call(uint32_t number, uint32_t flags, uint32_t selector, int32_t expected)
{
	uint32_t tried = FL_TF | FL_AC | FL_NT | FL_DF | FL_ID, after;

	steps = 0;
	int32_t r = enter(number, flags, selector, &after);
	if (r != expected || (after & tried) != flags)
		panic("call %u with flags %x, selector %x: %d, not %d; flags then %x", number,
		    flags, selector, r, expected, after);
	// After sysenter or the instruction that follows it, and after the pushfl and so on.
	if ((flags & FL_TF) && steps < 4)
		panic("call %u, single-stepped: %u steps", number, steps);
}

void
umain(int argc, char **argv)
{
	static const uint32_t flags[] = { 0, FL_AC, FL_NT, FL_DF, FL_ID, FL_TF,
		FL_AC | FL_NT | FL_DF | FL_ID, FL_TF | FL_AC | FL_NT };
	static const uint32_t selectors[] = { GD_UD | 3, 0, GD_UT | 3 };

	if (!has_sysenter()) {
		cprintf("sysenter: there is none\n");
		return;
	}
	must(set_exception_handler(T_DEBUG, count_step), "set_exception_handler");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (argc > 1 && (flags[i] & FL_TF))
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(selectors); j++) {
			// A handler of steps is a C function, which needs its segments.
			uint32_t selector = flags[i] & FL_TF ? GD_UD | 3 : selectors[j];
			try_call(SYS_getenvid, flags[i], selector, sys_getenvid());
			try_call(SYS_yield, flags[i], selector, 0);
			try_call(SYS_env_set_status, flags[i], selector, -E_BAD_ENV);
			try_call(NSYSCALLS, flags[i], selector, -E_INVAL);
			try_call(~0U, flags[i], selector, -E_INVAL);
		}
	}
	cprintf("sysenter: ok\n");
}
