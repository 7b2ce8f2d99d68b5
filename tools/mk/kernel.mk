# SPDX-License-Identifier: BSD-2-Clause
# The kernel image: every .c (but tests) and .S under the kernel's folders is
# found, compiled out of tree into $(OUT), and linked with the machine's script.
#
# The machine's own flags come from arch/$(ARCH)/arch.mk: ARCH_CFLAGS (both
# compilers), ARCH_CFLAGS_gcc, ARCH_CFLAGS_clang, ARCH_LDFLAGS, ARCH_QEMU.

KERNEL_DIRS := $(wildcard abi base core kernel boot dev arch/$(ARCH))
KERNEL_C    := $(sort $(shell find $(KERNEL_DIRS) -name '*.c' \
                    ! -name '*_test.c' ! -name 'test_*.c' ! -name offsets.c))
KERNEL_S    := $(sort $(shell find $(KERNEL_DIRS) -name '*.S'))
KERNEL_OBJS := $(KERNEL_C:%.c=$(OUT)/%.o) $(KERNEL_S:%.S=$(OUT)/%.S.o)
KERNEL_LD   := arch/$(ARCH)/kernel.ld
KERNEL      := $(OUT)/kernel.elf

KERNEL_INCLUDES := -I. -Iarch/include -Iarch/$(ARCH)/include -I$(OUT)/generated

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
    -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla \
    -Wimplicit-fallthrough -Wswitch -Wformat=2 -Wdouble-promotion \
    -Wno-unused-parameter
WARNINGS_gcc   := -Wlogical-op -Wduplicated-cond
WARNINGS_clang := -Wthread-safety -Wno-gnu-designator -Wno-unknown-warning-option \
    -Wno-unused-command-line-argument

CONFIG_debug   := -DCONFIG_ASSERT -DCONFIG_FAULT_POINTS
CONFIG_release :=

-include arch/$(ARCH)/arch.mk

KERNEL_FLAGS := -g -ffreestanding -fno-pic -fno-pie -fcf-protection=none \
    $(KERNEL_INCLUDES) $(CONFIG_$(BUILD)) $(ARCH_CFLAGS) $(ARCH_CFLAGS_$(COMPILER))
KERNEL_CFLAGS := -std=gnu17 -O2 -fno-omit-frame-pointer -fstack-protector-strong \
    -fno-common -fno-strict-aliasing -fno-asynchronous-unwind-tables -fno-unwind-tables \
    $(KERNEL_FLAGS) $(WARNINGS) $(WARNINGS_$(COMPILER))
KERNEL_LDFLAGS := -static -nostdlib -z max-page-size=4096 -z noexecstack --build-id=none \
    --no-dynamic-linker --fatal-warnings $(ARCH_LDFLAGS)

# A changed command line rebuilds what it built.
KERNEL_STAMP := $(OUT)/kernel.flags
$(eval $(call flags_stamp,$(KERNEL_STAMP),$(CC) $(KERNEL_CFLAGS) $(KCFLAGS) \
    $(KERNEL_LDFLAGS) $(KERNEL_OBJS)))

OFFSETS_C := $(wildcard arch/$(ARCH)/offsets.c)
OFFSETS_H := $(if $(OFFSETS_C),$(OUT)/generated/offsets.h)

# The compiler computes each offset; the assembly it writes carries them out
# as "->NAME value" lines.
$(OUT)/generated/offsets.h: $(OFFSETS_C) $(KERNEL_STAMP) tools/offsets.sh
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -Wno-missing-prototypes -MMD -MP -MT $@ \
	    -MF $(OUT)/generated/offsets.d -S -o $(@:.h=.s) $(OFFSETS_C)
	$(Q)tools/offsets.sh $(@:.h=.s) >$@.tmp && mv $@.tmp $@

$(OUT)/%.o: %.c $(KERNEL_STAMP) | $(OFFSETS_H)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) $(KCFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/%.S.o: %.S $(KERNEL_STAMP) | $(OFFSETS_H)
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_FLAGS) $(KCFLAGS) -MMD -MP -c -o $@ $<

# The symbol table describes the image it is linked into.  Its size depends
# only on the names, so the second table already has the final layout; the last
# step makes sure of that.
# $(call link_kernel,OBJECTS)
define link_kernel
	$(call say,LD,$@)
	$(Q)tools/mk/link_kernel.sh $@ "$(LD) $(KERNEL_LDFLAGS) -T $(KERNEL_LD)" \
	    "$(CC) $(KERNEL_FLAGS)" $(1)
endef
$(KERNEL): $(KERNEL_OBJS) $(KERNEL_LD) $(KERNEL_STAMP) tools/symbols.py tools/mk/link_kernel.sh
	$(call link_kernel,$(KERNEL_OBJS))

-include $(KERNEL_OBJS:.o=.d) $(OUT)/generated/offsets.d
