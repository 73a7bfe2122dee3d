# Targets that run the kernel: QEMU, GDB, a CD.

# The TCP port of GDB, from a hash of the user and the folder: two users, or two checkouts, have
# different ports, unless the hashes collide.
$(call default,GDBPORT,$(shell { id -u; pwd -P; } | cksum | \
    { read -r sum rest; echo $$((20000 + sum % 12000)); }))

# -snapshot: QEMU does not write to the image, because several machines may use it. -accel tcg: all
# computers give the same results, also those without KVM. -name: says to which checkout a machine
# belongs (see tools/run/gdbport.py); QEMU needs a comma in a name to be doubled.
comma := ,
NAME := $(call quote,guest=$(subst $(comma),$(comma)$(comma),$(CURDIR)))
QEMUOPTS = -accel tcg -m $(MEM) -smp $(CPUS) -name $(NAME) -serial mon:stdio -nic none -snapshot \
    $(QEMUEXTRA)
DRIVE = -drive file=$(1),index=0,media=disk,format=raw

# Not -nographic: with this option, the BIOS writes to the terminal too, and changes its settings.
NO_WINDOW := -display none

# QEMU always listens for GDB if the port is free. With -S, QEMU waits until GDB connects.
GDB_SERVER := -gdb tcp:127.0.0.1:$(GDBPORT)
PORT_IS_FREE = $(PYTHON) tools/run/gdbport.py free $(GDBPORT)
GDB_OPTION = $(if $(shell $(PORT_IS_FREE) >/dev/null 2>&1 && echo free),$(GDB_SERVER))

# If standard input is closed, use /dev/null. Otherwise the first file that QEMU opens would become
# its standard input.
STDIN = $(shell { true <&0; } 2>/dev/null || echo '</dev/null')

.PHONY: qemu qemu-nox qemu-gdb qemu-nox-gdb gdb check-qemu
.PHONY: print-qemu print-gdb print-gdbport print-objdir
check-qemu:
	$(call need,$(QEMU),QEMU)

# $(call run_rules,TARGET,IMAGE,OPTIONS): the rules for a target and for the same target with -gdb.
define run_rules
$(1)-gdb: $(2) check-qemu .gdbinit
	@$$(PORT_IS_FREE)
	@$$(LOCK) release $$$$PPID $(OBJDIR)
	@echo "*** Now run 'make gdb' in another window." >&2
	$$(V)$$(QEMU) $(3) $$(call DRIVE,$$<) $$(QEMUOPTS) $$(GDB_SERVER) -S $$(STDIN)
$(1): $(2) check-qemu
	@$$(LOCK) release $$$$PPID $(OBJDIR)
	@echo "*** Use Ctrl-a x to exit qemu" >&2
	$$(V)$$(QEMU) $(3) $$(call DRIVE,$$<) $$(QEMUOPTS) $$(GDB_OPTION) $$(STDIN)
endef

# GNU make 3.81 uses the first pattern that matches, later versions the most specific pattern. In
# this order, all versions use the same rule.
$(eval $(call run_rules,run-%-nox,$(OBJDIR)/run/%.img,$(NO_WINDOW)))
$(eval $(call run_rules,run-%,$(OBJDIR)/run/%.img,))
$(eval $(call run_rules,qemu-nox,$(OBJDIR)/kern/kernel.img,$(NO_WINDOW)))
$(eval $(call run_rules,qemu,$(OBJDIR)/kern/kernel.img,))

# Record a run of program NAME on the terminal, and then replay it in GDB. QEMU can do this with one
# CPU only, whatever CPUS is.
REPLAY = $(PYTHON) tools/run/replay.py
replay-%: $(OBJDIR)/kern/kernel check-qemu
	$(call need,$(GDB),GDB)
	@$(LOCK) release $$PPID $(OBJDIR)
	$(V)for action in record replay; do $(REPLAY) $$action $(call program,$*) --qemu '$(QEMU)' \
	    --gdb '$(GDB)' --objdir '$(OBJDIR)' --memory $(MEM) -- $(QEMUEXTRA) || exit; done

