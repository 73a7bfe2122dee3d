// Uses every name that programs may rely on, with the type that it must have: the names of
// inc/lib.h and of the headers that inc/lib.h includes. Most of the test is that this program
// compiles and links. When it runs, it checks values and calls some functions.

#include <inc/lib.h>

// Counts the names. The macros below check the type or the value of a name: if it is wrong, the
// compiler refuses this program.
static int names;

#define IS(name, type)                                                               \
	do {                                                                         \
		static_assert(__builtin_types_compatible_p(__typeof__(name), type)); \
		names++;                                                             \
	} while (0)
#define EQUALS(name, value)                       \
	do {                                      \
		static_assert((name) == (value)); \
		names++;                          \
	} while (0)
#define HAS(type, member, member_type) IS(((type *)0)->member, member_type)

// The same for a function. Its address is used, so that the linker must find the function.
static const void *volatile address;
#define FUNCTION(name, type)                               \
	do {                                               \
		IS(name, type);                            \
		address = (const void *)name;              \
		if (!address)                              \
			panic("%s has no address", #name); \
	} while (0)

// A condition that must be true when the program runs. It uses one more name or macro.
#define TRUE(x)                                    \
	do {                                       \
		if (!(x))                          \
			panic("not true: %s", #x); \
		names++;                           \
	} while (0)

static void
environments(void)
{
	IS((envid_t)0, int32_t);
	EQUALS(NENV, 1024);
	EQUALS(ENVX(0x12345), 0x345);
	EQUALS(ENV_FREE, 0);
	EQUALS(ENV_DYING, 1);
	EQUALS(ENV_RUNNABLE, 2);
	EQUALS(ENV_RUNNING, 3);
	EQUALS(ENV_NOT_RUNNABLE, 4);
	EQUALS(ENV_TYPE_USER, 0);
	HAS(struct Env, env_tf, struct Trapframe);
	HAS(struct Env, env_link, struct Env *);
	HAS(struct Env, env_id, envid_t);
	HAS(struct Env, env_parent_id, envid_t);
	HAS(struct Env, env_type, enum EnvType);
	HAS(struct Env, env_status, unsigned);
	HAS(struct Env, env_runs, uint32_t);
	HAS(struct Env, env_cpunum, int);
	HAS(struct Env, env_pgdir, pde_t *);
	HAS(struct Env, env_pgfault_upcall, void *);
	HAS(struct Env, env_ipc_recving, bool);
	HAS(struct Env, env_ipc_dstva, void *);
	HAS(struct Env, env_ipc_value, uint32_t);
	HAS(struct Env, env_ipc_from, envid_t);
	HAS(struct Env, env_ipc_perm, int);
	IS(envs, const volatile struct Env[NENV]);
	IS(&pages[0], const volatile struct PageInfo *);
	IS(thisenv, const volatile struct Env *);
	IS(binaryname, const char *);
	HAS(struct PageInfo, pp_link, struct PageInfo *);
	EQUALS(sizeof(((struct PageInfo *)0)->pp_ref) >= 2, true);
	TRUE(thisenv == &envs[ENVX(sys_getenvid())]);
	TRUE(thisenv->env_status == ENV_RUNNING);
	TRUE(strcmp(binaryname, "useall") == 0);
}

static void
system_calls(void)
{
	static const int numbers[] = { SYS_cputs, SYS_cgetc, SYS_getenvid, SYS_env_destroy,
		SYS_page_alloc, SYS_page_map, SYS_page_unmap, SYS_exofork, SYS_env_set_status,
		SYS_env_set_pgfault_upcall, SYS_yield, SYS_ipc_try_send, SYS_ipc_recv };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		TRUE(numbers[i] == (int)i);
	EQUALS(T_SYSCALL, 48);
	FUNCTION(sys_cputs, void(const char *, size_t));
	FUNCTION(sys_cgetc, int(void));
	FUNCTION(sys_getenvid, envid_t(void));
	FUNCTION(sys_env_destroy, int(envid_t));
	FUNCTION(sys_page_alloc, int(envid_t, void *, int));
	FUNCTION(sys_page_map, int(envid_t, void *, envid_t, void *, int));
	FUNCTION(sys_page_unmap, int(envid_t, void *));
	IS(sys_exofork, envid_t(void)); // It is inlined.
	FUNCTION(sys_env_set_status, int(envid_t, int));
	FUNCTION(sys_env_set_pgfault_upcall, int(envid_t, void *));
	FUNCTION(sys_yield, void(void));
	FUNCTION(sys_ipc_try_send, int(envid_t, uint32_t, void *, int));
	FUNCTION(sys_ipc_recv, int(void *));
}

static void
errors(void)
{
	static const char *const texts[] = {
		[E_UNSPECIFIED] = "unspecified error",
		[E_BAD_ENV] = "bad environment",
		[E_INVAL] = "invalid parameter",
		[E_NO_MEM] = "out of memory",
		[E_NO_FREE_ENV] = "out of environments",
		[E_FAULT] = "segmentation fault",
		[E_IPC_NOT_RECV] = "env is not recving",
		[E_EOF] = "unexpected end of file",
	};
	char text[40];

	EQUALS(E_UNSPECIFIED, 1);
	EQUALS(E_BAD_ENV, 2);
	EQUALS(E_INVAL, 3);
	EQUALS(E_NO_MEM, 4);
	EQUALS(E_NO_FREE_ENV, 5);
	EQUALS(E_FAULT, 6);
	EQUALS(E_IPC_NOT_RECV, 7);
	EQUALS(E_EOF, 8);
	for (int i = 1; i < (int)ARRAY_SIZE(texts); i++) {
		snprintf(text, sizeof(text), "%e", -i);
		assert(strcmp(text, texts[i]) == 0);
	}
}

static void
library(void)
{
	FUNCTION(umain, void(int, char **));
	FUNCTION(exit, void(void));
	FUNCTION(fork, envid_t(void));
	FUNCTION(sfork, envid_t(void));
	FUNCTION(set_pgfault_handler, void(void (*)(struct UTrapframe *)));
	FUNCTION(_pgfault_upcall, void(void));
	FUNCTION(ipc_recv, int32_t(envid_t *, void *, int *));
	FUNCTION(ipc_find_env, envid_t(enum EnvType));
	FUNCTION(ipc_send, void(envid_t, uint32_t, void *, int));

	FUNCTION(cprintf, int(const char *, ...));
	FUNCTION(vcprintf, int(const char *, va_list));
	FUNCTION(printf, int(const char *, ...));
	FUNCTION(snprintf, int(char *, int, const char *, ...));
	FUNCTION(vsnprintf, int(char *, int, const char *, va_list));
	FUNCTION(printfmt, void(void (*)(int, void *), void *, const char *, ...));
	FUNCTION(vprintfmt, void(void (*)(int, void *), void *, const char *, va_list));
	FUNCTION(readline, char *(const char *));
	FUNCTION(getchar, int(void));
	FUNCTION(cputchar, void(int));
	FUNCTION(iscons, int(int));

	FUNCTION(strlen, size_t(const char *));
	FUNCTION(strnlen, size_t(const char *, size_t));
	FUNCTION(strcpy, char *(char *, const char *));
	FUNCTION(strncpy, char *(char *, const char *, size_t));
	FUNCTION(strcat, char *(char *, const char *));
	FUNCTION(strlcpy, size_t(char *, const char *, size_t));
	FUNCTION(strcmp, int(const char *, const char *));
	FUNCTION(strncmp, int(const char *, const char *, size_t));
	FUNCTION(strchr, char *(const char *, char));
	FUNCTION(strfind, char *(const char *, char));
	FUNCTION(strtol, long(const char *, char **, int));
	FUNCTION(memset, void *(void *, int, size_t));
	FUNCTION(memcpy, void *(void *, const void *, size_t));
	FUNCTION(memmove, void *(void *, const void *, size_t));
	FUNCTION(memcmp, int(const void *, const void *, size_t));
	FUNCTION(memfind, void *(const void *, int, size_t));
}

static int
many_arguments(int n, ...)
{
	va_list ap;
	int sum = 0;

	va_start(ap, n);
	while (n-- > 0)
		sum += va_arg(ap, int);
	va_end(ap);
	return sum;
}

// assert, panic, warn, static_assert; and inc/x86.h.
static void
macros_and_instructions(void)
{
	volatile uint32_t word = 1;
	uint32_t eax = 0, ebx, ecx, edx;

	names += 4;
	if (many_arguments(3, 1, 2, 3) != 6)
		panic("va_arg: %d", many_arguments(3, 1, 2, 3));
	if (names < 0)
		warn("never printed: this line only uses the name warn");
	FUNCTION(read_tsc, uint64_t(void));
	FUNCTION(cpuid, void(uint32_t, uint32_t *, uint32_t *, uint32_t *, uint32_t *));
	FUNCTION(read_eflags, uint32_t(void));
	FUNCTION(read_esp, uint32_t(void));
	FUNCTION(read_ebp, uint32_t(void));
	FUNCTION(xchg, uint32_t(volatile uint32_t *, uint32_t));
	uint64_t before = read_tsc();
	assert(read_tsc() >= before);
	cpuid(0, &eax, &ebx, &ecx, &edx);
	assert(eax > 0);
	assert(read_eflags() & FL_IF);
	assert(read_esp() >= USTACKTOP - PGSIZE && read_esp() < USTACKTOP);
	assert(read_ebp() >= USTACKTOP - PGSIZE && read_ebp() < USTACKTOP);
	assert(xchg(&word, 2) == 1 && word == 2);
}

static void
frames(void)
{
	HAS(struct UTrapframe, utf_fault_va, uint32_t);
	HAS(struct UTrapframe, utf_err, uint32_t);
	HAS(struct UTrapframe, utf_regs, struct PushRegs);
	HAS(struct UTrapframe, utf_eip, uintptr_t);
	HAS(struct UTrapframe, utf_eflags, uint32_t);
	HAS(struct UTrapframe, utf_esp, uintptr_t);
	EQUALS(sizeof(struct UTrapframe), 52);
	HAS(struct PushRegs, reg_edi, uint32_t);
	HAS(struct PushRegs, reg_esi, uint32_t);
	HAS(struct PushRegs, reg_ebp, uint32_t);
	HAS(struct PushRegs, reg_oesp, uint32_t);
	HAS(struct PushRegs, reg_ebx, uint32_t);
	HAS(struct PushRegs, reg_edx, uint32_t);
	HAS(struct PushRegs, reg_ecx, uint32_t);
	HAS(struct PushRegs, reg_eax, uint32_t);
	EQUALS(sizeof(struct PushRegs), 32);
}

// inc/memlayout.h.
static void
memory_map(void)
{
	EQUALS(KERNBASE, 0xF0000000);
	EQUALS(KSTACKTOP, 0xF0000000);
	EQUALS(KSTKSIZE, 8 * PGSIZE);
	EQUALS(KSTKGAP, 8 * PGSIZE);
	EQUALS(MMIOLIM, 0xEFC00000);
	EQUALS(MMIOBASE, 0xEF800000);
	EQUALS(ULIM, MMIOBASE);
	EQUALS(UVPT, 0xEF400000);
	EQUALS(UPAGES, 0xEF000000);
	EQUALS(UENVS, 0xEEC00000);
	EQUALS(UTOP, 0xEEC00000);
	EQUALS(UXSTACKTOP, 0xEEC00000);
	EQUALS(USTACKTOP, 0xEEBFE000);
	EQUALS(UTEXT, 0x00800000);
	TRUE(UTEMP == (void *)0x00400000);
	TRUE(PFTEMP == UTEMP + PTSIZE - PGSIZE);
	EQUALS(MPENTRY_PADDR, 0x7000);
	EQUALS(IOPHYSMEM, 0xA0000);
	EQUALS(EXTPHYSMEM, 0x100000);
	EQUALS(GD_KT, 0x08);
	EQUALS(GD_KD, 0x10);
	EQUALS(GD_UT, 0x18);
	EQUALS(GD_UD, 0x20);
	EQUALS(GD_TSS0, 0x28);
	EQUALS(PTE_SYSCALL, PTE_P | PTE_W | PTE_U | PTE_AVAIL);
	EQUALS(PTE_SHARE, 0x400);
	EQUALS(PTE_COW, 0x800);
	IS(uvpt[0], volatile pte_t);
	IS(uvpd[0], volatile pde_t);
	TRUE(uvpd[PDX(UVPT)] & PTE_P);
	TRUE((uvpt[PGNUM(umain)] & (PTE_P | PTE_U | PTE_W)) == (PTE_P | PTE_U));
}

// inc/mmu.h and inc/types.h.
static void
usual_macros(void)
{
	EQUALS(PGSIZE, 4096);
	EQUALS(PGSHIFT, 12);
	EQUALS(PTSIZE, 1024 * PGSIZE);
	EQUALS(PDX(0x12345678), 0x48);
	EQUALS(PTX(0x12345678), 0x345);
	EQUALS(PGOFF(0x12345678), 0x678);
	EQUALS(PGNUM(0x12345678), 0x12345);
	EQUALS(PTE_ADDR(0x12345678), 0x12345000);
	TRUE(PGADDR(0x48, 0x345, 0x678) == (void *)0x12345678);
	EQUALS(PTE_P, 0x001);
	EQUALS(PTE_W, 0x002);
	EQUALS(PTE_U, 0x004);
	EQUALS(PTE_PWT, 0x008);
	EQUALS(PTE_PCD, 0x010);
	EQUALS(PTE_A, 0x020);
	EQUALS(PTE_D, 0x040);
	EQUALS(PTE_PS, 0x080);
	EQUALS(PTE_G, 0x100);
	EQUALS(PTE_AVAIL, 0xE00);
	TRUE(ROUNDUP(4097, PGSIZE) == 8192);
	TRUE(ROUNDDOWN(8191, PGSIZE) == 4096);
	TRUE(MIN(1, 2) == 1);
	TRUE(MAX(1, 2) == 2);
	EQUALS(offsetof(struct UTrapframe, utf_eip), 40);
	EQUALS(ARRAY_SIZE(((int[3]){ 0 })), 3);
	EQUALS(CR0_PE | CR0_PG | CR0_WP, 0x80010001);
	EQUALS(CR4_PSE, 0x10);
	EQUALS(FL_IF, 0x200);
	EQUALS(FEC_PR, 1);
	EQUALS(FEC_WR, 2);
	EQUALS(FEC_U, 4);
	EQUALS(STS_T32A, 9);
	EQUALS(STS_IG32, 14);
	EQUALS(STS_TG32, 15);
	TRUE(((struct Segdesc)SEG(STA_X, 0, 0xFFFFFFFF, 3)).sd_dpl == 3);
	TRUE(SEG16(STS_T32A, 0, 1, 0).sd_lim_15_0 == 1);
}

void
umain(int argc, char **argv)
{
	assert(argc == 1 && strcmp(argv[0], "useall") == 0);
	environments();
	system_calls();
	errors();
	library();
	macros_and_instructions();
	frames();
	memory_map();
	usual_macros();
	cprintf("useall: %d names\n", names);
}
