// SPDX-License-Identifier: BSD-2-Clause
/*
 * Endpoints: synchronous calls between processes.
 *
 * CALL hands over to a receiver that waits, on the caller's CPU and with no
 * queue between; else the caller is queued, first come first served.  RETURN
 * hands straight back.  The message is in registers.
 *
 * A reply token names the calling thread and its call_generation.  It is good
 * once, for a process that received that very call: the reply, the deadline,
 * a kill and the server's death all claim the call by turning its generation even,
 * and one of them wins (IP1).
 *
 * Capabilities in a message stay in the sender's table until the moment of
 * delivery, so a queued call's are as revocable as any (CP2); they are then
 * copied or moved all or none (kernel/transfer.h), and if that fails the sender
 * gets the status and the receiver notices nothing.
 *
 * The queue is charged: one of CALLS to the caller's ledger for each
 * outstanding call, from method_endpoint_call to thread_end_wait (LG2).
 *
 * An endpoint with no capability left that may RECEIVE is closed for good: its
 * callers, queued and later ones, get DISCONNECTED.
 *
 * Locks: `lock` for everything but the counts, which are atomic.
 */
#ifndef KERNEL_ENDPOINT_H
#define KERNEL_ENDPOINT_H

#include "abi/status.h"
#include "core/id_pool.h"
#include "kernel/lock.h"
#include "kernel/thread.h"

struct endpoint {
    struct spinlock lock;
    uint32_t id;
    uint32_t ledger;              /* referenced; pays sizeof(struct endpoint) */
    uint32_t references;          /* capabilities */
    uint32_t receiver_references; /* those of them that may RECEIVE */
    bool closed;                  /* no call begins or is queued any more */
    struct wait_list callers, receivers;
    struct endpoint *reap_next;
};

struct endpoint_table {
    struct endpoint *endpoints;
    struct id_pool ids;           /* Locks: processes */
};
extern struct endpoint_table endpoints;

/* One reference, which may RECEIVE, is the caller's.  Takes a ledger reference of its own.
 * Fails: QUOTA_METADATA, PRESSURE. */
MUST_CHECK status_t endpoint_create(uint32_t ledger, uint32_t *out);
/* Needs: a reference is there already. */
void endpoint_take(uint32_t index, uint32_t rights);
void endpoint_put(uint32_t index, uint32_t rights);
/* Closes the endpoint and wakes some waiters; then drops the reference that the last
 * capability that could receive left behind. Gives: true if there is more. */
bool endpoint_reap_step(struct endpoint *endpoint);

/* Completes at most `budget` calls that wait for a reply of the process, from thread `*cursor` on.
 * Gives: true when all threads were looked at. */
bool endpoint_disconnect_callers(uint32_t process, uint32_t *cursor, uint32_t budget);

#endif
