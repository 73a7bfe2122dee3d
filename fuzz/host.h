#ifndef JOS_FUZZ_HOST_H
#define JOS_FUZZ_HOST_H

// What a fuzz target needs from this machine (host.c). The kernel's headers and the C
// library's do not go together in one file: this one needs neither.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Physical memory is mapped here instead of at 0xf0000000, where this machine has its
// libraries and its stack: all of what the kernel uses of it, and behind that, out of
// its sight, HOST_EXTRA bytes for a target to do with what it likes.
#define HOST_KERNBASE 0x50000000U
#define HOST_EXTRA    0x00100000U

// libFuzzer calls it with each input. It returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Something that the kernel's code promises is not so: this input is a find.
#define must(x)                                            \
	do {                                               \
		if (!(x))                                  \
			host_fail(__FILE__, __LINE__, #x); \
	} while (0)
void host_fail(const char *file, int line, const char *what) __attribute__((noreturn));

// Call f. NULL, or the text with which it panicked; a panic that nobody catches is a
// find.
const char *host_catch_panic(void (*f)(void));
void _panic(const char *file, int line, const char *fmt, ...) __attribute__((noreturn));

void *malloc(size_t size);
void free(void *p);

// What is poisoned, AddressSanitizer lets nobody touch.
void __asan_poison_memory_region(const volatile void *at, size_t size);
void __asan_unpoison_memory_region(const volatile void *at, size_t size);

// ---- What an input is read with. After its end come zeroes. ----

struct Input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t
take_byte(struct Input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static inline uint16_t
take_half(struct Input *in)
{
	uint16_t low = take_byte(in);

	return low | take_byte(in) << 8;
}

static inline uint32_t
take_word(struct Input *in)
{
	uint32_t low = take_half(in);

	return low | (uint32_t)take_half(in) << 16;
}

#endif // JOS_FUZZ_HOST_H
