# SPDX-License-Identifier: BSD-2-Clause
# The test suites.  Each leaves "passed failed" in $(RESULTS)/SUITE; `make test`
# runs them all and adds up.
#
# lib:   core/*_test.c, base/*_test.c and test/model/*_test.c are programs, each
#        linked with all of core and base and the helpers of test/host, test/model.
# qemu:  test/qemu/*.toml, see test/qemu/run_tests.py.
# tools: tools/*_test.py.

HOST_OUT    := build/host$(if $(filter gcc,$(CC)),,-$(notdir $(CC)))
HOST_LIB_C  := $(sort $(shell find core base test/host -name '*.c' ! -name '*_test.c' 2>/dev/null))
HOST_HELP_C := $(sort $(filter-out %_test.c,$(wildcard test/model/*.c)))
HOST_TEST_C := $(sort $(shell find core base test/model -name '*_test.c' 2>/dev/null))
HOST_TESTS  := $(HOST_TEST_C:%.c=$(HOST_OUT)/%)
HOST_CHOSEN := $(if $(T),$(strip $(foreach test,$(HOST_TESTS),$(if \
    $(findstring $(T),$(patsubst $(HOST_OUT)/%,%,$(test))),$(test)))),$(HOST_TESTS))

HOST_CFLAGS := -std=gnu17 -O1 -g -fno-omit-frame-pointer -I. -DCONFIG_ASSERT \
    -fsanitize=address,undefined -fno-sanitize-recover=all $(WARNINGS) $(WARNINGS_$(COMPILER)) \
    -Wno-clobbered -Wno-enum-conversion
HOST_STAMP  := $(HOST_OUT)/host.flags
$(eval $(call flags_stamp,$(HOST_STAMP),$(CC) $(HOST_CFLAGS) $(HOST_LIB_C) $(HOST_HELP_C)))

$(HOST_OUT)/%.o: %.c $(HOST_STAMP)
	$(call say,CC,$< (host))
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(HOST_OUT)/libhost.a: $(HOST_LIB_C:%.c=$(HOST_OUT)/%.o) $(HOST_HELP_C:%.c=$(HOST_OUT)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(HOST_TESTS): %: %.o $(HOST_OUT)/libhost.a
	$(call say,LD,$@)
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $^ -lcmocka -lpthread

.PRECIOUS: $(HOST_OUT)/%.o
-include $(HOST_TEST_C:%.c=$(HOST_OUT)/%.d) $(HOST_LIB_C:%.c=$(HOST_OUT)/%.d) \
    $(HOST_HELP_C:%.c=$(HOST_OUT)/%.d)

##@ Testing

.PHONY: test test-lib test-qemu test-tools
test: ## everything: check, tools, library on the host, system in QEMU
	+@MAKE=$(MAKE) tools/all_tests.sh $(RESULTS) $(if $(T),,check) test-tools test-lib test-qemu

test-lib: $(HOST_CHOSEN) ## core and base on the host under ASan and UBSan (T=frame: one)
	@tools/host_tests.py --results $(RESULTS)/test-lib --root $(HOST_OUT) \
	    --only $(call shell_quote,$(T)) --known "$(HOST_TESTS:$(HOST_OUT)/%_test=%)" $(HOST_CHOSEN)

test-qemu: $(KERNEL) $(TEST_ARCHIVE) ## the system in QEMU (T=name: one)
	@test/qemu/run_tests.py --results $(RESULTS)/test-qemu --logs $(RESULTS)/qemu \
	    --kernel $(KERNEL) --archive $(TEST_ARCHIVE) --only $(call shell_quote,$(T))

test-tools: ## the build's own tools
	@tools/tool_tests.py --results $(RESULTS)/test-tools --only $(call shell_quote,$(T))
