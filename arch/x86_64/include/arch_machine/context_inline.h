// SPDX-License-Identifier: BSD-2-Clause
/* The accessors that arch/context.h declares. */
#ifndef ARCH_MACHINE_CONTEXT_INLINE_H
#define ARCH_MACHINE_CONTEXT_INLINE_H

static inline uint64_t context_word(const struct arch_context *context, unsigned index)
{
    return context->words[index];
}

static inline void context_set_word(struct arch_context *context, unsigned index, uint64_t value)
{
    context->words[index] = value;
}

static inline uint64_t context_call(const struct arch_context *context)
{
    return context->rax;
}

static inline void context_set_status(struct arch_context *context, uint64_t status)
{
    context->rax = status;
}

static inline uint64_t context_cap(const struct arch_context *context)
{
    return context->rdi;
}

static inline void context_set_badge(struct arch_context *context, uint64_t badge)
{
    context->rdi = badge;
}

static inline uint64_t context_pc(const struct arch_context *context)
{
    return context->rip;
}

static inline uint64_t context_sp(const struct arch_context *context)
{
    return context->rsp;
}

/* The widest instructions this machine has; constant after boot. */
extern bool cpu_has_xsave, cpu_has_xsaveopt;

static inline void fpu_save(struct arch_fpu *fpu)
{
    uint32_t all = UINT32_MAX;

    if (LIKELY(cpu_has_xsaveopt))
        __asm__ volatile("xsaveopt64 %0" : "+m"(*fpu) : "a"(all), "d"(all));
    else if (cpu_has_xsave)
        __asm__ volatile("xsave64 %0" : "+m"(*fpu) : "a"(all), "d"(all));
    else
        __asm__ volatile("fxsave64 %0" : "+m"(*fpu));
}

static inline void fpu_restore(const struct arch_fpu *fpu)
{
    uint32_t all = UINT32_MAX;

    if (LIKELY(cpu_has_xsave))
        __asm__ volatile("xrstor64 %0" ::"m"(*fpu), "a"(all), "d"(all));
    else
        __asm__ volatile("fxrstor64 %0" ::"m"(*fpu));
}

#endif
