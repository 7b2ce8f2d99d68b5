// SPDX-License-Identifier: BSD-2-Clause
/* The inline functions that arch/cpu.h declares. */
#ifndef ARCH_MACHINE_CPU_INLINE_H
#define ARCH_MACHINE_CPU_INLINE_H

static inline struct arch_cpu *cpu_self(void)
{
    struct arch_cpu *self;
    /* Not volatile: a CPU's answer never changes within one kernel entry. */
    __asm__("movq %%gs:%c1, %0" : "=r"(self) : "i"(offsetof(struct arch_cpu, self)));
    return self;
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}

static inline uint64_t cpu_cycles(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Moves the user's segment bases along; cpu_set_context() when the context changes. */
void cpu_exchange_context(struct arch_cpu *cpu, struct arch_context *context);

static inline void cpu_set_context(struct arch_context *context)
{
    struct arch_cpu *cpu = cpu_self();
    if (cpu->context != context)
        cpu_exchange_context(cpu, context);
}

#endif
