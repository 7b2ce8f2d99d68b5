// SPDX-License-Identifier: BSD-2-Clause
/*
 * Park queues: threads that wait on a word of memory, first come first served.
 *
 * A private word's key is (space id, space generation, address) (PK1).  Waiters
 * are named by index into an array the host gives (one per thread); buckets
 * hash keys.  Locks: the bucket's, from the caller's check of the word to the
 * enqueue, so that no wake-up is lost (PK2).
 */
#ifndef CORE_PARK_H
#define CORE_PARK_H

#include "base/types.h"

#define PARK_BUCKETS 256
#define PARK_NONE UINT32_MAX

struct park_key {
    uint64_t generation;
    virt_addr_t address;
    uint32_t space;
    uint32_t reserved;
};

struct park_waiter {
    struct park_key key;
    uint32_t next, previous; /* in the bucket */
    bool queued;
};

struct park_table {
    struct park_waiter *waiters; /* by thread id */
    uint32_t head[PARK_BUCKETS], tail[PARK_BUCKETS];
};

/*@ // The bucket of a key, as park_bucket computes it: of nothing but the whole key.
    logic integer park_home{L}(struct park_key *key) =
      (uint32_t)((uint64_t)(((uint64_t)((key->address >> 2) +
        (uint64_t)(key->space * 0x9e3779b97f4a7c15)) ^ key->generation) *
        0xff51afd7ed558ccd) >> 40) & (PARK_BUCKETS - 1);

    // Every number has a record here: coarser than the machine, where only threads have.
    predicate park_shape{L}(struct park_table *table) =
      \valid(table) && \valid(table->waiters + (0 .. PARK_NONE)) &&
      \separated(table, table->waiters + (0 .. PARK_NONE));
    predicate park_key_apart{L}(struct park_table *table, struct park_key *key) =
      \valid_read(key) && \separated(key, table, table->waiters + (0 .. PARK_NONE));
    predicate park_has_key{L}(struct park_key *waits_for, struct park_key *key) =
      waits_for->address == key->address && waits_for->generation == key->generation &&
      waits_for->space == key->space;
    predicate park_in_range{L}(struct park_key *key, integer space, integer generation,
                               integer start, integer end) =
      key->space == space && key->generation == generation && start <= key->address < end;
    // nobody is beside himself
    predicate park_apart{L}(struct park_table *table) =
      \forall integer i; 0 <= i < PARK_NONE ==>
        table->waiters[i].next != i && table->waiters[i].previous != i;

    // `waiter` came last into `bucket`, and nobody else's links changed
    predicate park_came{A,B}(struct park_table *table, integer bucket, integer waiter) =
      (\forall integer i; 0 <= i < PARK_NONE ==>
        \at(table->waiters[i].next,B) ==
          (i == waiter ? PARK_NONE :
           i == \at(table->tail[bucket],A) ? waiter : \at(table->waiters[i].next,A))) &&
      (\forall integer i; 0 <= i < PARK_NONE ==>
        \at(table->waiters[i].previous,B) ==
          (i == waiter ? \at(table->tail[bucket],A) : \at(table->waiters[i].previous,A))) &&
      \at(table->tail[bucket],B) == waiter &&
      \at(table->head[bucket],B) ==
        (\at(table->tail[bucket],A) == PARK_NONE ? waiter : \at(table->head[bucket],A));
    predicate park_same{A,B}(struct park_table *table) =
      (\forall integer i; 0 <= i < PARK_NONE ==>
        \at(table->waiters[i].next,B) == \at(table->waiters[i].next,A) &&
        \at(table->waiters[i].previous,B) == \at(table->waiters[i].previous,A) &&
        \at(table->waiters[i].queued,B) == \at(table->waiters[i].queued,A)) &&
      (\forall integer i; 0 <= i < PARK_BUCKETS ==>
        \at(table->head[i],B) == \at(table->head[i],A) &&
        \at(table->tail[i],B) == \at(table->tail[i],A));
    // `waiter` left `bucket`, its neighbours name each other, and nobody else's links changed
    predicate park_left{A,B}(struct park_table *table, integer bucket, integer waiter) =
      (\forall integer i; 0 <= i < PARK_NONE ==>
        \at(table->waiters[i].next,B) ==
          (i == waiter ? PARK_NONE :
           i == \at(table->waiters[waiter].previous,A) ? \at(table->waiters[waiter].next,A) :
             \at(table->waiters[i].next,A))) &&
      (\forall integer i; 0 <= i < PARK_NONE ==>
        \at(table->waiters[i].previous,B) ==
          (i == waiter ? PARK_NONE :
           i == \at(table->waiters[waiter].next,A) ? \at(table->waiters[waiter].previous,A) :
             \at(table->waiters[i].previous,A))) &&
      \at(table->head[bucket],B) ==
        (\at(table->waiters[waiter].previous,A) == PARK_NONE ?
           \at(table->waiters[waiter].next,A) : \at(table->head[bucket],A)) &&
      \at(table->tail[bucket],B) ==
        (\at(table->waiters[waiter].next,A) == PARK_NONE ?
           \at(table->waiters[waiter].previous,A) : \at(table->tail[bucket],A)) &&
      (\forall integer i; 0 <= i < PARK_NONE ==> \at(table->waiters[i].queued,B) ==
        (i == waiter ? \false : \at(table->waiters[i].queued,A)));
*/

