# Targets that run what was built: QEMU, GDB, a CD.

# The TCP port of GDB, from a hash of the user and the folder: two users, or two checkouts, have
# different ports, unless the hashes collide.
$(call default,GDBPORT,$(shell { id -u; pwd -P; } | cksum | \
    { read -r sum rest; echo $$((20000 + sum % 12000)); }))

# -snapshot: never write to the image, which several machines may use. -accel tcg: not every
# computer has KVM, and all must show the same. -name: GDB learns from it to which checkout a
# machine belongs (tools/run/gdbport.py); a comma in it must be doubled.
comma := ,
NAME := $(call quote,guest=$(subst $(comma),$(comma)$(comma),$(CURDIR)))
QEMUOPTS = -accel tcg -m $(MEM) -smp $(CPUS) -name $(NAME) -serial mon:stdio -nic none -snapshot \
    $(QEMUEXTRA)
DRIVE = -drive file=$(1),index=0,media=disk,format=raw

# Not -nographic: with it, the BIOS also writes to the terminal, and changes its settings.
NO_WINDOW := -display none

# QEMU always lets GDB connect if the port is free. With -S, QEMU waits until GDB connects.
GDB_SERVER := -gdb tcp:127.0.0.1:$(GDBPORT)
PORT_IS_FREE = $(PYTHON) tools/run/gdbport.py free $(GDBPORT)
GDB_OPTION = $(if $(shell $(PORT_IS_FREE) >/dev/null 2>&1 && echo free),$(GDB_SERVER))

# If standard input is closed, the first file that QEMU opens would become its standard input.
STDIN = $(shell { true <&0; } 2>/dev/null || echo '</dev/null')

.PHONY: qemu qemu-nox qemu-gdb qemu-nox-gdb gdb check-qemu
.PHONY: print-qemu print-gdb print-gdbport print-objdir
check-qemu:
	$(call need,$(QEMU),QEMU)

# The rules for one target and for the same target with -gdb. $(1): the target; $(2): the image;
# $(3): options.
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

# GNU make 3.81 takes the first pattern that matches, later versions the most specific one. In this
# order, both take the same.
$(eval $(call run_rules,run-%-nox,$(OBJDIR)/run/%.img,$(NO_WINDOW)))
$(eval $(call run_rules,run-%,$(OBJDIR)/run/%.img,))
$(eval $(call run_rules,qemu-nox,$(OBJDIR)/kern/kernel.img,$(NO_WINDOW)))
$(eval $(call run_rules,qemu,$(OBJDIR)/kern/kernel.img,))

# Stop before anything is built if the program does not exist.
RUN_NAMES := $(patsubst %-nox,%,$(patsubst %-gdb,%,$(patsubst run-%,%,$(filter run-%,$(GOALS)))))
$(foreach n,$(RUN_NAMES) $(patsubst prep-%,%,$(filter prep-%,$(GOALS))),$(call check_program,$(n)))

# Build kernel.img so that it starts program NAME. The next make builds the usual one again.
prep-%: FORCE
	$(V)$(MAKE) --no-print-directory CMDLINE='$(call program,$*)' $(OBJDIR)/kern/kernel.img
	@echo "$(OBJDIR)/kern/kernel.img runs $(call program,$*)"

# Made each time, because it depends on the settings.
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
