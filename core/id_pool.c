// SPDX-License-Identifier: BSD-2-Clause
/* The free list is a stack through `next`, so a name is reused while it is warm. */
#include "core/id_pool.h"

#include "base/assert.h"
#include "core/cadastre.h"

void id_pool_init(struct id_pool *pool, uint32_t number, struct id_slot *slots, uint32_t limit,
                  uint64_t generation_max)
{
    CHECK_VALUE(limit < ID_RETIRED, number);
    CHECK_VALUE(generation_max > 0, number);
    pool->slots = slots;
    pool->capacity = 0;
    pool->limit = limit;
    pool->free_head = ID_NONE;
    pool->free_count = 0;
    pool->live_count = 0;
    pool->retired_count = 0;
    pool->generation_max = generation_max;
    pool->number = number;
}

void id_pool_extend(struct id_pool *pool, uint32_t capacity)
{
    CHECK_VALUE(capacity >= pool->capacity && capacity <= pool->limit, pool->number);
    uint32_t first = pool->capacity == 0 ? 1 : pool->capacity; /* 0 is never given out */

    if (pool->capacity == 0 && capacity > 0) {
        pool->slots[0].generation = 0;
        pool->slots[0].next = ID_RETIRED;
        pool->slots[0].reserved = 0;
    }
    for (uint32_t index = capacity; index > first; index--) {
        struct id_slot *slot = &pool->slots[index - 1];
        slot->generation = 1;
        slot->next = pool->free_head;
        slot->reserved = 0;
        pool->free_head = index - 1;
        pool->free_count++;
    }
    pool->capacity = capacity;
}

/*@ requires id_pool_ok(pool) && pool->free_head != ID_NONE;
    terminates \true;
    exits   \false;
    assigns pool->free_head, pool->free_count, pool->live_count,
            pool->slots[pool->free_head].next;
    ensures id_pool_shape(pool) && id_generations(pool);
    ensures head: id_head(pool);
    ensures links: id_links(pool);
    ensures once: id_once(pool);
    ensures count_live: id_count_live(pool);
    ensures count_retired: id_count_retired(pool);
    ensures count_sum: id_count_sum(pool);
    ensures given: \result == \old(pool->free_head) && id_live(pool, \result);
    ensures was_free: id_free{Pre}(pool->slots, \result);
    ensures counted: pool->live_count == \old(pool->live_count) + 1;
    ensures others: \forall integer i; 0 <= i < pool->capacity && i != \result ==>
      pool->slots[i].next == \at(pool->slots[i].next,Pre);
*/
static uint32_t head_take(struct id_pool *pool)
{
    uint32_t taken = pool->free_head;
    struct id_slot *slot = &pool->slots[taken];

    //@ assert was_free: id_free{Pre}(pool->slots, taken);
    /*@ ghost
        /@ loop invariant 1 <= j <= pool->capacity;
           loop invariant id_count(pool->slots, j, ID_LIVE) >= 0;
           loop invariant id_count(pool->slots, j, ID_RETIRED) >= 0;
           loop invariant id_count(pool->slots, j, ID_LIVE) +
             id_count(pool->slots, j, ID_RETIRED) <= j - 1 - (taken < j ? 1 : 0);
           loop assigns j;
           loop variant pool->capacity - j; @/
        for (uint32_t j = 1; j < pool->capacity; j++) { }
    */
    uint32_t next = slot->next;
    CHECK_VALUE(next < pool->capacity, taken);
    pool->free_head = next;
    slot->next = ID_LIVE;
    pool->free_count--;
    pool->live_count++;
    /*@ assert others: \forall integer i; 0 <= i < pool->capacity && i != taken ==>
          pool->slots[i].next == \at(pool->slots[i].next,Pre);
    */
    //@ assert now: !id_free(pool->slots, taken);
    /*@ assert free_before: \forall integer i; 0 < i < pool->capacity &&
          id_free(pool->slots, i) ==> i != taken && id_free{Pre}(pool->slots, i) &&
          pool->slots[i].next != taken;
    */
    /*@ assert one_more: \forall integer i; 0 <= i < pool->capacity ==>
          id_is(pool->slots, i, ID_LIVE) ==
            id_is{Pre}(pool->slots, i, ID_LIVE) + (i == taken ? 1 : 0);
    */
    /*@ assert none_less: \forall integer i; 0 <= i < pool->capacity ==>
          id_is(pool->slots, i, ID_RETIRED) == id_is{Pre}(pool->slots, i, ID_RETIRED);
    */
    /*@ ghost
        /@ loop invariant 1 <= j <= pool->capacity;
           loop invariant id_count(pool->slots, j, ID_LIVE) ==
             id_count{Pre}(pool->slots, j, ID_LIVE) + (taken < j ? 1 : 0);
           loop invariant id_count(pool->slots, j, ID_RETIRED) ==
             id_count{Pre}(pool->slots, j, ID_RETIRED);
           loop assigns j;
           loop variant pool->capacity - j; @/
        for (uint32_t j = 1; j < pool->capacity; j++) {
            /@ assert id_count{Here}(pool->slots, j + 1, ID_LIVE) ==
                 id_count{Here}(pool->slots, j, ID_LIVE) + id_is{Here}(pool->slots, j, ID_LIVE); @/
            /@ assert id_count{Pre}(pool->slots, j + 1, ID_LIVE) ==
                 id_count{Pre}(pool->slots, j, ID_LIVE) + id_is{Pre}(pool->slots, j, ID_LIVE); @/
            /@ assert id_count{Here}(pool->slots, j + 1, ID_RETIRED) ==
                 id_count{Here}(pool->slots, j, ID_RETIRED) +
                 id_is{Here}(pool->slots, j, ID_RETIRED); @/
            /@ assert id_count{Pre}(pool->slots, j + 1, ID_RETIRED) ==
                 id_count{Pre}(pool->slots, j, ID_RETIRED) +
                 id_is{Pre}(pool->slots, j, ID_RETIRED); @/
        }
    */
    return taken;
}

