// SPDX-License-Identifier: BSD-2-Clause
/* The inline functions that arch/mmu.h declares. */
#ifndef ARCH_MACHINE_MMU_INLINE_H
#define ARCH_MACHINE_MMU_INLINE_H

#define MMU_CR3_KEEPS (UINT64_C(1) << 63)

/* A load of CR3 drops all translations of the PCID in it that are not global, here 0; without
 * PCID all of them.  So a switch needs no more. */
static inline void mmu_switch(frame_no_t root)
{
    __asm__ volatile("movq %0, %%cr3" ::"r"(frame_address(root)) : "memory");
}

/* The tag is the PCID. */
static inline void mmu_switch_tagged(frame_no_t root, uint32_t tag, bool keeps)
{
    uint64_t value = frame_address(root) | tag | (keeps ? MMU_CR3_KEEPS : 0);

    __asm__ volatile("movq %0, %%cr3" ::"r"(value) : "memory");
}

#endif
