// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory before the frame table: the map's regions put in order, and frames
 * taken from it for good.  Public part (boot_take_frames) in boot_info.h.
 *
 * Invariants: regions are sorted and disjoint, reserved wins over usable, no
 * usable region is above BOOT_ADDRESS_LIMIT (FR2); every frame given out is in
 * exactly one taken range.
 */
#ifndef BOOT_EARLY_MEMORY_H
#define BOOT_EARLY_MEMORY_H

#include "boot/boot_info.h"

/* No memory below this is given out: firmware keeps things there. */
#define BOOT_LOW_MEMORY_END UINT64_C(0x100000)
/* Early page tables show this much, so what is taken must lie below. */
#define BOOT_EARLY_MAP_END UINT64_C(0x100000000)

/* Adds what firmware says of [start, start + bytes).
 * Gives: false if the list is full; state unchanged. */
bool boot_region_add(struct boot_info *boot, phys_addr_t start, uint64_t bytes,
                     enum boot_region_kind kind) MUST_CHECK;

/* Sorts, cuts reserved parts out of usable ones, rounds usable ones inwards to
 * pages and cuts them at `limit`.
 * Gives: false if the list is too small for the pieces; the list is unusable then. */
bool boot_regions_normalise(struct boot_info *boot, phys_addr_t limit) MUST_CHECK;

/* True when [start, end) lies in one usable region. */
bool boot_range_is_usable(const struct boot_info *boot, phys_addr_t start, phys_addr_t end);

/* Takes one free frame in [PAGE_SIZE, BOOT_LOW_MEMORY_END), for code that a CPU
 * starts in real mode.  Gives: FRAME_NONE if there is none. */
frame_no_t boot_take_low_frame(struct boot_info *boot);

/* What the early map shows at `address`; the machine defines it, tests do too. */
void *early_pointer(phys_addr_t address);

#endif
