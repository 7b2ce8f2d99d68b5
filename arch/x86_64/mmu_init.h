// SPDX-License-Identifier: BSD-2-Clause
/*
 * Building the kernel half, before there is a frame table.  Running code uses
 * arch/mmu.h.  All of it: CPU 0, before kernel_main(); on
 * the early tables or the final ones, both show what it writes.
 */
#ifndef X86_64_MMU_INIT_H
#define X86_64_MMU_INIT_H

#include "arch/mmu.h"
#include "boot/boot_info.h"

/* Builds the final tables: image by section, direct map, roots of the pools. */
void mmu_init(struct boot_info *boot);

/* Maps the stacks of CPU `index`. */
void mmu_map_stacks(struct boot_info *boot, unsigned index);

/* Maps one page of device registers, uncached.  Gives: its address. */
volatile void *mmu_map_device(struct boot_info *boot, phys_addr_t address);

/* Makes a root that also shows `low` at its physical address, executable and
 * read-only, for CPUs that switch paging on there.  Gives: its frame, below 4 GiB. */
frame_no_t mmu_make_trampoline_root(struct boot_info *boot, frame_no_t low);

/* Leaves the early tables for good. */
void mmu_load_kernel_root(void);

#endif
