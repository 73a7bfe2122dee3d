// Tests system calls by sysenter, which enters the kernel with the caller's flags and segments. For
// all flags and segments, each call must return like int $T_SYSCALL: with the same flags, and with
// usable segments. With the argument no-steps, this is not tested with single-stepping: see
// lib/pfentry.S.

#include <user/common/testing.h>

// Make a system call with these flags, and with `selector` in ds and es. Its first argument is a
// bad environment id. Returns its result, and in *flags_after the flags after the call. If another
// register has changed, this executes ud2.
int32_t enter(uint32_t number, uint32_t flags, uint32_t selector, uint32_t *flags_after);

__asm__(
    "	.text\n"
    "enter:	pushl %ebp\n"
    "	pushl %ebx\n"
    "	pushl %esi\n"
    "	pushl %edi\n"
    "	movl 20(%esp), %eax\n"
    "	movl 28(%esp), %ebx\n"
    "	movl $0x5EE5, %edi\n"
    "	movl $0x12345678, %edx\n" // The id of no environment
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
	// At least sysenter or the instruction after it, and the instructions up to popfl
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
			// The handler of steps is a C function, which needs valid segments.
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