/* All buckets empty.  Needs: no waiter queued (an array of zeroes is fine). */
/*@ requires \valid(table);
    terminates \true;
    exits   \false;
    assigns *table;
    ensures given: table->waiters == waiters;
    ensures empty: \forall integer i; 0 <= i < PARK_BUCKETS ==>
      table->head[i] == PARK_NONE && table->tail[i] == PARK_NONE;
*/
void park_init(struct park_table *table, struct park_waiter *waiters);
/*@ requires \valid_read(key);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures home: \result == park_home(key);
    ensures inside: \result < PARK_BUCKETS;
*/
uint32_t park_bucket(const struct park_key *key);
/* Needs: waiter not queued. */
/*@ requires park_shape(table) && park_key_apart(table, key) && waiter != PARK_NONE;
    requires not_last: table->tail[park_home(key)] != waiter;
    terminates \true;
    exits   \false;
    assigns table->waiters[waiter], table->waiters[table->tail[park_home(key)]].next,
            table->head[park_home(key)], table->tail[park_home(key)];
    ensures came: park_came{Pre,Post}(table, park_home{Pre}(key), waiter);
    ensures was_out: \old(table->waiters[waiter].queued) == \false;
    ensures queued: table->waiters[waiter].queued == \true;
    ensures waits_for: park_has_key(&table->waiters[waiter].key, key);
*/
void park_enqueue(struct park_table *table, uint32_t waiter, const struct park_key *key);
/* Takes the first waiter with this key out.  Gives: PARK_NONE if there is none. */
/*@ // That the walk ends, and meets the first, is searched: test/model/park_exhaustive_test.c.
    requires park_shape(table) && park_key_apart(table, key) && park_apart(table);
    exits   \false;
    assigns table->waiters[0 .. PARK_NONE].next, table->waiters[0 .. PARK_NONE].previous,
            table->waiters[0 .. PARK_NONE].queued,
            table->head[park_home(key)], table->tail[park_home(key)];
    ensures found: \result != PARK_NONE ==> park_has_key(&table->waiters[\result].key, key);
    ensures left: \result != PARK_NONE ==>
      park_left{Pre,Post}(table, park_home{Pre}(key), \result);
    ensures none: \result == PARK_NONE ==> park_same{Pre,Post}(table);
*/
uint32_t park_dequeue(struct park_table *table, const struct park_key *key);
/* Takes one out wherever it stands (timeout, kill).  Gives: false if it was not queued.
 * Its bucket is that of its own key, which stays what it was when it was queued. */
/*@ requires park_shape(table) && park_apart(table) && waiter != PARK_NONE;
    terminates \true;
    exits   \false;
    assigns table->waiters[waiter].next, table->waiters[waiter].previous,
            table->waiters[waiter].queued,
            table->waiters[table->waiters[waiter].previous].next,
            table->waiters[table->waiters[waiter].next].previous,
            table->head[park_home(&table->waiters[waiter].key)],
            table->tail[park_home(&table->waiters[waiter].key)];
    ensures told: \result == \old(table->waiters[waiter].queued);
    ensures left: \result == \true ==>
      park_left{Pre,Post}(table, park_home{Pre}(&table->waiters[waiter].key), waiter);
    ensures none: \result == \false ==> park_same{Pre,Post}(table);
*/
bool park_remove(struct park_table *table, uint32_t waiter);
/* Takes out the first waiter of `bucket` whose key is of this space and inside [start, end),
 * for memory that goes away.  Gives: PARK_NONE if there is none. */
/*@ requires park_shape(table) && park_apart(table) && bucket < PARK_BUCKETS;
    exits   \false;
    assigns table->waiters[0 .. PARK_NONE].next, table->waiters[0 .. PARK_NONE].previous,
            table->waiters[0 .. PARK_NONE].queued, table->head[bucket], table->tail[bucket];
    ensures found: \result != PARK_NONE ==>
      park_in_range(&table->waiters[\result].key, space, generation, start, end);
    ensures left: \result != PARK_NONE ==> park_left{Pre,Post}(table, bucket, \result);
    ensures none: \result == PARK_NONE ==> park_same{Pre,Post}(table);
*/
uint32_t park_dequeue_range(struct park_table *table, uint32_t bucket, uint32_t space,
                            uint64_t generation, virt_addr_t start, virt_addr_t end);

/* One bucket's queue is linked both ways, of queued waiters whose keys hash to it; CHECKs.
 * Cost: O(waiters in it). */
void park_check_invariants(const struct park_table *table, uint32_t bucket);

#endif
