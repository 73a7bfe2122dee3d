# Find the programs that make runs, and report missing ones.
#
# Each $(shell) here contains > or ;. Without such a character, GNU make before 4.3 runs the command
# without a shell, and then cannot find `command`, which is a part of the shell.

# $(call find,NAMES): the first of these programs that is installed. If none is installed, the first
# name, for an error message.
find = $(or $(shell for p in $(1); do \
    if command -v $$p >/dev/null 2>&1; then echo $$p; break; fi; done),$(firstword $(1)))

$(call default,PYTHON,python3)
$(call default,GDB,$(call find,gdb gdb-multiarch i386-elf-gdb i686-elf-gdb x86_64-elf-gdb))
$(call default,QEMU,$(call find,qemu-system-i386 qemu-system-x86_64))
$(call default,GRUB_MKRESCUE,$(call find,grub-mkrescue grub2-mkrescue i686-elf-grub-mkrescue))

# The prefix of binutils that can link 32-bit x86 code. On most PCs, no prefix is needed.
ifeq ($(origin GCCPREFIX),undefined)
GCCPREFIX := $(shell for p in i386-elf- i686-elf- '' i686-linux-gnu- x86_64-elf-; do \
    if "$$p"ld -m elf_i386 -v >/dev/null 2>&1; then echo "$$p"; break; fi; done)
endif
$(call default,CC,$(GCCPREFIX)gcc)
$(call default,LD,$(GCCPREFIX)ld)
$(call default,AR,$(GCCPREFIX)ar)
NM := $(GCCPREFIX)nm
OBJCOPY := $(GCCPREFIX)objcopy
OBJDUMP := $(GCCPREFIX)objdump

# $(call need,PROGRAM,DESCRIPTION): stop with a message if a program is missing.
have = $(shell command -v '$(firstword $(1))' 2>/dev/null)
need = $(if $(call have,$(1)),,\
    $(error $(firstword $(1)) is missing: conf/setup installs what is needed ($(2))))

GOALS := $(or $(MAKECMDGOALS),all)
CLEANERS := clean realclean distclean
# Targets that build nothing.
QUERIES := help print-% gdb .gdbinit format starter
ifneq ($(filter-out $(CLEANERS) $(QUERIES),$(GOALS)),)
$(call need,$(CC),a C compiler for 32-bit x86: gcc or clang)
$(call need,$(LD),GNU binutils)
$(call need,$(PYTHON),Python 3)
endif

# When this value changes, for example with another version of the compiler, make builds everything
# again.
TOOLCHAIN := $(CC) $(shell $(CC) --version 2>/dev/null | head -n 1) $(LD) $(OBJCOPY)

# $(call cc_options,OPTIONS): the options that this compiler supports.
cc_options = $(foreach o,$(1),$(shell $(CC) -Werror $(o) -E -x c /dev/null >/dev/null 2>&1 \
    && echo $(o)))

# Use all cores, unless -j gives a number, or the command line has several targets, which may need
# this order. Cleaning and building never run at the same time, not even with -j.
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS))$(word 2,$(GOALS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
endif
ifneq ($(and $(filter $(CLEANERS),$(GOALS)),$(word 2,$(GOALS))),)
.NOTPARALLEL:
endif

# Only one make at a time builds in a folder. make holds a lock until it ends or starts QEMU
# (conf/run.mk). make -n and make -q build nothing and take no lock. The first word of MAKEFLAGS has
# the letters of these options.
FLAG_LETTERS := $(firstword -$(MAKEFLAGS))
LOCK = $(PYTHON) tools/build/buildlock.py
ifneq ($(filter-out $(QUERIES),$(GOALS)),)
ifeq ($(findstring n,$(FLAG_LETTERS))$(findstring q,$(FLAG_LETTERS)),)
LOCKED := $(OBJDIR) $(if $(filter $(CLEANERS),$(GOALS)),\
    $(patsubst %/.lock,%,$(wildcard $(OBJDIR)/*/.lock)))
ifneq ($(call have,$(PYTHON)),)
ifeq ($(shell $(LOCK) take $$PPID $(LOCKED) && echo taken),)
$(error not built)
endif
endif
endif
endif
