// SPDX-License-Identifier: BSD-2-Clause
/*
 * One doubly linked queue a bucket, oldest first; keys that share a bucket are
 * told apart by comparing them whole.
 */
#include "core/park.h"

#include "base/assert.h"

COMPILE_ASSERT((PARK_BUCKETS & (PARK_BUCKETS - 1)) == 0, buckets_are_a_power_of_two);

void park_init(struct park_table *table, struct park_waiter *waiters)
{
    table->waiters = waiters;
    /*@ loop invariant 0 <= bucket <= PARK_BUCKETS;
        loop invariant \forall integer i; 0 <= i < bucket ==>
          table->head[i] == PARK_NONE && table->tail[i] == PARK_NONE;
        loop assigns bucket, table->head[0 .. PARK_BUCKETS - 1],
                     table->tail[0 .. PARK_BUCKETS - 1];
        loop variant PARK_BUCKETS - bucket;
    */
    for (uint32_t bucket = 0; bucket < PARK_BUCKETS; bucket++) {
        table->head[bucket] = PARK_NONE;
        table->tail[bucket] = PARK_NONE;
    }
}

uint32_t park_bucket(const struct park_key *key)
{
    uint64_t mixed = (key->address >> 2) + key->space * UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ key->generation) * UINT64_C(0xff51afd7ed558ccd);
    return (uint32_t)(mixed >> 40) & (PARK_BUCKETS - 1);
}

/*@ requires \valid_read(one) && \valid_read(other);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==> park_has_key(one, other);
*/
static bool is_same_key(const struct park_key *one, const struct park_key *other)
{
    return one->address == other->address && one->space == other->space &&
           one->generation == other->generation;
}

void park_enqueue(struct park_table *table, uint32_t waiter, const struct park_key *key)
{
    struct park_waiter *record = &table->waiters[waiter];
    uint32_t bucket = park_bucket(key);
    uint32_t last = table->tail[bucket];

    CHECK_VALUE(!record->queued, waiter);
    record->key.generation = key->generation;
    record->key.address = key->address;
    record->key.space = key->space;
    record->key.reserved = 0;
    record->next = PARK_NONE;
    record->previous = last;
    record->queued = true;
    if (last == PARK_NONE) {
        table->head[bucket] = waiter;
    } else {
        table->waiters[last].next = waiter;
    }
    table->tail[bucket] = waiter;
}

/*@ requires park_shape(table) && bucket < PARK_BUCKETS && waiter != PARK_NONE;
    requires apart: table->waiters[waiter].previous != waiter;
    requires apart: table->waiters[waiter].next != waiter;
    terminates \true;
    exits   \false;
    assigns table->waiters[waiter].next, table->waiters[waiter].previous,
            table->waiters[waiter].queued,
            table->waiters[table->waiters[waiter].previous].next,
            table->waiters[table->waiters[waiter].next].previous,
            table->head[bucket], table->tail[bucket];
    ensures left: park_left{Pre,Post}(table, bucket, waiter);
*/
static void park_unlink(struct park_table *table, uint32_t bucket, uint32_t waiter)
{
    struct park_waiter *record = &table->waiters[waiter];

    if (record->previous == PARK_NONE) {
        table->head[bucket] = record->next;
    } else {
        table->waiters[record->previous].next = record->next;
    }
    if (record->next == PARK_NONE) {
        table->tail[bucket] = record->previous;
    } else {
        table->waiters[record->next].previous = record->previous;
    }
    record->next = PARK_NONE;
    record->previous = PARK_NONE;
    record->queued = false;
}

uint32_t park_dequeue(struct park_table *table, const struct park_key *key)
{
    uint32_t bucket = park_bucket(key);
    uint32_t waiter = table->head[bucket];

    //@ loop assigns waiter;
    while (waiter != PARK_NONE && !is_same_key(&table->waiters[waiter].key, key)) {
        waiter = table->waiters[waiter].next;
    }
    if (waiter != PARK_NONE) {
        park_unlink(table, bucket, waiter);
    }
    return waiter;
}

bool park_remove(struct park_table *table, uint32_t waiter)
{
    if (!table->waiters[waiter].queued) {
        return false;
    }
    park_unlink(table, park_bucket(&table->waiters[waiter].key), waiter);
    return true;
}

/*@ requires \valid_read(key);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==> park_in_range(key, space, generation, start, end);
*/
static bool is_in_range(const struct park_key *key, uint32_t space, uint64_t generation,
                        virt_addr_t start, virt_addr_t end)
{
    return key->space == space && key->generation == generation && key->address >= start &&
           key->address < end;
}

uint32_t park_dequeue_range(struct park_table *table, uint32_t bucket, uint32_t space,
                            uint64_t generation, virt_addr_t start, virt_addr_t end)
{
    uint32_t waiter = table->head[bucket];

    //@ loop assigns waiter;
    while (waiter != PARK_NONE &&
           !is_in_range(&table->waiters[waiter].key, space, generation, start, end)) {
        waiter = table->waiters[waiter].next;
    }
    if (waiter != PARK_NONE) {
        park_unlink(table, bucket, waiter);
    }
    return waiter;
}

void park_check_invariants(const struct park_table *table, uint32_t bucket)
{
    uint32_t before = PARK_NONE;

    for (uint32_t waiter = table->head[bucket]; waiter != PARK_NONE;
         waiter = table->waiters[waiter].next) {
        CHECK_VALUE(table->waiters[waiter].queued, waiter);
        CHECK_VALUE(table->waiters[waiter].previous == before, waiter);
        CHECK_VALUE(park_bucket(&table->waiters[waiter].key) == bucket, waiter);
        before = waiter;
    }
    CHECK_VALUE(table->tail[bucket] == before, bucket);
}
