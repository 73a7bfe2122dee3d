#ifndef JOS_FUZZ_HOST_H
#define JOS_FUZZ_HOST_H

// What a fuzz target needs from the host (host.c). The kernel's headers and the C library's
// headers conflict, so this file includes only headers that both can use.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Physical memory is mapped here instead of at 0xf0000000, where the host has its libraries and
// stack: KERNMAX bytes for the kernel, then HOST_EXTRA bytes that the kernel does not know, for
// the target's own use.
#define HOST_KERNBASE 0x50000000U
#define HOST_EXTRA    0x00100000U

// libFuzzer calls this function with each input. It returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Check a property that the kernel's code guarantees. If x is false, this input has found a bug.
#define must(x)                                            \
	do {                                               \
		if (!(x))                                  \
			host_fail(__FILE__, __LINE__, #x); \
	} while (0)
void host_fail(const char *file, int line, const char *what) __attribute__((noreturn));

// Call f. Returns NULL, or the message if f panicked. A panic outside of host_catch_panic counts as
// a bug that was found.
const char *host_catch_panic(void (*f)(void));
void _panic(const char *file, int line, const char *fmt, ...) __attribute__((noreturn));

void *malloc(size_t size);
void free(void *p);

// AddressSanitizer reports every access to poisoned memory.
void __asan_poison_memory_region(const volatile void *at, size_t size);
void __asan_unpoison_memory_region(const volatile void *at, size_t size);

// ---- Reading an input. After its end, the functions return 0. ----

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
