// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names for records: an index and a generation.
 *
 * Each table of records (ledgers, objects, capability slots...) is a plain
 * array beside one id_pool of the same capacity.  The pool says which indices
 * live and counts each index's reuses, so a name that outlives its record is
 * told apart (CP1).  Index 0 is never given out: 0 means none.
 *
 * Invariants: an index is either live or on the free list, once; generation
 * only grows, from 1; live + free + retired + 1 = capacity once anything is backed;
 * an index whose generation reached `generation_max` is retired instead of reused.
 * Locks: the caller's, one a pool.
 */
#ifndef CORE_ID_POOL_H
#define CORE_ID_POOL_H

#include "base/types.h"

struct core_cpu;

#define ID_NONE 0u
#define ID_LIVE    UINT32_MAX       /* in id_slot.next: not on the free list */
#define ID_RETIRED (UINT32_MAX - 1) /* same, and never again */

struct id_slot {
    uint64_t generation; /* of the record that lives here, or of the next to */
    uint32_t next;       /* next free index, ID_NONE at the end, ID_LIVE, ID_RETIRED */
    uint32_t reserved;
};

struct id_pool {
    struct id_slot *slots;
    uint32_t capacity; /* indices backed now; [0, capacity) may be touched */
    uint32_t limit;    /* indices that could ever be backed */
    uint32_t free_head, free_count, live_count, retired_count;
    uint64_t generation_max;
    uint32_t number;   /* which pool, for the host's growth */
};

/* Starts with nothing backed. Needs: slots has room for limit. */
void id_pool_init(struct id_pool *pool, uint32_t number, struct id_slot *slots, uint32_t limit,
                  uint64_t generation_max);
/* Indices [old capacity, capacity) are backed now. Needs: capacity <= limit. */
void id_pool_extend(struct id_pool *pool, uint32_t capacity);
/* Takes a free index; asks the host to grow when there is none.
 * Gives: false, and nothing changed, if it could not. */
MUST_CHECK bool id_pool_take(struct core_cpu *cpu, struct id_pool *pool, uint32_t *index);
/* Needs: index live. From here on its old generation is stale. */
void id_pool_put(struct id_pool *pool, uint32_t index);

/* The list above; CHECKs.  Cost: O(capacity). */
void id_pool_check_invariants(const struct id_pool *pool);

/* The record stays where it is under the next generation: its old name is stale.
 * Needs: index live.  Gives: false, and nothing changed, at generation_max. */
MUST_CHECK bool id_pool_renew(struct id_pool *pool, uint32_t index);

static inline bool id_is_live(const struct id_pool *pool, uint32_t index)
{
    return index != ID_NONE && index < pool->capacity && pool->slots[index].next == ID_LIVE;
}

static inline bool id_matches(const struct id_pool *pool, uint32_t index, uint64_t generation)
{
    return id_is_live(pool, index) && pool->slots[index].generation == generation;
}

#endif
