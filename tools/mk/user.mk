# SPDX-License-Identifier: BSD-2-Clause
# User space: programs, the runtime image, the boot archive.
#
#   user/init, user/shell, user/programs/NAME.c or user/programs/NAME/*.c
#                       programs: static, on Debian's musl, with user/lib  -> bin/NAME
#   user/lib/*.c        what they share
#   user/rt/*.c, *.S    the runtime image, freestanding, linked by rt.ld   -> rt
#   user/etc/*          files                                              -> etc/NAME
#   test/programs/...   as user/programs, in the archive of tests only     -> bin/NAME
#   bench/programs/...  the same, in the archive of benchmarks only        -> bin/NAME
#   PROGRAMS=dir        a user's own: see tools/programs.py                -> bin/NAME

MUSL_CC   := CC="$(CC)" tools/musl_cc.sh
MUSL_HEAD := /usr/include/$(ARCH)-linux-musl
# Typed clients of every method, from abi/methods.h.
CLIENTS   := $(OUT)/generated/cadastre/clients.h

USER_INCLUDES := -I. -Iuser/include -I$(OUT)/generated
USER_CFLAGS   := -std=gnu17 -O2 -g -fno-omit-frame-pointer -pthread $(USER_INCLUDES) \
    $(filter-out -Wundef,$(WARNINGS)) $(WARNINGS_$(COMPILER)) -Wno-maybe-uninitialized
USER_STAMP    := $(OUT)/user.flags
$(eval $(call flags_stamp,$(USER_STAMP),$(CC) $(USER_CFLAGS)))

$(CLIENTS): tools/abi.py tools/xmacro.py $(wildcard abi/*.h) $(USER_STAMP)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)tools/abi.py clients >$@.tmp && mv $@.tmp $@

$(OUT)/user/%.o: %.c $(USER_STAMP) | $(CLIENTS)
	$(call say,CC,$< (user))
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/user/%.S.o: %.S $(USER_STAMP) | $(CLIENTS)
	$(call say,AS,$< (user))
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(USER_INCLUDES) -MMD -MP -c -o $@ $<

# $(call sources,FOLDER-OR-FILE)
sources = $(sort $(if $(filter %.c,$(1)),$(1),$(shell find $(1) -name '*.[cS]' ! -name '*_test.c')))
user_objects = $(patsubst %.S,$(OUT)/user/%.S.o,$(patsubst %.c,$(OUT)/user/%.o,$(1)))

USER_LIB_SOURCES := $(if $(wildcard user/lib/.),$(call sources,user/lib))
USER_LIB_OBJS    := $(call user_objects,$(USER_LIB_SOURCES))
USER_LIB         := $(OUT)/user/libcad.a
USER_SOURCES     := $(USER_LIB_SOURCES)

$(USER_LIB): $(USER_LIB_OBJS) $(USER_STAMP)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $(USER_LIB_OBJS)

# Programs are files NAME.c or folders NAME.
program_sources = $(filter-out %_test.c,$(wildcard $(1)/*.c)) $(patsubst %/.,%,$(wildcard $(1)/*/.))
SYSTEM_PROGRAMS := $(patsubst %/.,%,$(wildcard user/init/. user/shell/.)) \
    $(call program_sources,user/programs)
TEST_PROGRAMS   := $(call program_sources,test/programs)
BENCH_PROGRAMS  := $(call program_sources,bench/programs)
program_name = $(basename $(notdir $(1)))
USER_OBJS := $(USER_LIB_OBJS)

# $(call program_rule,SOURCE): how $(OUT)/bin/NAME comes to be.
define program_rule
USER_SOURCES += $(call sources,$(1))
USER_OBJS += $(call user_objects,$(call sources,$(1)))
$(OUT)/bin/$(call program_name,$(1)): $(call user_objects,$(call sources,$(1))) $(USER_LIB)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(MUSL_CC) -g -z noexecstack -o $$@ $$^
endef
$(foreach program,$(SYSTEM_PROGRAMS) $(TEST_PROGRAMS) $(BENCH_PROGRAMS), \
    $(eval $(call program_rule,$(program))))

