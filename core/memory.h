// SPDX-License-Identifier: BSD-2-Clause
/*
 * What core/ is given instead of hardware: a view of physical memory, and the
 * few things it must ask its host for.
 *
 * Hooks may take only locks of the ranks they name, all inner to those core/
 * functions run under, so core/ may call them from anywhere.
 */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include "base/types.h"
#include "core/fault_point.h"

struct core_cpu;
struct id_pool;

struct core_host {
    /* Frame n's bytes are at direct_map + n * PAGE_SIZE, 8-byte aligned words. */
    uint8_t *direct_map;
    /* Fills `count` > 0 frames from `first` on with zeros. */
    void (*pages_clear)(frame_no_t first, uint32_t count);
    /* Moves frames from the shared allocator into this CPU's magazine, at most half full
     * (magazine_fill); leaves it as it is when there are none.  Takes the frames lock. */
    void (*magazine_refill)(struct core_cpu *cpu);
    /* Moves half of a full magazine back (magazine_empty).  Takes the frames lock. */
    void (*magazine_drain)(struct core_cpu *cpu);
    /* frame_block_take and frame_run_put under the frames lock. */
    frame_no_t (*block_take)(struct core_cpu *cpu, unsigned order);
    void (*run_put)(struct core_cpu *cpu, frame_no_t first, uint32_t count);
    /* Backs more records of a pool that ran out (id_pool_extend); false: not now (PRESSURE). */
    bool (*pool_grow)(struct core_cpu *cpu, struct id_pool *pool);
    /* A ledger's last reference is gone: calls ledger_collect under the ledgers lock,
     * now or later. */
    void (*ledger_idle)(struct core_cpu *cpu, uint32_t ledger);
    /* Called between looks at a page table that another CPU holds: a short wait. */
    void (*table_wait)(struct core_cpu *cpu);
    /* Called at bounded steps of what may last long: takes the interrupts that wait, and answers
     * rounds.  Needs: no walk without locks is under way, of locks none but tables and the ranks
     * before them is held (docs/decisions/0011-interrupt-windows.md). */
    void (*interrupt_window)(const struct core_cpu *cpu);
    /* Debug builds: before a page table is locked, to check the order of locks.  NULL: not. */
    void (*table_check)(struct core_cpu *cpu);
#ifdef CONFIG_FAULT_POINTS
    /* Told of each pass of a fault point; true: the step fails, with `status`.  NULL: none does. */
    bool (*fault_point)(struct core_cpu *cpu, const struct fault_site *site, status_t status);
#endif
};

#endif
