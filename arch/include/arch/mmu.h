// SPDX-License-Identifier: BSD-2-Clause
/*
 * Address translation: switching spaces, dropping translations, and the
 * kernel's own half, which is the same in every space.
 *
 * Kernel half, by the machine's arch_machine/layout.h:
 *   DIRECT_MAP_BASE   all memory, writable, not executable, largest pages
 *   POOL_BASE         the arrays of kernel records (core/pool.h), backed page
 *                     by page as they grow, one POOL_SPAN_BYTES each
 *   KERNEL_BASE       the image: text RX, rodata R, data RW
 * Entries of the kernel half are only ever added, never changed or removed
 * after boot, so they need no shootdown.
 */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H

#include "base/mmu_format.h"
#include "base/types.h"

#include "arch_machine/layout.h"

/* The machine's entry format; constant after boot. */
const struct mmu_format *mmu_format(void);

/* The direct map's view of a frame. */
static inline void *frame_pointer(frame_no_t frame)
{
    return (void *)(DIRECT_MAP_BASE + frame_address(frame));
}

/* Fills the kernel half of a fresh root table (its user half is zero). */
void mmu_root_init(frame_no_t root);

/* Makes `root` this CPU's space.  Drops the translations of the one before, if that had no tag. */
static inline void mmu_switch(frame_no_t root);
/* Whether translations have tags, at least ASID_TAGS of them; constant after boot. */
extern bool mmu_has_tags;
/* The same for a space that has the tag (1 to ASID_TAGS): other tags' translations stay, and
 * this one's if `keeps`.  mmu_flush_page() and mmu_flush_user() are about its own then.
 * Needs: mmu_has_tags. */
static inline void mmu_switch_tagged(frame_no_t root, uint32_t tag, bool keeps);
/* The root that holds only the kernel half, for idle CPUs and dying spaces. */
frame_no_t mmu_kernel_root(void);

/* Drops this CPU's translations of one page, or of the whole user half. */
void mmu_flush_page(virt_addr_t address);
void mmu_flush_user(void);

/* Maps one fresh kernel page, writable and not executable, at an address that
 * was not mapped.  `take_table` supplies zeroed frames for missing tables.
 * Locks: the caller's pool lock serialises all calls.
 * Gives: false if take_table gave FRAME_NONE; nothing is mapped then. */
bool mmu_kernel_map(uint64_t address, frame_no_t frame, frame_no_t (*take_table)(void));

/* Clear pages or copy one through the direct map, 8 bytes a step. */
void pages_clear(frame_no_t first, uint32_t count);
void page_copy(frame_no_t to, frame_no_t from);

#include "arch_machine/mmu_inline.h"

#endif