# The runtime image runs inside every process, with nothing under it: no C
# library (only musl's headers, for Linux's numbers), no SSE, because the trap
# that enters it must keep those registers.
RT_SOURCES := $(if $(wildcard user/rt/.),$(call sources,user/rt))
RT_OBJS := $(patsubst %.S,$(OUT)/rt/%.S.o,$(patsubst %.c,$(OUT)/rt/%.o,$(RT_SOURCES)))
RT      := $(if $(RT_OBJS),$(OUT)/rt.elf)
RT_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -fno-omit-frame-pointer -fpie -fvisibility=hidden \
    -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-strict-aliasing \
    -fno-asynchronous-unwind-tables -nostdinc -isystem $(MUSL_HEAD) \
    -isystem $(shell $(CC) -print-file-name=include) \
    $(USER_INCLUDES) $(WARNINGS) $(WARNINGS_$(COMPILER))
RT_STAMP  := $(OUT)/rt.flags
$(eval $(call flags_stamp,$(RT_STAMP),$(CC) $(RT_CFLAGS) $(RT_OBJS)))

$(OUT)/rt/%.o: %.c $(RT_STAMP) | $(CLIENTS)
	$(call say,CC,$< (runtime))
	@mkdir -p $(@D)
	$(Q)$(CC) $(RT_CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/rt/%.S.o: %.S $(RT_STAMP) | $(CLIENTS)
	$(call say,AS,$< (runtime))
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_INCLUDES) -MMD -MP -c -o $@ $<

$(OUT)/rt.elf: $(RT_OBJS) user/rt/rt.ld $(RT_STAMP)
	$(call say,LD,$@)
	$(Q)$(LD) -static -nostdlib -z max-page-size=4096 -z noexecstack --build-id=none \
	    --fatal-warnings -T user/rt/rt.ld -o $@ $(RT_OBJS)

# The archives.  $(call archive_rule,FILE,PROGRAMS): FILE with those of bin/.
ETC := $(wildcard user/etc/*)
archive_words = $(if $(RT),rt=$(RT)) $(foreach file,$(ETC),etc/$(notdir $(file))=$(file)) \
    $(foreach program,$(1),bin/$(call program_name,$(program))=$(OUT)/bin/$(call \
    program_name,$(program)))
define archive_rule
$(1): $(RT) $(ETC) $(foreach program,$(2),$(OUT)/bin/$(call program_name,$(program))) \
    $(1).flags tools/mkarchive.py
	$$(call say,TAR,$$@)
	$$(Q)tools/mkarchive.py $$@ $(call archive_words,$(2))
$(call flags_stamp,$(1).flags,$(call archive_words,$(2)))
endef
ARCHIVE      := $(OUT)/archive.tar
TEST_ARCHIVE := $(OUT)/test_archive.tar
$(eval $(call archive_rule,$(ARCHIVE),$(SYSTEM_PROGRAMS)))
BENCH_ARCHIVE := $(OUT)/bench_archive.tar
$(eval $(call archive_rule,$(TEST_ARCHIVE),$(SYSTEM_PROGRAMS) $(TEST_PROGRAMS)))
$(eval $(call archive_rule,$(BENCH_ARCHIVE),$(SYSTEM_PROGRAMS) $(BENCH_PROGRAMS)))

ARCHIVE_WITH_PROGRAMS := $(OUT)/archive_with_programs.tar
$(ARCHIVE_WITH_PROGRAMS): $(ARCHIVE) FORCE
	$(Q)CC="$(CC)" tools/programs.py $(call shell_quote,$(PROGRAMS)) $(OUT)/user_programs \
	    $(foreach program,$(SYSTEM_PROGRAMS),$(call program_name,$(program)))
	$(call say,TAR,$@)
	$(Q)tools/mkarchive.py $@ $(call archive_words,$(SYSTEM_PROGRAMS)) \
	    $$(for file in $(OUT)/user_programs/*; do echo "bin/$${file##*/}=$$file"; done)

##@ Building

.PHONY: kernel user rt
kernel: $(KERNEL) ## the kernel image
user: $(ARCHIVE) ## the programs, the runtime image and the boot archive
rt: $(RT) ## the runtime image

-include $(USER_OBJS:.o=.d) $(RT_OBJS:.o=.d)
