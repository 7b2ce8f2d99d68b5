// SPDX-License-Identifier: BSD-2-Clause
/*
 * What core/ is given instead of hardware: a view of physical memory, and the
 * few things it must ask its host for.
 */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include "base/types.h"

struct core_cpu;
struct id_pool;

struct core_host {
    /* Frame n's bytes are at direct_map + n * PAGE_SIZE, 8-byte aligned words. */
    uint8_t *direct_map;
    void (*page_clear)(frame_no_t frame);
    /* Moves frames from the shared allocator into an empty magazine of this CPU;
     * leaves it empty when there are none.  Takes the frames lock. */
    void (*magazine_refill)(struct core_cpu *cpu);
    /* Moves half of a full magazine back. */
    void (*magazine_drain)(struct core_cpu *cpu);
    /* Backs more records of a pool that ran out; false: not now (PRESSURE). */
    bool (*pool_grow)(struct core_cpu *cpu, struct id_pool *pool);
};

#endif