#undef id_pool_take
bool id_pool_take(struct core_cpu *cpu, struct id_pool *pool, uint32_t *index)
{
    if (pool->free_head == ID_NONE) {
        if (!cpu->cadastre->host.pool_grow(cpu, pool) || pool->free_head == ID_NONE)
            return false;
    }
    *index = head_take(pool);
    return true;
}

void id_pool_put(struct id_pool *pool, uint32_t index)
{
    CHECK_VALUE(id_is_live(pool, index), index);
    struct id_slot *slot = &pool->slots[index];
    bool is_last = slot->generation >= pool->generation_max;

    /*@ ghost
        /@ loop invariant 1 <= j <= pool->capacity;
           loop invariant id_count(pool->slots, j, ID_LIVE) >= 0;
           loop invariant id_count(pool->slots, j, ID_RETIRED) >= 0;
           loop invariant id_count(pool->slots, j, ID_LIVE) +
             id_count(pool->slots, j, ID_RETIRED) <= j - 1 - (0);
           loop invariant index < j ==> id_count(pool->slots, j, ID_LIVE) >= 1;
           loop assigns j;
           loop variant pool->capacity - j; @/
        for (uint32_t j = 1; j < pool->capacity; j++) { }
    */
    slot->next = is_last ? ID_RETIRED : pool->free_head;
    pool->live_count--;
    if (is_last) {
        pool->retired_count++;
    } else {
        slot->generation++;
        pool->free_head = index;
        pool->free_count++;
    }
    /*@ ghost
        /@ loop invariant 1 <= j <= pool->capacity;
           loop invariant id_count(pool->slots, j, ID_LIVE) ==
             id_count{Pre}(pool->slots, j, ID_LIVE) - (index < j ? 1 : 0);
           loop invariant id_count(pool->slots, j, ID_RETIRED) ==
             id_count{Pre}(pool->slots, j, ID_RETIRED) + (is_last && index < j ? 1 : 0);
           loop assigns j;
           loop variant pool->capacity - j; @/
        for (uint32_t j = 1; j < pool->capacity; j++) { }
    */
}

bool id_pool_renew(struct id_pool *pool, uint32_t index)
{
    CHECK_VALUE(id_is_live(pool, index), index);
    if (pool->slots[index].generation >= pool->generation_max) {
        return false;
    }
    pool->slots[index].generation++;
    return true;
}

void id_pool_check_invariants(const struct id_pool *pool)
{
    uint32_t live = 0, retired = 0, listed = 0;

    for (uint32_t i = 1; i < pool->capacity; i++) {
        CHECK_VALUE(pool->slots[i].generation >= 1, i);
        CHECK_VALUE(pool->slots[i].generation <= pool->generation_max, i);
        live += pool->slots[i].next == ID_LIVE;
        retired += pool->slots[i].next == ID_RETIRED;
    }
    for (uint32_t i = pool->free_head; i != ID_NONE; i = pool->slots[i].next) {
        CHECK_VALUE(i < pool->capacity && listed < pool->free_count, i);
        listed++;
    }
    CHECK_VALUE(listed == pool->free_count, listed);
    CHECK_VALUE(live == pool->live_count, live);
    CHECK_VALUE(retired == pool->retired_count, retired);
    CHECK_VALUE(pool->capacity == 0 || live + retired + listed + 1 == pool->capacity, live);
}
