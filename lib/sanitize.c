// In a build with SAN=1, the compiler adds checks to the code of the kernel and of every program.
// When a check fails, the code calls a function in this file, which prints what happened and where,
// and panics. -fsanitize=undefined adds checks for undefined behaviour. -fstack-protector-strong
// adds a guard word below return addresses, and checks that no function has overwritten the guard
// word. The compilers define the names and the arguments of the functions.

#include <inc/assert.h>
#include <inc/types.h>

struct Location {
	const char *file;
	uint32_t line;
	uint32_t column;
};

static __attribute__((noreturn)) void
undefined(const struct Location *where, const char *what)
{
	_panic(where->file, where->line, "undefined behaviour at %s:%u:%u: %s", where->file,
	    where->line, where->column, what);
}

// The checks for which only a fixed text and the location are printed. The data that the compiler
// passes always begins with the location.
#define MISTAKES(X)                                        \
	X(add_overflow, "signed addition overflows")       \
	X(sub_overflow, "signed subtraction overflows")    \
	X(mul_overflow, "signed multiplication overflows") \
	X(negate_overflow, "signed negation overflows")    \
	X(divrem_overflow, "division by 0, or overflow")   \
	X(pointer_overflow, "pointer wraps around")        \
	X(builtin_unreachable, "unreachable code reached") \
	X(missing_return, "function returns no value")     \
	X(vla_bound_not_positive, "array size is below 1") \
	X(load_invalid_value, "value invalid in its type") \
	X(float_cast_overflow, "number is too large")      \
	X(nonnull_arg, "argument is a null pointer")       \
	X(invalid_builtin, "clz or ctz of zero")           \
	X(alignment_assumption, "pointer is not aligned")

#define X(name, what)                                            \
	void __ubsan_handle_##name(const struct Location *);     \
	void __ubsan_handle_##name(const struct Location *where) \
	{                                                        \
		undefined(where, what);                          \
	}
MISTAKES(X)
#undef X

// The compiler passes an index, a shifted value and a shift count as one word each.
void __ubsan_handle_out_of_bounds(const struct Location *where, uintptr_t index);
void __ubsan_handle_shift_out_of_bounds(
    const struct Location *where, uintptr_t value, uintptr_t by);
void __ubsan_handle_type_mismatch_v1(const struct Location *where, uintptr_t pointer);
void __stack_chk_fail(void);

void
__ubsan_handle_out_of_bounds(const struct Location *where, uintptr_t index)
{
	_panic(where->file, where->line, "undefined behaviour at %s:%u:%u: index %d of an array",
	    where->file, where->line, where->column, (int)index);
}

void
__ubsan_handle_shift_out_of_bounds(const struct Location *where, uintptr_t value, uintptr_t by)
{
	_panic(where->file, where->line, "undefined behaviour at %s:%u:%u: %08x is shifted by %d",
	    where->file, where->line, where->column, value, (int)by);
}

// Called when the program uses a null pointer, a misaligned pointer, or a pointer to an object that
// is too small.
void
__ubsan_handle_type_mismatch_v1(const struct Location *where, uintptr_t pointer)
{
	_panic(where->file, where->line, "undefined behaviour at %s:%u:%u: a use of pointer %08x",
	    where->file, where->line, where->column, pointer);
}

// The guard word that -fstack-protector puts below a return address. The word contains a NUL and a
// newline, so a string that overflows its array cannot contain the same word.
uintptr_t __stack_chk_guard = 0x0A0DFF00;

void
__stack_chk_fail(void)
{
	panic("a function has written past the end of an array: it returns to %08x",
	    (uintptr_t)__builtin_return_address(0));
}