# If the program does not exist, stop before building anything.
RUN_NAMES := $(patsubst %-nox,%,$(patsubst %-gdb,%,$(patsubst run-%,%,$(filter run-%,$(GOALS)))))
OTHER_NAMES := $(patsubst prep-%,%,$(filter prep-%,$(GOALS))) \
    $(patsubst trace-%,%,$(filter trace-%,$(GOALS))) \
    $(patsubst memmap-%,%,$(filter memmap-%,$(GOALS))) \
    $(patsubst replay-%,%,$(filter replay-%,$(GOALS)))
$(foreach n,$(RUN_NAMES) $(OTHER_NAMES),$(call check_program,$(n)))

# Build kernel.img so that it starts program NAME. The next make builds the usual image again.
prep-%: FORCE
	$(V)$(MAKE) --no-print-directory CMDLINE='$(call program,$*)' $(OBJDIR)/kern/kernel.img
	@echo "$(OBJDIR)/kern/kernel.img runs $(call program,$*)"

# Run program NAME with the kernel's trace, and show the trace (docs/trace.md).
trace-%: all check-qemu FORCE
	@$(LOCK) release $$PPID $(OBJDIR)
	$(V)$(PYTHON) tools/see/trace.py --cpus $(CPUS) --memory $(MEM) \
	    --addr2line '$(GCCPREFIX)addr2line' --qemu-options=$(call quote,$(QEMUEXTRA)) $(TRACE) \
	    '$(call program,$*)'

# A page that shows memory when program NAME gets to the place AT: tools/see/stop.py.
$(call default,AT,exit)
memmap-%: $(OBJDIR)/kern/kernel.img check-qemu FORCE
	@$(LOCK) release $$PPID $(OBJDIR)
	$(V)$(PYTHON) tools/see/memmap.py --at=$(call quote,$(AT)) --cpus $(CPUS) --memory $(MEM) \
	    --qemu-options=$(call quote,$(QEMUEXTRA)) $(call program,$*)

# Made every time, because it depends on the settings.
.gdbinit: conf/gdbinit.tmpl FORCE
	@sed -e 's|@PYTHON@|$(PYTHON)|g' -e 's|@GDBPORT@|$(GDBPORT)|g' -e 's|@OBJDIR@|$(OBJDIR)|g' \
	    $< > $@

gdb: .gdbinit
	$(call need,$(GDB),GDB)
	$(call need,$(PYTHON),Python 3)
	$(V)$(GDB) -q -n -x .gdbinit

print-qemu:
	@echo $(QEMU)

print-gdb:
	@echo $(GDB)

print-gdbport:
	@echo $(GDBPORT)

print-objdir:
	@echo '$(OBJDIR)'

# A CD with GRUB and the kernel.
.PHONY: iso
iso: $(OBJDIR)/jos.iso
$(OBJDIR)/jos.iso: $(OBJDIR)/kern/kernel $(call stamps,CMDLINE)
	$(call need,$(GRUB_MKRESCUE),GRUB's tools)
	$(call need,xorriso,xorriso)
	$(call need,mformat,mtools)
	@echo "iso $@"
	@mkdir -p $(OBJDIR)/iso/boot/grub
	$(V)$(OBJCOPY) --strip-all $< $(OBJDIR)/iso/boot/kernel
	@printf 'set timeout=0\nmenuentry JOS {\n\tmultiboot /boot/kernel %s\n}\n' \
	    $(call quote,$(CMDLINE)) > $(OBJDIR)/iso/boot/grub/grub.cfg
	$(V)$(GRUB_MKRESCUE) -o $@ $(OBJDIR)/iso > $(OBJDIR)/iso.log 2>&1 || \
	    { cat $(OBJDIR)/iso.log; exit 1; }
