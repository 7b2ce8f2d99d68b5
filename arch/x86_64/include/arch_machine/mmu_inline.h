// SPDX-License-Identifier: BSD-2-Clause
/* The inline function that arch/mmu.h declares. */
#ifndef ARCH_MACHINE_MMU_INLINE_H
#define ARCH_MACHINE_MMU_INLINE_H

/* Without PCID every load of CR3 drops all translations that are not global, so a switch
 * needs no more. */
static inline void mmu_switch(frame_no_t root)
{
    __asm__ volatile("movq %0, %%cr3" ::"r"(frame_address(root)) : "memory");
}

#endif
