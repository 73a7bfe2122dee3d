# Targets that grade, test and measure. Each runs a tool. models/Makefrag and fuzz/Makefrag have
# similar targets. docs/make.md describes the settings.

.PHONY: grade check format bench fuzz stress mutants starter grade-the-grader

grade: all
	$(V)$(PYTHON) ./grade-lab$(LAB) $(GRADEFLAGS)

check: all
	$(V)$(PYTHON) tools/check/check.py $(TESTS)

format:
	$(V)$(PYTHON) tools/check/format.py

bench: all check-qemu
	$(V)$(PYTHON) tools/measure/bench.py $(if $(BASE),--base '$(BASE)') \
	    $(if $(RUNS),--runs '$(RUNS)') $(BENCH)

# Without SEED, each run uses another seed.
$(call default,CALLS,1000000)
fuzz: all
	$(V)$(PYTHON) tools/check/fuzz.py --calls $(CALLS) $(if $(SEED),--seed $(SEED))

$(call default,SEEDS,10)
$(call default,FIRST,1)
stress: all
	$(V)$(PYTHON) tools/check/stress.py --seeds $(SEEDS) --first $(FIRST) $(STRESS)

mutants: all
	$(V)$(PYTHON) tools/check/mutants.py $(MUTANTS)

starter:
	$(V)$(PYTHON) tools/teach/starter.py --lab=$(call quote,$(LAB)) \
	    --exercises=$(call quote,$(EXERCISES)) -- $(call quote,$(DEST))

# With VARIANTS=1, try the right kernels in tests/variants, not the mistakes in tests/mistakes.
grade-the-grader: all
	$(V)$(PYTHON) tools/check/mistakes.py $(if $(filter-out 0,$(VARIANTS)),--variants) $(MISTAKES)
