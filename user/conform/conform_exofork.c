// Tests sys_exofork: the state of a new child, and the errors without a free slot or memory.

#include "conform.h"

static envid_t children[NENV];

// Call exofork with a known value in each register. *eip is the address where the child starts.
static envid_t
exofork_with_registers(uint32_t *eip)
{
	envid_t child;

	__asm__ volatile(
	    "pushl %%ebp\n\t"
	    "movl $0x0EB90EB9, %%ebp\n\t"
	    "int %3\n"
	    "1:\tpopl %%ebp\n\t"
	    "movl $1b, %%edx"
	    : "=a"(child), "=d"(*eip)
	    : "a"(SYS_exofork), "i"(T_SYSCALL), "b"(0x0EB80EB8), "c"(0x0EC80EC8), "d"(0x0ED80ED8),
	    "S"(0x0E510E51), "D"(0x0ED10ED1)
	    : "memory", "cc");
	return child;
}

static void
check_registers(void)
{
	uint32_t eip;
	envid_t child = exofork_with_registers(&eip);
	const volatile struct Env *e = &envs[ENVX(child)];
	const volatile struct PushRegs *regs = &e->env_tf.tf_regs;

	conform_must(child, "sys_exofork");
	CHECK_EQ(regs->reg_eax, 0);
	CHECK_EQ(regs->reg_ebx, 0x0EB80EB8);
	CHECK_EQ(regs->reg_ecx, 0x0EC80EC8);
	CHECK_EQ(regs->reg_edx, 0x0ED80ED8);
	CHECK_EQ(regs->reg_esi, 0x0E510E51);
	CHECK_EQ(regs->reg_edi, 0x0ED10ED1);
	CHECK_EQ(regs->reg_ebp, 0x0EB90EB9);
	CHECK_EQ(e->env_tf.tf_eip, eip);
	CHECK_EQ(ROUNDDOWN(e->env_tf.tf_esp, PGSIZE), USTACKTOP - PGSIZE);
	CHECK_EQ(e->env_tf.tf_cs, GD_UT | 3);
	CHECK_EQ(e->env_tf.tf_ss, GD_UD | 3);
	CHECK_EQ(e->env_tf.tf_ds, GD_UD | 3);
	CHECK_EQ(e->env_tf.tf_es, GD_UD | 3);
	CHECK_EQ(e->env_tf.tf_eflags & ~(FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF),
	    read_eflags() & ~(FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF));
	sys_env_destroy(child);
}

static void
check_environment(void)
{
	envid_t child = sys_exofork();
	const volatile struct Env *e = &envs[ENVX(child)];
	char *va;

	conform_must(child, "sys_exofork");
	CHECK(child > 0);
	CHECK_EQ(e->env_id, child);
	CHECK_EQ(e->env_parent_id, sys_getenvid());
	CHECK_EQ(e->env_status, ENV_NOT_RUNNABLE);
	CHECK_EQ(e->env_type, ENV_TYPE_USER);
	CHECK_EQ(e->env_runs, 0);
	CHECK_EQ(e->env_pgfault_upcall, NULL);
	CHECK_EQ(e->env_ipc_recving, false);
	for (va = (char *)UTEXT; va < end; va += PGSIZE)
		CHECK_EQ(conform_page_of(child, va), 0);
	CHECK_EQ(conform_page_of(child, (char *)USTACKTOP - PGSIZE), 0);
	CHECK_EQ(conform_page_of(child, (char *)UXSTACKTOP - PGSIZE), 0);
	CHECK_EQ(conform_page_of(child, STATE), 0);
	CHECK_EQ(conform_page_of(child, NULL), 0);
	CHECK_EQ(sys_env_destroy(child), 0);
	CHECK_EQ(e->env_status, ENV_FREE);
}

// The first environments of a machine take the slots in order.
static void
check_first_ids(void)
{
	int i;

	CHECK_EQ(sys_getenvid(), 0x1000);
	for (i = 1; i < 10; i++)
		CHECK_EQ(children[i] = sys_exofork(), 0x1000 + i);
	for (i = 1; i < 10; i++)
		CHECK_EQ(sys_env_destroy(children[i]), 0);
}

static void
do_nothing(void)
{
	STATE->words[0]++;
}

// Fill envs[]. Then free a slot and use it again, several times.
static void
run_out_of_environments(void)
{
	struct conform_snapshot before = conform_snapshot();
	envid_t reused;
	int i, n;

	for (n = 0; n < NENV && (children[n] = sys_exofork()) >= 0; n++)
		;
	CHECK_EQ(n, NENV - 1);
	CHECK_EQ(children[n], -E_NO_FREE_ENV);
	CHECK_REFUSED(sys_exofork(), E_NO_FREE_ENV);

	reused = children[n / 2];
	for (i = 0; i < 5; i++) {
		CHECK_EQ(sys_env_destroy(reused), 0);
		CHECK_EQ(sys_exofork(), reused + 0x1000);
		reused += 0x1000;
		CHECK_REFUSED(sys_exofork(), E_NO_FREE_ENV);
	}
	children[n / 2] = reused;
	for (i = 0; i < n; i++)
		CHECK_EQ(sys_env_destroy(children[i]), 0);
	conform_check_unchanged(&before, __LINE__, "all environments, made and destroyed");
}

// A new environment needs a few pages. With fewer free pages, sys_exofork must fail, and must not
// lose memory.
static void
run_out_of_memory(void)
{
	envid_t child = -1;
	int given = 0;

	conform_take_memory();
	while (given < 8) {
		struct conform_snapshot before = conform_snapshot();

		child = sys_exofork();
		if (child >= 0)
			break;
		CHECK_EQ(child, -E_NO_MEM);
		conform_check_unchanged(&before, __LINE__, "sys_exofork without memory");
		CHECK_EQ(sys_page_unmap(0, TAKEN + given * PGSIZE), 0);
		given++;
	}
	CHECK(given > 0);
	CHECK(child > 0);
	CHECK_EQ(count_free_pages(), 0);
	CHECK_EQ(sys_env_destroy(child), 0);
	CHECK_EQ(count_free_pages(), given);
}

void
umain(int argc, char **argv)
{
	conform_begin("conform_exofork");
	check_first_ids();
	check_registers();
	check_environment();
	STATE->words[0] = 0;
	conform_in_child(do_nothing);
	CHECK_EQ(STATE->words[0], 1);
	conform_in_child(run_out_of_memory);
	run_out_of_environments(); // Last: this finds slots that were not freed before.
	conform_end();
}
