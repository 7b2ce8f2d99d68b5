// SPDX-License-Identifier: BSD-2-Clause
/* The fuzzed kernel's machine translates nothing, but has tags: machine.c looks at their use. */
#ifndef ARCH_MACHINE_MMU_INLINE_H
#define ARCH_MACHINE_MMU_INLINE_H

static inline void mmu_switch(frame_no_t root)
{
    (void)root;
}

void machine_switch_tagged(frame_no_t root, uint32_t tag, bool keeps);
static inline void mmu_switch_tagged(frame_no_t root, uint32_t tag, bool keeps)
{
    machine_switch_tagged(root, tag, keeps);
}

#endif
