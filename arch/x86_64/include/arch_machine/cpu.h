// SPDX-License-Identifier: BSD-2-Clause
/* The machine's part of per-CPU data: %gs points at it while the kernel runs. */
#ifndef ARCH_MACHINE_CPU_H
#define ARCH_MACHINE_CPU_H

#include "base/types.h"

#define CPU_MAX 64

/* Where compilers look for the stack canary: arch.mk passes the same number. */
#define CPU_CANARY_OFFSET 40

struct arch_context;

struct arch_cpu {
    struct arch_cpu *self;
    struct arch_context *context; /* where a trap from user code saves */
    uint64_t stack_top;           /* where every trap from user code starts */
    uint64_t scratch;             /* the user's rsp for a moment of syscall entry */
    uint32_t index;
    uint32_t apic_id;
    uint64_t canary;
    uint64_t deadline_ns;         /* armed timer; UINT64_MAX: none */
    int64_t clock_offset;         /* added to this CPU's TSC to agree with CPU 0 */
    uint32_t stopped;             /* answered machine_stop_others() */
};

COMPILE_ASSERT(offsetof(struct arch_cpu, self) == 0, self_is_first);
COMPILE_ASSERT(offsetof(struct arch_cpu, canary) == CPU_CANARY_OFFSET, canary_where_compilers_look);

#endif
