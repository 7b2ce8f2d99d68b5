// SPDX-License-Identifier: BSD-2-Clause
/* The fuzzed kernel's machine translates nothing. */
#ifndef ARCH_MACHINE_MMU_INLINE_H
#define ARCH_MACHINE_MMU_INLINE_H

static inline void mmu_switch(frame_no_t root)
{
    (void)root;
}

#endif
