# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing with clang's libFuzzer: each test/fuzz/NAME.c is a target, with what it
# tests compiled for it; tools/fuzz.py runs them from test/fuzz/corpus/NAME.
# Some of them run the kernel itself, on the machine of test/fuzz/machine.

FUZZ_CC  := clang
FUZZ_OUT := build/fuzz
FUZZ_C   := $(sort $(wildcard test/fuzz/*.c))
FUZZERS  := $(FUZZ_C:test/fuzz/%.c=$(FUZZ_OUT)/bin/%)
FUZZ_CHOSEN := $(if $(T),$(strip $(foreach fuzzer,$(FUZZERS),$(if \
    $(findstring $(T),$(notdir $(fuzzer))),$(fuzzer)))),$(FUZZERS))
SECONDS  ?= 60

# The kernel's machine: contexts and CPUs are x86_64's records, memory and the rest our own.
FUZZ_MACHINE_C  := $(sort $(wildcard test/fuzz/machine/*.c))
FUZZ_KERNEL_C   := $(filter-out %_test.c kernel/panic.c kernel/symbols.c,$(wildcard kernel/*.c))
FUZZ_KERNEL     := methods ring_pages
FUZZ_INCLUDES   := -Itest/fuzz/machine/include -Iarch/include -Iarch/x86_64/include

# How they are compiled, and linked: fuzz-coverage has it another way.
FUZZ_CHECKS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_LINKS  := -fsanitize=fuzzer,address,undefined

FUZZ_CFLAGS := -std=gnu17 -O2 -g -fno-omit-frame-pointer -fno-strict-aliasing -I. -Iuser/include \
    $(FUZZ_INCLUDES) -DCONFIG_ASSERT -DCONFIG_FAULT_POINTS $(FUZZ_CHECKS) \
    $(WARNINGS) $(WARNINGS_clang) -Wno-enum-conversion -Wno-missing-prototypes
FUZZ_STAMP := $(FUZZ_OUT)/fuzz.flags
$(eval $(call flags_stamp,$(FUZZ_STAMP),$(FUZZ_CC) $(FUZZ_CFLAGS) $(HOST_LIB_C) $(HOST_HELP_C) \
    $(FUZZ_KERNEL_C) $(FUZZ_MACHINE_C)))

$(FUZZ_OUT)/%.o: %.c $(FUZZ_STAMP)
	$(call say,CC,$< (fuzz))
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

# What checks is no target: the fuzzer need not look into the audit and the model, and they
# compare so much that to trace it would take most of the time.
FUZZ_CHECK_C := $(filter core/audit% core/test_%,$(HOST_LIB_C)) $(HOST_HELP_C)
$(FUZZ_CHECK_C:%.c=$(FUZZ_OUT)/%.o): FUZZ_CFLAGS += -fno-sanitize=fuzzer-no-link

$(FUZZ_OUT)/libfuzzed.a: $(HOST_LIB_C:%.c=$(FUZZ_OUT)/%.o) $(HOST_HELP_C:%.c=$(FUZZ_OUT)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(FUZZ_OUT)/libkernel.a: $(FUZZ_KERNEL_C:%.c=$(FUZZ_OUT)/%.o) $(FUZZ_MACHINE_C:%.c=$(FUZZ_OUT)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(FUZZ_KERNEL:%=$(FUZZ_OUT)/bin/%): $(FUZZ_OUT)/libkernel.a
$(FUZZERS): $(FUZZ_OUT)/bin/%: $(FUZZ_OUT)/test/fuzz/%.o $(FUZZ_OUT)/libfuzzed.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_LINKS) -o $@ $(filter %.o,$^) \
	    $(filter %libkernel.a,$^) $(FUZZ_OUT)/libfuzzed.a -lcmocka

-include $(FUZZ_C:%.c=$(FUZZ_OUT)/%.d) $(HOST_LIB_C:%.c=$(FUZZ_OUT)/%.d) \
    $(HOST_HELP_C:%.c=$(FUZZ_OUT)/%.d) $(FUZZ_KERNEL_C:%.c=$(FUZZ_OUT)/%.d) \
    $(FUZZ_MACHINE_C:%.c=$(FUZZ_OUT)/%.d)

.PHONY: fuzz test-fuzz fuzz-coverage
# $(call run_fuzzers,SUITE,SECONDS,more options)
run_fuzzers = tools/fuzz.py --results $(RESULTS)/$(1) --out $(FUZZ_OUT) \
    --corpus test/fuzz/corpus --seconds $(call shell_quote,$(2)) $(3) \
    --only $(call shell_quote,$(T)) --known "$(notdir $(FUZZERS))" $(FUZZ_CHOSEN)

fuzz: $(FUZZ_CHOSEN) ## fuzz core, kernel and parsers, SECONDS=60 each (T=elf: one)
	@$(call run_fuzzers,fuzz,$(SECONDS))

test-fuzz: $(FUZZ_CHOSEN) ## the same, ten seconds each, from the seeds
	@$(call run_fuzzers,test-fuzz,10,--fresh)

# Without sanitizers, whose branches no input takes.
fuzz-coverage: ## lines that seeds and finds reach, functions never entered (T=core: one)
	$(Q)$(MAKE) --no-print-directory FUZZ_OUT=build/fuzz-coverage \
	    FUZZ_CHECKS="-fprofile-instr-generate -fcoverage-mapping" \
	    FUZZ_LINKS="-fsanitize=fuzzer -fprofile-instr-generate" \
	    $(FUZZ_CHOSEN:$(FUZZ_OUT)/%=build/fuzz-coverage/%)
	@tools/fuzz_coverage.py --functions --out build/fuzz-coverage \
	    --inputs test/fuzz/corpus build/fuzz/found \
	    --programs $(FUZZ_CHOSEN:$(FUZZ_OUT)/%=build/fuzz-coverage/%)
