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

/* The processor reads and writes segment bases by FSGSBASE; constant after boot.
 * User code changes its bases unseen only with it (or by loading a selector, which
 * asks for a base of 0 and gets its own again at the next switch). */
extern bool cpu_has_fsgsbase;
/* Loads the bases of a context without it. */
void cpu_load_bases(const struct arch_context *context);

/* The user's GS base lies behind the kernel's: one swap shows it, far cheaper than its
 * MSR.  Nothing comes between, as interrupts are off and an NMI never comes back. */
static inline void cpu_save_bases(struct arch_context *context)
{
    __asm__ volatile("rdfsbase %0; swapgs; rdgsbase %1; swapgs"
                     : "=r"(context->fs_base), "=r"(context->gs_base));
}

static inline void cpu_set_context(struct arch_context *context)
{
    cpu_self()->context = context;
    if (LIKELY(cpu_has_fsgsbase))
        __asm__ volatile("wrfsbase %0; swapgs; wrgsbase %1; swapgs" ::"r"(context->fs_base),
                         "r"(context->gs_base));
    else
        cpu_load_bases(context);
}

static inline void cpu_clear_context(struct arch_context *context)
{
    cpu_self()->context = NULL;
    if (LIKELY(cpu_has_fsgsbase))
        cpu_save_bases(context);
}

static inline void cpu_switch_context(struct arch_context *from, struct arch_context *to)
{
    cpu_self()->context = to;
    if (UNLIKELY(!cpu_has_fsgsbase)) {
        cpu_load_bases(to);
        return;
    }
    __asm__ volatile("rdfsbase %0; wrfsbase %2; swapgs; rdgsbase %1; wrgsbase %3; swapgs"
                     : "=&r"(from->fs_base), "=&r"(from->gs_base)
                     : "r"(to->fs_base), "r"(to->gs_base));
}

#endif
