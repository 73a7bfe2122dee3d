// Fuzz target for kern/elf.c and kern/check/elfsyms.c. The input is an ELF image. The result of
// elf_check is compared with the same rules written in 64-bit arithmetic, which cannot overflow
// here. An accepted image is loaded. Then elf_function_at is called for some addresses.

#include <fuzz/kernel.h>

#include <kern/check/elfsyms.c>
#include <kern/elf.c>

// The address limits that load_icode (kern/env.c) passes to elf_check
#define LOW  PGSIZE
#define HIGH (USTACKTOP - PGSIZE)

struct Segment {
	uint64_t offset, filesz, va, memsz, align;
	bool code;
};

static uint64_t
word_at(const uint8_t *image, size_t offset, int size)
{
	uint32_t value = 0;

	memcpy(&value, image + offset, size);
	return value;
}

static bool
segment_ok(const struct Segment *s, uint64_t size)
{
	return s->filesz <= s->memsz && s->offset + s->filesz <= size && s->va >= LOW &&
	       s->va + s->memsz <= HIGH && __builtin_popcountll(s->align) <= 1 &&
	       (s->align == 0 || s->va % s->align == s->offset % s->align);
}

static bool
overlaps(const struct Segment *a, const struct Segment *b)
{
	return a->va < b->va + b->memsz && b->va < a->va + a->memsz;
}

// Check the fields of the ELF header that have a fixed value. The offsets are those of inc/elf.h.
static bool
header_ok(const uint8_t *image, uint64_t size)
{
	static const struct {
		uint8_t offset, size;
		uint32_t value;
	} fields[] = {
		{ 0, 4, ELF_MAGIC }, // Magic number
		{ 4, 1, 1 },         // Class
		{ 5, 1, 1 },         // Byte order
		{ 6, 1, 1 },         // Version of the header
		{ 20, 4, 1 },        // Version of the file
		{ 16, 2, 2 },        // Type
		{ 18, 2, 3 },        // Machine
		{ 42, 2, 32 },       // Size of a program header
	};

	if (size < 52)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (word_at(image, fields[i].offset, fields[i].size) != fields[i].value)
			return false;
	}
	return word_at(image, 40, 2) >= 52;
}

// Whether an image is a valid program.
static bool
is_program(const uint8_t *image, uint64_t size)
{
	struct Segment segments[ELF_MAX_SEGMENTS];
	int n = 0;
	bool entry_ok = false;

	if (!header_ok(image, size))
		return false;
	uint64_t entry = word_at(image, 24, 4), phoff = word_at(image, 28, 4);
	uint64_t phnum = word_at(image, 44, 2);
	if (phnum == 0 || phoff + 32 * phnum > size)
		return false;

	for (uint64_t ph = phoff; ph < phoff + 32 * phnum; ph += 32) {
		struct Segment s = {
			.offset = word_at(image, ph + 4, 4),
			.va = word_at(image, ph + 8, 4),
			.filesz = word_at(image, ph + 16, 4),
			.memsz = word_at(image, ph + 20, 4),
			.align = word_at(image, ph + 28, 4),
			.code = word_at(image, ph + 24, 4) & ELF_PROG_FLAG_EXEC,
		};
		if (word_at(image, ph, 4) != ELF_PROG_LOAD || s.memsz == 0)
			continue;
		if (!segment_ok(&s, size) || n == ELF_MAX_SEGMENTS)
			return false;
		for (int i = 0; i < n; i++) {
			if (overlaps(&s, &segments[i]))
				return false;
		}
		if (s.code && entry >= s.va && entry < s.va + s.filesz)
			entry_ok = true;
		segments[n++] = s;
	}
	return entry_ok;
}

// Read the bytes that load_icode copies, so that AddressSanitizer checks the reads.
static void
load(const uint8_t *image, const struct ElfProgram *program)
{
	must(program->nsegments >= 1 && program->nsegments <= ELF_MAX_SEGMENTS);
	for (int i = 0; i < program->nsegments; i++) {
		const struct Proghdr *ph = &program->segments[i];
		uint8_t *copy = malloc(ph->p_filesz);
		memcpy(copy, image + ph->p_offset, ph->p_filesz);
		free(copy);
	}
}

static void
look_up(const uint8_t *image, size_t size, uint32_t va)
{
	uint32_t offset;
	const char *name = elf_function_at(image, size, va, &offset);

	if (!name)
		return;
	must((uintptr_t)name >= (uintptr_t)image && (uintptr_t)name < (uintptr_t)image + size);
	must(strlen(name) < size);
	must(offset <= va);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ElfProgram program;
	uint8_t *image = malloc(size);

	memcpy(image, data, size);
	const char *wrong = elf_check(image, size, LOW, HIGH, &program);
	must(!wrong == is_program(image, size));
	if (!wrong)
		load(image, &program);

	// An address from the input, and the highest address
	if (size >= 4)
		look_up(image, size, word_at(image, size - 4, 4));
	look_up(image, size, UINT32_MAX);
	free(image);
	return 0;
}
