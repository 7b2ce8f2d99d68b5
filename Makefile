# SPDX-License-Identifier: BSD-2-Clause
# The front door: `make help` lists it.  The parts are in tools/mk/.

ARCH  ?= x86_64
CPUS  ?= 4
MEM   ?= 1G
CPU   ?= max
JOBS  ?= $(shell nproc)
V     ?= 0
# What a person starts is optimised with every CHECK; what a test starts also asserts.
BUILD ?= $(if $(filter test% debug gdb check fault-sites,$(MAKECMDGOALS)),debug,release)
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin LD),default)
LD := ld
endif
PYTHON := /usr/bin/env python3

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif

ifeq ($(wildcard arch/$(ARCH)/.),)
$(error ARCH=$(ARCH): there is no arch/$(ARCH))
endif
ifeq ($(filter debug release,$(BUILD)),)
$(error BUILD=$(BUILD): it is debug or release)
endif
COMPILER := $(if $(findstring clang,$(notdir $(CC))),clang,gcc)
OUT      := build/$(ARCH)/$(BUILD)$(if $(filter gcc,$(CC)),,-$(notdir $(CC)))
RESULTS  := build/results

# $(call say,VERB,WHAT): a line of progress.  $(Q) hides the command, V=1 shows it.
Q   := $(if $(filter 1,$(V)),,@)
say  = @printf '  %-5s %s\n' '$(1)' '$(2)'
# $(call shell_quote,TEXT): TEXT as one word of sh.
shell_quote = '$(subst ','\'',$(1))'
# $(call flags_stamp,FILE,TEXT): FILE changes when TEXT does.
define flags_stamp
$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' $(call shell_quote,$(2)) >$$@.new; \
	    if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi
endef
.PHONY: FORCE
FORCE:

# Whatever builds or runs needs its Debian packages first.
NO_SETUP := help clean
GOALS    := $(or $(MAKECMDGOALS),help)
ifeq ($(MAKELEVEL),0)
ifneq ($(filter-out $(NO_SETUP),$(GOALS)),)
ifneq ($(shell CC=$(CC) tools/setup.sh $(GOALS) >&2 && echo ready),ready)
$(error packages are missing, see above)
endif
endif
endif

# What a person asked for is checked before anything is built.
ifneq ($(PROGRAMS),)
ifneq ($(shell test -d $(call shell_quote,$(PROGRAMS)) && echo folder),folder)
$(error PROGRAMS=$(PROGRAMS): no such folder)
endif
endif
MACHINE = --cpus $(call shell_quote,$(CPUS)) --mem $(call shell_quote,$(MEM)) \
    --cpu $(call shell_quote,$(CPU)) --cmd $(call shell_quote,$(value CMD)) \
    --append $(call shell_quote,$(value APPEND))
ifneq ($(filter run debug,$(GOALS)),)
ifneq ($(shell tools/run.py --arch $(ARCH) --check $(MACHINE) && echo ready),ready)
$(error not a machine that can run, see above)
endif
endif

include tools/mk/kernel.mk
include tools/mk/user.mk
include tools/mk/test.mk
include tools/mk/docs.mk
include tools/mk/model.mk
include tools/mk/fuzz.mk
include tools/mk/bench.mk
include tools/mk/proof.mk

##@ Running

RUN_ARCHIVE := $(if $(PROGRAMS),$(ARCHIVE_WITH_PROGRAMS),$(ARCHIVE))
RUN = tools/run.py --arch $(ARCH) --kernel $(KERNEL) --archive $(RUN_ARCHIVE) $(MACHINE)

.PHONY: run debug gdb image
run: $(KERNEL) $(RUN_ARCHIVE) ## boot to the shell (CMD='ps; audit; halt' runs that instead)
	@$(RUN)

debug: $(KERNEL) $(RUN_ARCHIVE) ## boot stopped, waiting for gdb on port 1234 (then: make gdb)
	@$(RUN) --wait-for-gdb

gdb: $(KERNEL) ## attach gdb to a `make debug` in another terminal
	@gdb -q -ex 'target remote localhost:1234' $(KERNEL)

image: $(KERNEL) $(RUN_ARCHIVE) ## build what `run` boots, without booting it
	@echo "$(KERNEL) $(RUN_ARCHIVE)"

##@ Other

.PHONY: help fmt clean compile_commands.json
fmt: ## format with clang-format the C lines that are not committed yet
	@git clang-format --extensions c,h --force HEAD

compile_commands.json: $(OFFSETS_H) $(CLIENTS) ## write the compiler commands for editors
	@tools/compile_commands.py \
	    --set $(call shell_quote,$(CC) $(KERNEL_CFLAGS)) $(KERNEL_C) \
	    --set $(call shell_quote,$(CC) $(HOST_CFLAGS)) $(HOST_TEST_C) $(HOST_HELP_C) \
	    --set $(call shell_quote,$(CC) $(RT_CFLAGS)) $(filter %.c,$(RT_SOURCES)) \
	    --set $(call shell_quote,$(CC) -nostdinc -isystem $(MUSL_HEAD) $(USER_CFLAGS)) \
	    $(filter %.c,$(USER_SOURCES)) >$@
	@echo "wrote $@"

clean: ## remove everything that was built
	@rm -rf build compile_commands.json

help: ## this list
	@tools/help.sh $(MAKEFILE_LIST)
