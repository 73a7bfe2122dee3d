// Loading a program: its ELF file, which is part of the kernel's image, is copied to the memory of
// a new environment. elf.c checks the file first. An error affects only the new environment.

#include <inc/assert.h>
#include <inc/error.h>
#include <inc/string.h>

#include <kern/elf.h>
#include <kern/env.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>

#define MAX_ARGS 8 // Maximum number of a program's arguments, including its name

const struct Program *
program_find(const char *words, size_t len)
{
	size_t name_len = MIN((size_t)(strfind(words, ',') - words), len);

	for (const struct Program *p = programs; p < programs_end; p++) {
		if (strlen(p->name) == name_len && strncmp(p->name, words, name_len) == 0)
			return p;
	}
	return NULL;
}

// If `words`, of len characters, has more than MAX_ARGS arguments, print a warning.
static void
check_args(const char *words, size_t len)
{
	int n = 0; // Number of arguments, not counting the name

	for (size_t i = 0; i < len; i++)
		n += words[i] == ',';
	if (n >= MAX_ARGS)
		cprintf("'%.*s' has %d arguments: only the first %d are passed\n", (int)len, words,
		    n, MAX_ARGS - 1);
}

// Allocate zeroed pages for len bytes at va in e. If e already has a page there, the page keeps its
// contents, and perm is added to its permissions. Returns 0 or -E_NO_MEM.
static int
region_alloc(struct Env *e, uintptr_t va, size_t len, int perm)
{
	for (uintptr_t at = ROUNDDOWN(va, PGSIZE); at < va + len; at += PGSIZE) {
		pte_t *pte;
		if (page_lookup(e->env_pgdir, (void *)at, &pte)) {
			*pte |= perm;
			continue;
		}
		struct PageInfo *pp = page_alloc(ALLOC_ZERO);
		if (!pp)
			return -E_NO_MEM;
		if (page_insert(e->env_pgdir, pp, (void *)at, perm) < 0) {
			page_free(pp);
			return -E_NO_MEM;
		}
	}
	return 0;
}

// Copy len bytes from src to va in e, where region_alloc has allocated memory.
static void
copy_to_env(struct Env *e, uintptr_t va, const void *src, size_t len)
{
	for (size_t done = 0, step; done < len; done += step) {
		struct PageInfo *pp = page_lookup(e->env_pgdir, (void *)(va + done), NULL);
		step = MIN(len - done, PGSIZE - PGOFF(va + done));
		memcpy(page2kva(pp) + PGOFF(va + done), src + done, step);
	}
}

// Give e a stack with argc, argv and the argument strings, as lib/entry.S expects it. The strings
// are the parts of `words` (len characters) between its commas. The first string is the program's
// name. Returns 0 or -E_NO_MEM.
static int
make_stack(struct Env *e, const char *words, size_t len)
{
	uintptr_t text = ROUNDDOWN(USTACKTOP - len - 1, sizeof(uint32_t));
	uint32_t argc = 0, argv[MAX_ARGS + 1] = { 0 };

	assert(len < PGSIZE / 2); // The command line is shorter than this.
	if (region_alloc(e, USTACKTOP - PGSIZE, PGSIZE, PTE_U | PTE_W) < 0)
		return -E_NO_MEM;
	for (size_t at = 0, size; at <= len && argc < MAX_ARGS; at += size + 1) {
		size = MIN((size_t)(strfind(words + at, ',') - words), len) - at;
		copy_to_env(e, text + at, words + at, size); // A zero byte follows in the new page.
		argv[argc++] = text + at;
	}
	uint32_t start[] = { argc, text - sizeof(argv) };
	e->env_tf.tf_esp = text - sizeof(argv) - sizeof(start);
	copy_to_env(e, e->env_tf.tf_esp, start, sizeof(start));
	copy_to_env(e, text - sizeof(argv), argv, sizeof(argv));
	return 0;
}

// Load e's program, and set e's eip and esp. Returns NULL, or an error text. After an error,
// nothing has changed except e.
static const char *
load_icode(struct Env *e, const char *words, size_t len)
{
	const struct Program *program = e->env_program;
	struct ElfProgram elf;
	const char *wrong =
	    elf_check(program->image, program->size, PGSIZE, USTACKTOP - PGSIZE, &elf);

	if (wrong)
		return wrong;
	for (int i = 0; i < elf.nsegments; i++) {
		const struct Proghdr *ph = &elf.segments[i];
		int perm = PTE_U | (ph->p_flags & ELF_PROG_FLAG_WRITE ? PTE_W : 0);
		if (region_alloc(e, ph->p_va, ph->p_memsz, perm) < 0)
			return "out of memory";
		copy_to_env(e, ph->p_va, program->image + ph->p_offset, ph->p_filesz);
	}
	if (make_stack(e, words, len) < 0)
		return "out of memory";
	e->env_tf.tf_eip = elf.entry;
	return NULL;
}

// Start a program in a new environment without a parent. `words` (len characters) is the program's
// NAME or NAME,ARGUMENT,... Returns 0 on success. If an error occurs, prints the error, and returns
// the error of env_alloc, or -E_INVAL if the program cannot be loaded.
int
env_create(const struct Program *program, const char *words, size_t len, enum EnvType type)
{
	struct Env *e;
	int r = env_alloc(&e, 0);

	if (r < 0) {
		cprintf("%s: %e\n", program->name, r);
		return r;
	}
	check_args(words, len);
	e->env_type = type;
	e->env_program = program;
	const char *wrong = load_icode(e, words, len);
	if (wrong) {
		cprintf("%s: cannot be loaded: %s\n", program->name, wrong);
		env_free(e);
		return -E_INVAL;
	}
	env_start(e);
	return 0;
}
