# The settings: variables that you may set on make's command line, in the environment, or in
# conf/env.mk. The command line overrides the environment, and both override conf/env.mk. Variables
# that are not set have the defaults below. docs/make.md describes each variable.

SETTINGS := AT BASE BENCH CALLS CC CFLAGS CHALLENGES CMDLINE CPUS DEFS DEST EXERCISES FIRST FUZZ \
    FUZZ_CC FUZZ_RUNS FUZZ_SEED GCCPREFIX GDB GDBPORT GRADEFLAGS GRUB_MKRESCUE INIT_CFLAGS LAB \
    LABDEFS MEM MISTAKES MUTANTS OBJDIR OPT PYTHON QEMU QEMUEXTRA RUNS SAN SEED SEEDS STRESS \
    TESTS TRACE V VARIANTS WERROR

# An assignment in conf/env.mk would override the environment. So save the values from the
# environment, and restore them afterwards.
FROM_ENVIRONMENT := $(foreach s,$(SETTINGS),$(if $(filter environment,$(origin $(s))),$(s)))
$(foreach s,$(FROM_ENVIRONMENT),$(eval environment.$(s) := $$(value $(s))))
-include conf/env.mk
$(foreach s,$(FROM_ENVIRONMENT),$(eval $(s) := $$(environment.$(s))))

# A mistyped name on the command line is an error. MAKEOVERRIDES has the NAME=VALUE words of the
# command line. A value with blanks is several words there; $(origin) says which words are names.
GIVEN := $(foreach w,$(MAKEOVERRIDES),$(firstword $(subst =, ,$(subst :=,=,$(subst +=,=,$(w))))))
OTHER_TOOLS := AR LD MAKE NM OBJCOPY OBJDUMP SHELL
UNKNOWN := $(foreach v,$(filter-out $(SETTINGS) $(OTHER_TOOLS),$(GIVEN)),\
    $(if $(filter command,$(origin $(v))),$(v)))
ifneq ($(strip $(UNKNOWN)),)
$(error $(firstword $(UNKNOWN))= is not a setting here. The settings are: $(SETTINGS))
endif

# $(call default,NAME,VALUE): set a variable that is empty, or has only make's built-in value.
default = $(if $(and $(strip $($(1))),$(filter-out default,$(origin $(1)))),,\
    $(eval override $(1) := $(2)))

# SAN=0 and WERROR=0 mean "off". V is the prefix of recipes: @ hides the command, V=1 shows it.
override SAN := $(filter-out 0,$(SAN))
override WERROR := $(filter-out 0,$(WERROR))
override V := $(if $(filter-out 0 @,$(V)),,@)

# CHALLENGES= builds the kernel without kern/challenge/.
ifeq ($(origin CHALLENGES),undefined)
CHALLENGES := 1
endif
override CHALLENGES := $(filter-out 0,$(CHALLENGES))

# A build with SAN=1 or CHALLENGES= uses another folder.
$(call default,OBJDIR,obj$(if $(SAN),/san)$(if $(CHALLENGES),,/core))
$(call default,CPUS,1)
$(call default,MEM,128)
$(call default,OPT,-O2)
# With -DTEST=user_NAME, kern/init.c starts that program, and the command line starts none.
ifeq ($(origin CMDLINE),undefined)
CMDLINE := $(if $(filter -DTEST=%,$(DEFS) $(INIT_CFLAGS)),,yield yield yield)
endif

# $(call check_number,NAME,MAX)
is_number = $(shell [ '$(1)' -ge 1 ] 2>/dev/null && [ '$(1)' -le $(2) ] && echo yes)
check_number = $(if $(call is_number,$($(1)),$(2)),,\
    $(error $(1)=$($(1)) is not a number from 1 to $(2)))
$(call check_number,CPUS,255)
$(if $(GDBPORT),$(call check_number,GDBPORT,65535))

LEVELS := -O0 -O1 -O2 -O3 -Os -Og
ifeq ($(filter $(LEVELS),$(OPT)),)
$(error OPT=$(OPT) is not one of $(LEVELS))
endif

# `make clean` removes $(OBJDIR), so this folder must not contain sources. The path of the project
# may have blanks, which would end a word for make: compare the paths without them.
no_blanks = $(subst $(subst ,, ),?,$(1))
HERE := $(call no_blanks,$(CURDIR))
PLACE := $(call no_blanks,$(abspath $(OBJDIR)))
SOURCES := .ci .git boot conf docs fuzz inc kern lib models starter tests tools user
SOURCES := / $(addprefix $(HERE)/,$(SOURCES) $(addsuffix /%,$(SOURCES)))
ifneq ($(filter $(SOURCES),$(or $(PLACE),/)),)
$(error OBJDIR=$(OBJDIR) contains files of the project, which make clean would remove)
endif
ifneq ($(words $(OBJDIR))$(filter $(PLACE)/%,$(HERE)/),1)
$(error OBJDIR=$(OBJDIR) must be a folder only for build products, with no blank in its name)
endif
