# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing with clang's libFuzzer: each test/fuzz/NAME.c is a target, with what it
# tests compiled for it; tools/fuzz.py runs them from test/fuzz/corpus/NAME.

FUZZ_CC  := clang
FUZZ_OUT := build/fuzz
FUZZ_C   := $(sort $(wildcard test/fuzz/*.c))
FUZZERS  := $(FUZZ_C:test/fuzz/%.c=$(FUZZ_OUT)/bin/%)
FUZZ_CHOSEN := $(if $(T),$(strip $(foreach fuzzer,$(FUZZERS),$(if \
    $(findstring $(T),$(notdir $(fuzzer))),$(fuzzer)))),$(FUZZERS))
SECONDS  ?= 60

FUZZ_CFLAGS := -std=gnu17 -O2 -g -fno-omit-frame-pointer -I. -Iuser/include -DCONFIG_ASSERT \
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
    $(WARNINGS) $(WARNINGS_clang) -Wno-enum-conversion -Wno-missing-prototypes
FUZZ_STAMP := $(FUZZ_OUT)/fuzz.flags
$(eval $(call flags_stamp,$(FUZZ_STAMP),$(FUZZ_CC) $(FUZZ_CFLAGS) $(HOST_LIB_C) $(HOST_HELP_C)))

$(FUZZ_OUT)/%.o: %.c $(FUZZ_STAMP)
	$(call say,CC,$< (fuzz))
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_OUT)/libfuzzed.a: $(HOST_LIB_C:%.c=$(FUZZ_OUT)/%.o) $(HOST_HELP_C:%.c=$(FUZZ_OUT)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(FUZZERS): $(FUZZ_OUT)/bin/%: $(FUZZ_OUT)/test/fuzz/%.o $(FUZZ_OUT)/libfuzzed.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ -lcmocka

-include $(FUZZ_C:%.c=$(FUZZ_OUT)/%.d) $(HOST_LIB_C:%.c=$(FUZZ_OUT)/%.d) \
    $(HOST_HELP_C:%.c=$(FUZZ_OUT)/%.d)

.PHONY: fuzz
fuzz: $(FUZZ_CHOSEN) ## fuzz core and parsers, SECONDS=60 each (T=elf: one)
	@tools/fuzz.py --results $(RESULTS)/fuzz --out $(FUZZ_OUT) --corpus test/fuzz/corpus \
	    --seconds $(call shell_quote,$(SECONDS)) --only $(call shell_quote,$(T)) \
	    --known "$(notdir $(FUZZERS))" $(FUZZ_CHOSEN)
