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

bool id_pool_take(struct core_cpu *cpu, struct id_pool *pool, uint32_t *index)
{
    if (pool->free_head == ID_NONE) {
        if (!cpu->cadastre->host.pool_grow(cpu, pool) || pool->free_head == ID_NONE)
            return false;
    }
    uint32_t taken = pool->free_head;
    struct id_slot *slot = &pool->slots[taken];

    CHECK_VALUE(slot->next < pool->capacity, taken);
    pool->free_head = slot->next;
    slot->next = ID_LIVE;
    pool->free_count--;
    pool->live_count++;
    *index = taken;
    return true;
}

void id_pool_put(struct id_pool *pool, uint32_t index)
{
    CHECK_VALUE(id_is_live(pool, index), index);
    struct id_slot *slot = &pool->slots[index];

    pool->live_count--;
    if (slot->generation >= pool->generation_max) {
        slot->next = ID_RETIRED;
        pool->retired_count++;
        return;
    }
    slot->generation++;
    slot->next = pool->free_head;
    pool->free_head = index;
    pool->free_count++;
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
