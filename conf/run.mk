# Running what was built: QEMU, GDB, a CD.

# A port for GDB that another user or another checkout does not have, as far as a hash can do that.
$(call default,GDBPORT,$(shell { id -u; pwd -P; } | cksum | \
    { read -r sum rest; echo $$((20000 + sum % 12000)); }))

# The image is shared and never written to: -snapshot. TCG, because KVM cannot run this kernel on
# every machine, and both must show the same. By the name GDB sees whose machine it is:
# tools/run/gdbport.py. An option's comma is doubled.
comma := ,
NAME := $(call quote,guest=$(subst $(comma),$(comma)$(comma),$(CURDIR)))
QEMUOPTS = -accel tcg -m $(MEM) -smp $(CPUS) -name $(NAME) -serial mon:stdio -nic none -snapshot \
    $(QEMUEXTRA)
DRIVE = -drive file=$(1),index=0,media=disk,format=raw

# With -nographic, the BIOS would talk to the terminal, too, and change its settings.
NO_WINDOW := -display none

# GDB may always connect if the port is free; with -S, the machine waits for that.
GDB_SERVER := -gdb tcp:127.0.0.1:$(GDBPORT)
PORT_IS_FREE = $(PYTHON) tools/run/gdbport.py free $(GDBPORT)
GDB_OPTION = $(if $(shell $(PORT_IS_FREE) >/dev/null 2>&1 && echo free),$(GDB_SERVER))

# If standard input is closed, the first file that QEMU opened would take its place.
STDIN = $(shell { true <&0; } 2>/dev/null || echo '</dev/null')

.PHONY: qemu qemu-nox qemu-gdb qemu-nox-gdb gdb check-qemu
.PHONY: print-qemu print-gdb print-gdbport print-objdir
check-qemu:
	$(call need,$(QEMU),QEMU)

# How a goal runs an image, waiting for GDB or not. $(1): the goal; $(2): the image; $(3): options.
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

# make before 3.82 takes the first pattern that fits, later ones the longest: here these agree.
$(eval $(call run_rules,run-%-nox,$(OBJDIR)/run/%.img,$(NO_WINDOW)))
$(eval $(call run_rules,run-%,$(OBJDIR)/run/%.img,))
$(eval $(call run_rules,qemu-nox,$(OBJDIR)/kern/kernel.img,$(NO_WINDOW)))
$(eval $(call run_rules,qemu,$(OBJDIR)/kern/kernel.img,))

# A program that is not there is named before anything is built.
RUN_NAMES := $(patsubst %-nox,%,$(patsubst %-gdb,%,$(patsubst run-%,%,$(filter run-%,$(GOALS)))))
$(foreach n,$(RUN_NAMES) $(patsubst prep-%,%,$(filter prep-%,$(GOALS))),$(call check_program,$(n)))

# Build what run-NAME would run as kernel.img, where it stays until the next make.
prep-%: FORCE
	$(V)$(MAKE) --no-print-directory CMDLINE='$(call program,$*)' $(OBJDIR)/kern/kernel.img
	@echo "$(OBJDIR)/kern/kernel.img runs $(call program,$*)"

# Made anew each time, since it depends on settings.
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

# A CD that a PC starts by GRUB.
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
