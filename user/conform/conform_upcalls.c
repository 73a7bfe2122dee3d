// Tests sys_env_set_exception_upcall and sys_env_set_pgfault_upcall: for which exceptions and which
// environments they set an upcall.

#include "refusals.h"

#define UPCALL ((void *)0x00801234) // The kernel does not check the address of an upcall.

// The exceptions that a program may handle, one bit each. The others are not allowed: NMI and
// machine check are hardware errors; double fault, coprocessor segment overrun and invalid TSS are
// errors of the kernel; breakpoint enters the monitor; the kernel uses device-not-available to load
// the FPU state.
#define ALLOWED                                                                             \
	(1U << T_DIVIDE | 1U << T_DEBUG | 1U << T_OFLOW | 1U << T_BOUND | 1U << T_ILLOP |   \
	    1U << T_SEGNP | 1U << T_STACK | 1U << T_GPFLT | 1U << T_PGFLT | 1U << T_FPERR | \
	    1U << T_ALIGN | 1U << T_SIMDERR)

static void *
upcall_of(envid_t envid, uint32_t trapno)
{
	const volatile struct Env *e = envid ? env_of(envid) : thisenv;

	return trapno == T_PGFLT ? e->env_pgfault_upcall : e->env_upcalls[trapno];
}

static int
set_divide_upcall(envid_t envid)
{
	return sys_env_set_exception_upcall(envid, T_DIVIDE, UPCALL);
}

static int
set_bad_upcall(envid_t envid)
{
	return sys_env_set_exception_upcall(envid, T_NMI, UPCALL);
}

static int
set_pgfault_upcall(envid_t envid)
{
	return sys_env_set_pgfault_upcall(envid, UPCALL);
}

static void
check_vectors(envid_t envid)
{
	uint32_t trapno;

	for (trapno = 0; trapno <= T_SIMDERR; trapno++) {
		if (!(ALLOWED & 1U << trapno)) {
			CHECK_REFUSED_WITH(
			    trapno, sys_env_set_exception_upcall(envid, trapno, UPCALL), E_INVAL);
			CHECK_EQ(upcall_of(envid, trapno), NULL);
			continue;
		}
		CHECK_EQ(sys_env_set_exception_upcall(envid, trapno, UPCALL), 0);
		CHECK_EQ(upcall_of(envid, trapno), UPCALL);
		CHECK_EQ(sys_env_set_exception_upcall(envid, trapno, NULL), 0);
		CHECK_EQ(upcall_of(envid, trapno), NULL);
	}
	CHECK_EQ(sys_env_set_pgfault_upcall(envid, UPCALL), 0);
	CHECK_EQ(upcall_of(envid, T_PGFLT), UPCALL);
	CHECK_EQ(sys_env_set_pgfault_upcall(envid, NULL), 0);
	CHECK_EQ(upcall_of(envid, T_PGFLT), NULL);
}

static void
refuse_numbers(envid_t envid)
{
	static const uint32_t numbers[] = { T_SIMDERR + 1, 20, 21, 30, 31, 32, 32 + T_DIVIDE,
		32 + T_PGFLT, T_SYSCALL, 64, 64 + T_GPFLT, 0xFF, 0x100, 0x100 + T_DIVIDE, 0x10000,
		0x7FFFFFFF, 0x80000000, 0x80000000 | T_PGFLT, -32U, -1U };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint32_t number = numbers[i];

		CHECK_REFUSED_WITH(
		    number, sys_env_set_exception_upcall(envid, number, UPCALL), E_INVAL);
	}
}

// The kernel destroys the caller if the caller has no upcall for this exception.
static void
divide_by_zero(void)
{
	__asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0) : "cc");
	STATE->words[0] = 1;
}

void
umain(int argc, char **argv)
{
	envid_t child;
	uint32_t trapno;

	conform_begin("conform_upcalls");
	child = sys_exofork();
	conform_must(child, "sys_exofork");
	check_vectors(0);
	check_vectors(sys_getenvid());
	check_vectors(child);
	refuse_numbers(0);
	refuse_numbers(child);

	// A new environment has no upcalls, even if its parent has.
	CHECK_EQ(sys_env_destroy(child), 0);
	CHECK_EQ(sys_env_set_exception_upcall(0, T_DIVIDE, UPCALL), 0);
	CHECK_EQ(sys_env_set_pgfault_upcall(0, UPCALL), 0);
	child = sys_exofork();
	conform_must(child, "sys_exofork");
	for (trapno = 0; trapno <= T_SIMDERR; trapno++)
		CHECK_EQ(upcall_of(child, trapno), NULL);
	CHECK_EQ(sys_env_destroy(child), 0);
	CHECK_KILLED(divide_by_zero);

	conform_refuse_envids(set_divide_upcall);
	conform_refuse_envids(set_bad_upcall);
	conform_refuse_envids(set_pgfault_upcall);
	conform_end();
}
