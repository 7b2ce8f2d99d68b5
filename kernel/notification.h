// SPDX-License-Identifier: BSD-2-Clause
/*
 * Notifications: 64 bits with a level.  A signal sets bits; a wait takes all
 * that are set, or waits until some are.  Bits are never lost: they stay until
 * a wait takes them.  One signal wakes the first waiter, which takes them all.
 *
 * Invariant: there are waiters only while no bit is set.
 * Locks: `lock`; references are atomic.
 */
#ifndef KERNEL_NOTIFICATION_H
#define KERNEL_NOTIFICATION_H

#include "abi/status.h"
#include "core/id_pool.h"
#include "kernel/lock.h"
#include "kernel/thread.h"

struct notification {
    struct spinlock lock;
    uint32_t id;
    uint32_t ledger;     /* referenced; pays sizeof(struct notification) */
    uint32_t references; /* capabilities */
    bool closed;         /* the last one is gone */
    uint64_t bits;
    struct wait_list waiters;
    struct notification *reap_next;
} __attribute__((aligned(64)));
COMPILE_ASSERT(sizeof(struct notification) == 64, notification_is_a_cache_line);

struct notification_table {
    struct notification *notifications;
    struct id_pool ids;  /* Locks: processes */
};
extern struct notification_table notifications;

/* One reference is the caller's.  Takes a ledger reference of its own.
 * Fails: QUOTA_METADATA, PRESSURE. */
MUST_CHECK status_t notification_create(uint32_t ledger, uint32_t *out);
/* Needs: a reference is there already. */
void notification_take(uint32_t index);
void notification_put(uint32_t index);
/* Wakes some waiters of a dead one, then frees it. Gives: true if there is more. */
bool notification_reap_step(struct notification *notification);

#endif
