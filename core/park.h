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

/* All buckets empty.  Needs: no waiter queued (an array of zeroes is fine). */
void park_init(struct park_table *table, struct park_waiter *waiters);
uint32_t park_bucket(const struct park_key *key);
/* Needs: waiter not queued. */
void park_enqueue(struct park_table *table, uint32_t waiter, const struct park_key *key);
/* Takes the first waiter with this key out.  Gives: PARK_NONE if there is none. */
uint32_t park_dequeue(struct park_table *table, const struct park_key *key);
/* Takes one out wherever it stands (timeout, kill).  Gives: false if it was not queued.
 * Its bucket is that of its own key, which stays what it was when it was queued. */
bool park_remove(struct park_table *table, uint32_t waiter);
/* Takes out the first waiter of `bucket` whose key is of this space and inside [start, end),
 * for memory that goes away.  Gives: PARK_NONE if there is none. */
uint32_t park_dequeue_range(struct park_table *table, uint32_t bucket, uint32_t space,
                            uint64_t generation, virt_addr_t start, virt_addr_t end);

/* One bucket's queue is linked both ways, of queued waiters whose keys hash to it; CHECKs.
 * Cost: O(waiters in it). */
void park_check_invariants(const struct park_table *table, uint32_t bucket);

#endif
