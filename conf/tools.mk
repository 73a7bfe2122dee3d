# The programs that make runs: where they are, and what to say if they are not.
#
# GNU make before 4.3 runs `command` without a shell, and does not find it, unless there is a
# character in the line that only a shell understands: each $(shell) here has a > or a ;.

# The first of some programs that is there; otherwise the first name, for a message.
find = $(or $(shell for p in $(1); do \
    if command -v $$p >/dev/null 2>&1; then echo $$p; break; fi; done),$(firstword $(1)))

$(call default,PYTHON,python3)
$(call default,GDB,$(call find,gdb gdb-multiarch i386-elf-gdb i686-elf-gdb x86_64-elf-gdb))
$(call default,QEMU,$(call find,qemu-system-i386 qemu-system-x86_64))
$(call default,GRUB_MKRESCUE,$(call find,grub-mkrescue grub2-mkrescue i686-elf-grub-mkrescue))

# The first binutils that can link 32-bit x86: on most PCs those without a prefix.
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

# A program that is missing is named before something fails without it.
have = $(shell command -v '$(firstword $(1))' 2>/dev/null)
need = $(if $(call have,$(1)),,\
    $(error $(firstword $(1)) is missing: conf/setup installs what is needed ($(2))))

GOALS := $(or $(MAKECMDGOALS),all)
CLEANERS := clean realclean distclean
ASKERS := help print-% gdb .gdbinit # Targets that build nothing
ifneq ($(filter-out $(CLEANERS) $(ASKERS),$(GOALS)),)
$(call need,$(CC),a C compiler for 32-bit x86: gcc or clang)
$(call need,$(LD),GNU binutils)
$(call need,$(PYTHON),Python 3)
endif

# What has an influence on all that is compiled or linked: another version of the compiler has.
TOOLCHAIN := $(CC) $(shell $(CC) --version 2>/dev/null | head -n 1) $(LD) $(OBJCOPY)

# The options among $(1) that this compiler knows.
cc_options = $(foreach o,$(1),$(shell $(CC) -Werror $(o) -E -x c /dev/null >/dev/null 2>&1 \
    && echo $(o)))

# All cores are used, unless -j says how many or several goals want an order of their own. To clean
# and to build at the same time would be a mistake even with -j.
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS))$(word 2,$(GOALS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
endif
ifneq ($(and $(filter $(CLEANERS),$(GOALS)),$(word 2,$(GOALS))),)
.NOTPARALLEL:
endif

# One make at a time in a folder: make has it until it ends, or starts QEMU (conf/run.mk). Nothing
# is built by make -n or -q, whose letters are in the first word of MAKEFLAGS.
FLAG_LETTERS := $(firstword -$(MAKEFLAGS))
LOCK = $(PYTHON) tools/build/buildlock.py
ifneq ($(filter-out $(ASKERS),$(GOALS)),)
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
