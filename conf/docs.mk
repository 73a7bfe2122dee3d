# The handbook as a site: the pages of docs/, with a search and a timeline.
.PHONY: docs
docs: all check-qemu
	$(V)$(PYTHON) tools/build/docsite.py --check
	$(V)$(MAKE) --no-print-directory trace-stresssched CPUS=4
	$(V)$(PYTHON) tools/build/docsite.py --timeline $(OBJDIR)/trace/stresssched.html \
	    --output $(OBJDIR)/docs
