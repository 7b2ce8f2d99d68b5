// SPDX-License-Identifier: BSD-2-Clause
/*
 * The inline functions that arch/cpu.h declares, for a machine of one CPU.  The
 * kernel asks for its CPU all the time: a moment at which another CPU's user code
 * may write to shared memory.
 */
#ifndef ARCH_MACHINE_CPU_INLINE_H
#define ARCH_MACHINE_CPU_INLINE_H

extern struct arch_cpu *machine_cpu;
/* What "another CPU" does at such a moment; NULL: nothing. */
extern void (*machine_moment)(void);

static inline struct arch_cpu *cpu_self(void)
{
    if (machine_moment != NULL)
        machine_moment();
    return machine_cpu;
}

extern uint64_t machine_now_ns;

static inline void cpu_relax(void)
{
}

/* One cycle is one nanosecond. */
static inline uint64_t cpu_cycles(void)
{
    return machine_now_ns;
}

static inline void cpu_set_context(struct arch_context *context)
{
    machine_cpu->context = context;
}

static inline void cpu_clear_context(struct arch_context *context)
{
    (void)context;
    machine_cpu->context = NULL;
}

static inline void cpu_switch_context(struct arch_context *from, struct arch_context *to)
{
    (void)from;
    machine_cpu->context = to;
}

#endif
