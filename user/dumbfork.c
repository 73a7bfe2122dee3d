// Creates a child that is a copy of this environment, using only system calls. Each page that the
// page tables at UVPT show as mapped is copied. (fork, in lib/fork.c, copies a page only when the
// parent or the child writes to it.) Then parent and child take turns.

#include <inc/lib.h>

#define RW           (PTE_P | PTE_U | PTE_W)
#define PARENT_TURNS 10
#define CHILD_TURNS  20

static void
must(int r, const char *call)
{
	if (r < 0)
		panic("%s: %e", call, r);
}

// Give the child a new page at va with the contents of the parent's page. The parent maps the new
// page at UTEMP to fill it.
static void
copy_page(envid_t child, void *va)
{
	must(sys_page_alloc(0, UTEMP, RW), "sys_page_alloc");
	memcpy(UTEMP, va, PGSIZE);
	must(sys_page_map(0, UTEMP, child, va, RW), "sys_page_map");
	must(sys_page_unmap(0, UTEMP), "sys_page_unmap");
}

static void
copy_address_space(envid_t child)
{
	for (uint32_t pdx = 0; pdx < PDX(UTOP); pdx++) {
		for (uint32_t ptx = 0; (uvpd[pdx] & PTE_P) && ptx < NPTENTRIES; ptx++) {
			void *va = PGADDR(pdx, ptx, 0);
			if ((uvpt[PGNUM(va)] & PTE_P) && va != UTEMP)
				copy_page(child, va);
		}
	}
}

static void
take_turns(const char *who, int turns)
{
	for (int i = 0; i < turns; i++) {
		cprintf("%d: I am the %s!\n", i, who);
		sys_yield();
	}
}

void
umain(int argc, char **argv)
{
	envid_t child = sys_exofork();

	if (child == 0) {
		thisenv = &envs[ENVX(sys_getenvid())]; // The copy of thisenv points to the parent.
		take_turns("child", CHILD_TURNS);
		return;
	}
	must(child, "sys_exofork");
	copy_address_space(child);
	must(sys_env_set_status(child, ENV_RUNNABLE), "sys_env_set_status");
	take_turns("parent", PARENT_TURNS);
}
