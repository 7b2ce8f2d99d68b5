# SPDX-License-Identifier: BSD-2-Clause
# The test suites.  Each leaves "passed failed" in $(RESULTS)/SUITE; `make test`
# runs them all and adds up.
#
# lib:   core/*_test.c, base/*_test.c and test/model/*_test.c are programs, each
#        linked with all of core and base and the helpers of test/host, test/model.
#        boot/, kernel/ and user/ may have *_test.c too: these include the .c they test.
#        test/race/*_test.c run real threads under the thread sanitizer.
# qemu:  test/machine/*.toml and test/qemu/*.toml, see test/qemu/run_tests.py.
# tools: tools/*_test.py.

HOST_OUT    := build/host$(if $(filter gcc,$(CC)),,-$(notdir $(CC)))
HOST_LIB_C  := $(sort $(shell find core base test/host -name '*.c' ! -name '*_test.c'))
HOST_HELP_C := $(sort $(filter-out %_test.c,$(wildcard test/model/*.c)))
HOST_TEST_C := $(sort $(shell find \
    $(wildcard core base boot kernel user test/model) -name '*_test.c'))
HOST_PLAIN  := $(HOST_TEST_C:%.c=$(HOST_OUT)/%)
HOST_TESTS  := $(HOST_PLAIN) $(HOST_OUT)/test/race/space_race_test
HOST_CHOSEN := $(if $(T),$(strip $(foreach test,$(HOST_TESTS),$(if \
    $(findstring $(T),$(patsubst $(HOST_OUT)/%,%,$(test))),$(test)))),$(HOST_TESTS))

HOST_CFLAGS := -std=gnu17 -O1 -g -fno-omit-frame-pointer -I. -Iuser/include \
    -DCONFIG_ASSERT -DCONFIG_FAULT_POINTS \
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

$(HOST_PLAIN): %: %.o $(HOST_OUT)/libhost.a
	$(call say,LD,$@)
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $^ -lcmocka -lpthread

# Real threads on core/ under the thread sanitizer, and the same with faults planted
# (test/race/planted), which it must notice.  All of core is built again for it.
RACE_OUT     := $(HOST_OUT)/race
RACE_TEST    := $(HOST_OUT)/test/race/space_race_test
RACE_CFLAGS  := $(filter-out -fsanitize=% -fno-sanitize-recover=%,$(HOST_CFLAGS)) \
    -fsanitize=thread $(if $(filter gcc,$(COMPILER)),-Wno-tsan)
RACE_C       := $(HOST_LIB_C) test/race/space_race_test.c
RACE_PLANTED := $(patsubst test/race/planted/%.sed,$(dir $(RACE_TEST))planted/%,$(wildcard \
    test/race/planted/*.sed))
RACE_SOURCE   = $(shell sed -n 's/^\# source: //p' test/race/planted/$(1).sed)

$(RACE_OUT)/%.o: %.c $(HOST_STAMP)
	$(call say,CC,$< (threads))
	@mkdir -p $(@D)
	$(Q)$(CC) $(RACE_CFLAGS) -MMD -MP -c -o $@ $<

$(RACE_TEST): $(RACE_C:%.c=$(RACE_OUT)/%.o) $(RACE_PLANTED)
	$(call say,LD,$@)
	$(Q)$(CC) -fsanitize=thread -o $@ $(RACE_C:%.c=$(RACE_OUT)/%.o) -lcmocka -lpthread

$(dir $(RACE_TEST))planted/%: test/race/planted/%.sed $(RACE_C:%.c=$(RACE_OUT)/%.o)
	$(call say,CC,$< (a fault))
	@mkdir -p $(@D)
	$(Q)sed -f $< $(call RACE_SOURCE,$*) >$@.c
	$(Q)! cmp -s $(call RACE_SOURCE,$*) $@.c || { echo "$<: changes nothing" >&2; exit 1; }
	$(Q)$(CC) $(RACE_CFLAGS) -UCONFIG_ASSERT -w -o $@ $@.c $(filter-out \
	    $(RACE_OUT)/$(patsubst %.c,%.o,$(call RACE_SOURCE,$*)),$(RACE_C:%.c=$(RACE_OUT)/%.o)) \
	    -lcmocka -lpthread
-include $(RACE_C:%.c=$(RACE_OUT)/%.d)

.PRECIOUS: $(HOST_OUT)/%.o
-include $(HOST_TEST_C:%.c=$(HOST_OUT)/%.d) $(HOST_LIB_C:%.c=$(HOST_OUT)/%.d) \
    $(HOST_HELP_C:%.c=$(HOST_OUT)/%.d)

# The machine layer by itself: test/machine is the kernel_main() of an image that
# has nothing of core and kernel but printing and the panic report.
MACHINE_C := $(filter-out core/% kernel/%,$(KERNEL_C)) \
    kernel/print.c kernel/panic.c kernel/symbols.c $(wildcard test/machine/*.c)
MACHINE_S := $(filter-out core/% kernel/%,$(KERNEL_S)) $(wildcard test/machine/*.S)
MACHINE_OBJS  := $(MACHINE_C:%.c=$(OUT)/%.o) $(MACHINE_S:%.S=$(OUT)/%.S.o)
MACHINE_IMAGE := $(OUT)/machine.elf
$(OUT)/test/machine/%.o: KCFLAGS += -Iarch/$(ARCH) -Wno-missing-prototypes
$(MACHINE_IMAGE): $(MACHINE_OBJS) $(KERNEL_LD) $(KERNEL_STAMP) tools/mk/link_kernel.sh
	$(call link_kernel,$(MACHINE_OBJS))
-include $(MACHINE_OBJS:.o=.d)

# Kernels with a fault planted on purpose: one source file is changed by
# test/qemu/planted/NAME.sed, and a test must notice (test/qemu/planted.toml).
PLANTED        := $(patsubst test/qemu/planted/%.sed,%,$(wildcard test/qemu/planted/*.sed))
PLANTED_IMAGES := $(PLANTED:%=$(OUT)/planted/%.elf)
# $(call planted_rules,NAME,SOURCE)
define planted_rules
$(OUT)/planted/$(1).c: $(2) test/qemu/planted/$(1).sed
	@mkdir -p $$(@D)
	$$(Q)sed -f test/qemu/planted/$(1).sed $$< >$$@
	$$(Q)! cmp -s $$< $$@ || { echo "planted/$(1).sed: changes nothing in $(2)" >&2; exit 1; }
$(OUT)/planted/$(1).o: $(OUT)/planted/$(1).c $(KERNEL_STAMP)
	$$(call say,CC,$$< (a fault))
	$$(Q)$$(CC) $$(KERNEL_CFLAGS) $$(KCFLAGS) -Wno-error -w -MMD -MP -c -o $$@ $$<
$(OUT)/planted/$(1).elf: $(OUT)/planted/$(1).o $(KERNEL)
	$$(call link_kernel,$$(patsubst $(OUT)/$(2:.c=.o),$$<,$$(KERNEL_OBJS)))
endef
$(foreach name,$(PLANTED),$(eval $(call planted_rules,$(name),$(shell \
    sed -n 's/^# source: //p' test/qemu/planted/$(name).sed))))
-include $(PLANTED_IMAGES:.elf=.d)

# What the starvation tests reached, see tools/fault_sites.py.
FAULT_LOG       := build/fault_sites.log
FAULT_QEMU_LOGS := $(RESULTS)/qemu/starvation-small.log $(RESULTS)/qemu/starvation-rich.log

QEMU_SPECS := $(wildcard test/machine/*.toml test/qemu/*.toml)

##@ Testing

.PHONY: test test-lib test-machine test-qemu test-stress test-tools fault-sites
test: ## everything: check, tools, library on the host, fuzzing, models, system in QEMU, proofs
	+@MAKE=$(MAKE) tools/all_tests.sh $(RESULTS) $(if $(T),,check) test-tools test-lib \
	    test-fuzz test-model test-qemu $(if $(T),,eva prove)

test-lib: $(HOST_CHOSEN) ## core and base on the host under ASan and UBSan (T=frame: one)
	@rm -f $(FAULT_LOG)
	@FAULT_SITES_LOG=$(FAULT_LOG) tools/host_tests.py \
	    --results $(RESULTS)/test-lib --root $(HOST_OUT) \
	    --only $(call shell_quote,$(T)) --known "$(HOST_TESTS:$(HOST_OUT)/%_test=%)" $(HOST_CHOSEN)
	@tools/fault_sites.py verify --host $(FAULT_LOG)

# An archive that ends in the middle of a file.
CUT_ARCHIVE := $(OUT)/cut_archive.tar
$(CUT_ARCHIVE): $(TEST_ARCHIVE)
	$(Q)head -c 20000 $< >$@

COMMA       := ,
QEMU_IMAGES := $(KERNEL) $(TEST_ARCHIVE) $(CUT_ARCHIVE) $(MACHINE_IMAGE) $(PLANTED_IMAGES)

test-qemu: $(QEMU_IMAGES) ## images in QEMU (T=name: those only)
	@test/qemu/run_tests.py --results $(RESULTS)/test-qemu --logs $(RESULTS)/qemu \
	    --image system=$(KERNEL),$(TEST_ARCHIVE) --image machine=$(MACHINE_IMAGE) \
	    --image bare=$(KERNEL) --image cut=$(KERNEL),$(CUT_ARCHIVE) \
	    $(foreach name,$(PLANTED),--image \
	    planted-$(name)=$(OUT)/planted/$(name).elf$(COMMA)$(TEST_ARCHIVE)) \
	    --only $(call shell_quote,$(T)) $(QEMU_SPECS)
	@tools/fault_sites.py verify --qemu $(FAULT_QEMU_LOGS)

fault-sites: $(HOST_OUT)/core/fault_point_test $(QEMU_IMAGES) ## record what starvation tests reach
	@FAULT_SITES_LOG=$(FAULT_LOG) $< >/dev/null
	@test/qemu/run_tests.py --results $(RESULTS)/fault-sites --logs $(RESULTS)/qemu \
	    --image system=$(KERNEL),$(TEST_ARCHIVE) test/qemu/starvation.toml
	@tools/fault_sites.py record --host $(FAULT_LOG) --qemu $(FAULT_QEMU_LOGS)

test-machine: $(MACHINE_IMAGE) ## only the machine layer's image in QEMU (T=name: those only)
	@test/qemu/run_tests.py --results $(RESULTS)/test-machine --logs $(RESULTS)/qemu \
	    --image machine=$(MACHINE_IMAGE) --only $(call shell_quote,$(T)) \
	    $(wildcard test/machine/*.toml)

MINUTES ?= 10
test-stress: $(KERNEL) $(TEST_ARCHIVE) ## stress on 1, 2, 4, 8 CPUs (MINUTES=10 in all), then audits
	@test/qemu/stress.py --image $(KERNEL),$(TEST_ARCHIVE) \
	    --minutes $(call shell_quote,$(MINUTES)) --logs $(RESULTS)/qemu \
	    --results $(RESULTS)/test-stress

test-tools: ## the build's own tools
	@tools/tool_tests.py --results $(RESULTS)/test-tools --only $(call shell_quote,$(T))
