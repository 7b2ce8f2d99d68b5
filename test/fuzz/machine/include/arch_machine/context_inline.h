/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86_64's accessors, but for the floating-point registers: those of the process are the
 * fuzzer's own, and loading a thread's would change them under its feet.
 */
#ifndef FUZZ_CONTEXT_INLINE_H
#define FUZZ_CONTEXT_INLINE_H

#define fpu_save    x86_64_fpu_save
#define fpu_restore x86_64_fpu_restore
#include_next "arch_machine/context_inline.h"
#undef fpu_save
#undef fpu_restore

static inline void fpu_save(struct arch_fpu *fpu)
{
    fpu->state[0]++;
}

static inline void fpu_restore(const struct arch_fpu *fpu)
{
    (void)fpu;
}

#endif
