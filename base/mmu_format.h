// SPDX-License-Identifier: BSD-2-Clause
/*
 * How a page-table entry of the machine is spelled, as data.
 *
 * core/ walks and writes page tables without naming a machine: everything the
 * hardware reads in an entry is looked up here, and what only we read sits in
 * bits that every supported machine ignores:
 *
 *   bit 0        present (both machines)
 *   bits 12..47  frame address (present), or the state's own value (absent)
 *   bits 55..58  entry state        (core/entry.h)
 *   bits 59..61  protection we owe  (it outlives copy-on-write and absence)
 *
 * Tables have 512 entries of 8 bytes and MMU_LEVELS levels; level 0 holds
 * 4 KiB pages.
 */
#ifndef BASE_MMU_FORMAT_H
#define BASE_MMU_FORMAT_H

#include "base/types.h"

#define MMU_LEVELS        4
#define MMU_INDEX_BITS    9
#define MMU_TABLE_ENTRIES (1u << MMU_INDEX_BITS)

#define MMU_PRESENT       UINT64_C(1)
#define MMU_ADDRESS_MASK  UINT64_C(0x0000fffffffff000)

struct mmu_format {
    uint64_t table;            /* bits of an entry that names a lower table */
    uint64_t page[8];          /* bits of a user page, by PROT_* of abi/types.h; [0] unused */
    uint64_t block[8];         /* same for a block (2 MiB at level 1, 1 GiB at level 2) */
    uint64_t accessed, dirty;  /* set by hardware, never lost by us (TL5) */
};

#endif
