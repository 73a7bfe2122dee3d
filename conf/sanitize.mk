# make SAN=1: the compiler adds checks for undefined behaviour and for overwritten stacks. A check
# that fails calls a function in lib/sanitize.c.

ifneq ($(SAN),)
# Not -fsanitize=function, which clang 19 includes: it needs data in front of each function.
SAN_CFLAGS := -fsanitize=undefined $(call cc_options,-fno-sanitize=function) \
    -fstack-protector-strong -mstack-protector-guard=global
KERN_CFLAGS += $(SAN_CFLAGS)
# Programs use wild pointers and divide by zero on purpose: these must reach the kernel.
USER_CFLAGS += $(SAN_CFLAGS) -fno-sanitize=null,alignment,integer-divide-by-zero
endif
