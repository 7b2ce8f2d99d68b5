# SPDX-License-Identifier: BSD-2-Clause
# What x86_64 adds to the build (tools/mk/kernel.mk) and to the emulator's command line.

# The canary lives in struct arch_cpu, at CPU_CANARY_OFFSET.
ARCH_CFLAGS := -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
    -mstack-protector-guard=tls -mstack-protector-guard-reg=gs -mstack-protector-guard-offset=40
ARCH_CFLAGS_gcc   :=
ARCH_CFLAGS_clang := -Wno-unused-command-line-argument
ARCH_LDFLAGS      := -m elf_x86_64
