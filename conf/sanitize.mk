# make SAN=1: the compiler adds checks for undefined behaviour and for overwritten stacks. A check
# that fails calls a function in lib/sanitize.c.

ifneq ($(SAN),)
# Not -fsanitize=function, which clang 19 includes: it needs data in front of each function.
SAN_CFLAGS := -fsanitize=undefined $(call cc_options,-fno-sanitize=function) \
    -fstack-protector-strong -mstack-protector-guard=global
KERN_CFLAGS += $(SAN_CFLAGS)
# Some programs use wild pointers or divide by zero on purpose, to trap into the kernel. So programs
# do not get these checks.
USER_CFLAGS += $(SAN_CFLAGS) -fno-sanitize=null,alignment,integer-divide-by-zero
endif
