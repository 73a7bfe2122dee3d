// What the compiler calls when `make SAN=1` has made it check the code: behaviour that C
// leaves undefined (-fsanitize=undefined), and functions that wrote beyond their arrays
// into the word between those and the return address (-fstack-protector-strong). Each
// says what and where, and ends the kernel or the program. Linked under SAN=1 alone, into
// both; the names and what is passed are the compilers'.

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

// The mistakes that the place says enough about. Everything that the compiler passes
// begins with the place.
#define MISTAKES(X)                                        \
	X(add_overflow, "signed addition overflows")       \
	X(sub_overflow, "signed subtraction overflows")    \
	X(mul_overflow, "signed multiplication overflows") \
	X(negate_overflow, "signed negation overflows")    \
	X(divrem_overflow, "division by 0, or overflows")  \
	X(pointer_overflow, "pointer wraps around")        \
	X(builtin_unreachable, "unreachable code reached") \
	X(missing_return, "function returns no value")     \
	X(vla_bound_not_positive, "array of no elements")  \
	X(load_invalid_value, "value is none of its type") \
	X(float_cast_overflow, "number is too large")      \
	X(nonnull_arg, "argument is a null pointer")       \
	X(invalid_builtin, "zero has no such bit")         \
	X(alignment_assumption, "pointer is not aligned")

#define X(name, what)                                            \
	void __ubsan_handle_##name(const struct Location *);     \
	void __ubsan_handle_##name(const struct Location *where) \
	{                                                        \
		undefined(where, what);                          \
	}
MISTAKES(X)
#undef X

// An index, or how far to shift, is a value of at most a word.
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

// A pointer that is null, not aligned, or to an object that is too small.
void
__ubsan_handle_type_mismatch_v1(const struct Location *where, uintptr_t pointer)
{
	_panic(where->file, where->line, "undefined behaviour at %s:%u:%u: a use of pointer %08x",
	    where->file, where->line, where->column, pointer);
}

// What stands below a return address. A string that runs over would have to hold a NUL and
// a newline to put it back.
uintptr_t __stack_chk_guard = 0x0A0DFF00;

void
__stack_chk_fail(void)
{
	panic("a function has written beyond its arrays: it ends at %08x",
	    (uintptr_t)__builtin_return_address(0));
}
