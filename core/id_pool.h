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

/*@ predicate id_live{L}(struct id_pool *pool, integer i) =
      0 < i < pool->capacity && pool->slots[i].next == ID_LIVE;
    predicate id_free{L}(struct id_slot *slots, integer i) =
      slots[i].next != ID_LIVE && slots[i].next != ID_RETIRED;
    logic integer id_is{L}(struct id_slot *slots, integer i, integer what) =
      slots[i].next == what ? 1 : 0;
    // how many of the indices [1, n) are ID_LIVE, or ID_RETIRED
    logic integer id_count{L}(struct id_slot *slots, integer n, integer what) =
      n <= 1 ? 0 : id_count(slots, n - 1, what) + id_is(slots, n - 1, what);

    predicate id_pool_shape{L}(struct id_pool *pool) =
      \valid(pool) && pool->capacity <= pool->limit < ID_RETIRED &&
      \valid(pool->slots + (0 .. pool->capacity - 1)) &&
      \separated(pool, pool->slots + (0 .. pool->limit - 1));
    predicate id_generations{L}(struct id_pool *pool) =
      1 <= pool->generation_max &&
      \forall integer i; 0 < i < pool->capacity ==>
        1 <= pool->slots[i].generation <= pool->generation_max;
    // each free index is named once: by the head, or by one other free index
    predicate id_head{L}(struct id_pool *pool) =
      (pool->capacity > 0 ==> pool->slots[0].next == ID_RETIRED) &&
      (pool->free_head == ID_NONE ||
       0 < pool->free_head < pool->capacity && id_free(pool->slots, pool->free_head));
    predicate id_links{L}(struct id_pool *pool) =
      \forall integer i; 0 < i < pool->capacity && id_free(pool->slots, i) ==>
         pool->slots[i].next == ID_NONE ||
         0 < pool->slots[i].next < pool->capacity &&
         pool->slots[i].next != pool->free_head &&
         id_free(pool->slots, pool->slots[i].next);
    predicate id_once{L}(struct id_pool *pool) =
      \forall integer i, j; 0 < i < j < pool->capacity &&
         id_free(pool->slots, i) && id_free(pool->slots, j) &&
         pool->slots[i].next == pool->slots[j].next ==> pool->slots[i].next == ID_NONE;
    predicate id_count_live{L}(struct id_pool *pool) =
      pool->live_count == id_count(pool->slots, pool->capacity, ID_LIVE);
    predicate id_count_retired{L}(struct id_pool *pool) =
      pool->retired_count == id_count(pool->slots, pool->capacity, ID_RETIRED);
    predicate id_count_sum{L}(struct id_pool *pool) =
      pool->live_count + pool->retired_count + pool->free_count ==
        (pool->capacity == 0 ? 0 : pool->capacity - 1);
    predicate id_pool_ok{L}(struct id_pool *pool) =
      id_pool_shape(pool) && id_generations(pool) && id_head(pool) && id_links(pool) &&
      id_once(pool) && id_count_live(pool) && id_count_retired(pool) && id_count_sum(pool);

    // index i means at B what it meant at A
    predicate id_same{A,B}(struct id_pool *pool, integer i) =
      \at(pool->slots[i].generation,A) == \at(pool->slots[i].generation,B) &&
      (\at(pool->slots[i].next,A) == ID_LIVE <==> \at(pool->slots[i].next,B) == ID_LIVE) &&
      (\at(pool->slots[i].next,A) == ID_RETIRED <==> \at(pool->slots[i].next,B) == ID_RETIRED);
    predicate id_others_same{A,B}(struct id_pool *pool, integer but) =
      \forall integer i; 0 < i < \at(pool->capacity,A) && i != but ==> id_same{A,B}(pool, i);
*/

/* Starts with nothing backed. Needs: slots has room for limit. */
/*@ requires \valid(pool) && \separated(pool, slots + (0 .. limit - 1));
    terminates \true;
    exits   \false;
    assigns *pool;
    ensures id_pool_ok(pool) && pool->capacity == 0;
    ensures given: pool->slots == slots && pool->limit == limit &&
      pool->generation_max == generation_max;
*/
void id_pool_init(struct id_pool *pool, uint32_t number, struct id_slot *slots, uint32_t limit,
                  uint64_t generation_max);
/* Indices [old capacity, capacity) are backed now. Needs: capacity <= limit. */
void id_pool_extend(struct id_pool *pool, uint32_t capacity);
/* Takes a free index; asks the host to grow when there is none.
 * Gives: false, and nothing changed, if it could not. */
MUST_CHECK bool id_pool_take(struct core_cpu *cpu, struct id_pool *pool, uint32_t *index);
/* Needs: index live. From here on its old generation is stale. */
/*@ requires id_pool_ok(pool);
    terminates \true;
    exits   \false;
    assigns pool->live_count, pool->retired_count, pool->free_count, pool->free_head,
            pool->slots[index].next, pool->slots[index].generation;
    ensures shape: id_pool_shape(pool);
    ensures generations: id_generations(pool);
    ensures head: id_head(pool);
    ensures links: id_links(pool);
    ensures once: id_once(pool);
    ensures count_live: id_count_live(pool);
    ensures count_retired: id_count_retired(pool);
    ensures count_sum: id_count_sum(pool);
    ensures was_live: id_live{Pre}(pool, index) && !id_live(pool, index);
    ensures counted: pool->live_count == \old(pool->live_count) - 1;
    ensures others: id_others_same{Pre,Post}(pool, index);
    ensures stale: pool->slots[index].generation == \old(pool->slots[index].generation) + 1 ||
      pool->slots[index].next == ID_RETIRED;
*/
void id_pool_put(struct id_pool *pool, uint32_t index);

/* The list above; CHECKs.  Cost: O(capacity). */
void id_pool_check_invariants(const struct id_pool *pool);

/* The record stays where it is under the next generation: its old name is stale.
 * Needs: index live.  Gives: false, and nothing changed, at generation_max. */
/*@ requires id_pool_ok(pool);
    terminates \true;
    exits   \false;
    assigns pool->slots[index].generation;
    ensures id_pool_ok(pool) && id_live(pool, index);
    ensures stale: \result == \true ==>
      pool->slots[index].generation == \old(pool->slots[index].generation) + 1;
    ensures refused: \result == \false ==>
      pool->slots[index].generation == \old(pool->slots[index].generation) == pool->generation_max;
*/
MUST_CHECK bool id_pool_renew(struct id_pool *pool, uint32_t index);

/*@ requires \valid_read(pool) && \valid_read(pool->slots + (0 .. pool->capacity - 1));
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==> id_live(pool, index);
*/
static inline bool id_is_live(const struct id_pool *pool, uint32_t index)
{
    return index != ID_NONE && index < pool->capacity && pool->slots[index].next == ID_LIVE;
}

/*@ requires \valid_read(pool) && \valid_read(pool->slots + (0 .. pool->capacity - 1));
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==>
      id_live(pool, index) && pool->slots[index].generation == generation;
*/
static inline bool id_matches(const struct id_pool *pool, uint32_t index, uint64_t generation)
{
    return id_is_live(pool, index) && pool->slots[index].generation == generation;
}

#endif
