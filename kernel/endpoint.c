// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whoever took a thread out of a queue here owns it until it is woken or put
 * back; meanwhile its deadline or its killer waits (kernel/thread.h).  So no
 * lock is held while capabilities move.
 *
 * What needs none of this (a receiver waits, no capabilities, no deadline) goes the
 * direct way, kernel/endpoint_direct.c; either takes one lock, the endpoint's, and does
 * nobody else's work (IP2).
 */
#include "kernel/endpoint.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cargo.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/endpoint_message.h"
#include "kernel/memory.h"
#include "kernel/reaper.h"
#include "kernel/scheduler.h"

#define REAP_BUDGET 16

struct endpoint_table endpoints;

/* --- life --- */

status_t endpoint_create(uint32_t ledger, uint32_t *out)
{
    uint32_t id;
    status_t status = ledger_reserve(this_core(), ledger, CAD_RESOURCE_METADATA,
                                     sizeof(struct endpoint));
    if (status != CAD_OK)
        return status;
    spin_lock(&processes_lock);
    bool taken = id_pool_take(this_core(), &endpoints.ids, &id);
    spin_unlock(&processes_lock);
    if (!taken) {
        ledger_release(this_core(), ledger, CAD_RESOURCE_METADATA, sizeof(struct endpoint));
        return CAD_PRESSURE;
    }
    /* commit */
    struct endpoint *endpoint = &endpoints.endpoints[id];
    ledger_take(this_core(), ledger);
    endpoint->lock.rank = LOCK_ENDPOINT; /* `taken` stays: a stale name may hold it */
    spin_lock(&endpoint->lock);
    endpoint->id = id;
    endpoint->ledger = ledger;
    endpoint->closed = false;
    endpoint->callers = (struct wait_list){NULL, NULL};
    endpoint->receivers = (struct wait_list){NULL, NULL};
    atomic_store_relaxed(&endpoint->receiver_references, 1);
    atomic_store_release(&endpoint->references, 1);
    spin_unlock(&endpoint->lock);
    *out = id;
    return CAD_OK;
}

void endpoint_take(uint32_t index, uint32_t rights)
{
    struct endpoint *endpoint = &endpoints.endpoints[index];
    uint32_t before = atomic_fetch_add(&endpoint->references, 1);

    CHECK_VALUE(before != 0 && before != UINT32_MAX, index);
    if ((rights & CAD_RIGHT_RECEIVE) != 0)
        (void)atomic_fetch_add(&endpoint->receiver_references, 1);
}

/* All that could wait here was flushed when the last receiver's reference went. */
static void drop(struct endpoint *endpoint)
{
    uint32_t id = endpoint->id, ledger = endpoint->ledger;
    uint32_t before = atomic_fetch_sub(&endpoint->references, 1);

    CHECK_VALUE(before != 0, id);
    if (before != 1)
        return;
    CHECK_VALUE(endpoint->callers.head == NULL && endpoint->receivers.head == NULL, id);
    spin_lock(&processes_lock);
    id_pool_put(&endpoints.ids, id);
    spin_unlock(&processes_lock);
    ledger_release(this_core(), ledger, CAD_RESOURCE_METADATA, sizeof(struct endpoint));
    ledger_put(this_core(), ledger);
}

void endpoint_put(uint32_t index, uint32_t rights)
{
    struct endpoint *endpoint = &endpoints.endpoints[index];

    if ((rights & CAD_RIGHT_RECEIVE) != 0) {
        uint32_t before = atomic_fetch_sub(&endpoint->receiver_references, 1);
        CHECK_VALUE(before != 0, index);
        if (before == 1) {
            reaper_add_endpoint(endpoint); /* with this reference */
            return;
        }
    }
    drop(endpoint);
}

bool endpoint_reap_step(struct endpoint *endpoint)
{
    struct thread *woken[REAP_BUDGET];
    unsigned count = 0;

    spin_lock(&endpoint->lock);
    endpoint->closed = true;
    while (count < REAP_BUDGET) {
        struct thread *thread = wait_list_take(&endpoint->callers);
        if (thread == NULL)
            thread = wait_list_take(&endpoint->receivers);
        if (thread == NULL)
            break;
        woken[count++] = thread;
    }
    spin_unlock(&endpoint->lock);
    for (unsigned i = 0; i < count; i++)
        thread_wake(woken[i], CAD_DISCONNECTED);
    if (count == REAP_BUDGET)
        return true;
    drop(endpoint);
    return false;
}

/* Gives: the endpoint, locked; NULL if it is closed (until its next life) or gone. */
static inline struct endpoint *endpoint_enter(const struct invocation *call)
{
    struct endpoint *endpoint = &endpoints.endpoints[call->cap.object.index];

    spin_lock(&endpoint->lock);
    if (endpoint_is_open(endpoint, &call->cap))
        return endpoint;
    spin_unlock(&endpoint->lock);
    return NULL;
}

/* --- messages --- */

/* A caller that was taken out of the queue is received by `to` and awaits the reply, or
 * gets why not.  Its capabilities are looked at again now: they may be gone. */
static bool accept_call(struct thread *to, struct thread *caller)
{
    struct cargo cargo;
    status_t status = cargo_decode(&cargo, caller->process, &caller->context);

    if (status == CAD_OK && cargo.count != 0)
        status = cargo_transfer(&cargo, caller->process, to->process);
    if (status != CAD_OK) {
        thread_wake(caller, status);
        return false;
    }
    deliver_call(to, caller, &cargo, caller->badge);
    thread_set_state(caller, THREAD_AWAITING_REPLY);
    publish_call(caller);
    return true;
}

/* The thread was killed after its token was given out: no call of a later life of its
 * record may have the same one. */
static void retire_call(struct thread *caller)
{
    atomic_store_release(&caller->call_generation, caller->call_generation + 2);
}

/* --- call --- */

/* A receiver that could not be served waits on as if nothing had been: first again, or
 * served by who was queued while it was away. */
static void receiver_put_back(const struct invocation *call, struct thread *receiver)
{
    struct thread *caller = NULL;

    do {
        struct endpoint *endpoint = endpoint_enter(call);
        if (endpoint == NULL) {
            thread_wake(receiver, CAD_DISCONNECTED);
            return;
        }
        caller = wait_list_take(&endpoint->callers);
        if (caller == NULL)
            wait_list_put_back(&endpoint->receivers, &endpoint->lock, receiver);
        spin_unlock(&endpoint->lock);
    } while (caller != NULL && !accept_call(receiver, caller));
    if (caller != NULL)
        thread_wake(receiver, CAD_OK);
}

/* Hands the message to a receiver that was taken out of its list, and the CPU with it. */
static status_t call_receiver(struct invocation *call, struct thread *receiver,
                              const struct cargo *cargo, uint64_t deadline_ns)
{
    struct thread *thread = call->thread;

    deliver_call(receiver, thread, cargo, thread->badge);
    thread_end_wait(receiver, CAD_OK);
    bool blocked = thread_block(thread, THREAD_AWAITING_REPLY, NULL, NULL, deadline_ns);
    if (blocked)
        publish_call(thread);
    else
        retire_call(thread);
    scheduler_hand_over(this_cpu(), receiver);
    return blocked ? DISPATCH_BLOCKED : CAD_CANCELLED;
}

/* Charged already; what fails here is uncharged by the caller. */
static status_t call_charged(struct invocation *call, struct cargo *cargo, uint64_t deadline_ns)
{
    struct thread *thread = call->thread;
    struct endpoint *endpoint = endpoint_enter(call);

    if (endpoint == NULL)
        return CAD_DISCONNECTED;
    thread->badge = call->cap.badge;
    struct thread *receiver = wait_list_take(&endpoint->receivers);
    if (receiver == NULL) {
        bool blocked = thread_block(thread, THREAD_CALLING, &endpoint->lock, &endpoint->callers,
                                    deadline_ns);
        spin_unlock(&endpoint->lock);
        return blocked ? DISPATCH_BLOCKED : CAD_CANCELLED;
    }
    spin_unlock(&endpoint->lock);
    if (cargo->count != 0) {
        status_t status = cargo_transfer(cargo, call->process, receiver->process);
        if (status != CAD_OK) {
            receiver_put_back(call, receiver);
            return status;
        }
    }
    return call_receiver(call, receiver, cargo, deadline_ns);
}

status_t method_endpoint_call(struct invocation *call)
{
    uint64_t deadline_ns = argument(call, DEADLINE_WORD);
    uint32_t ledger = call->thread->ledger;
    struct cargo cargo;

    status_t status = cargo_decode(&cargo, call->process, &call->thread->context);
    if (status == CAD_OK)
        status = thread_may_wait(deadline_ns);
    if (status != CAD_OK)
        return status;
    status = ledger_reserve(this_core(), ledger, CAD_RESOURCE_CALLS, 1);
    if (status != CAD_OK)
        return status;
    status = call_charged(call, &cargo, deadline_ns);
    if (status != DISPATCH_BLOCKED)
        ledger_release(this_core(), ledger, CAD_RESOURCE_CALLS, 1);
    return status;
}

/* --- receive --- */

static status_t receive(struct invocation *call, uint64_t deadline_ns)
{
    struct thread *thread = call->thread;

    for (;;) {
        struct endpoint *endpoint = endpoint_enter(call);
        if (endpoint == NULL)
            return CAD_DISCONNECTED;
        struct thread *caller = wait_list_take(&endpoint->callers);
        if (caller == NULL) {
            status_t status = thread_may_wait(deadline_ns);
            if (status == CAD_OK)
                status = thread_block(thread, THREAD_RECEIVING, &endpoint->lock,
                                      &endpoint->receivers, deadline_ns)
                             ? DISPATCH_BLOCKED
                             : CAD_CANCELLED;
            spin_unlock(&endpoint->lock);
            return status;
        }
        spin_unlock(&endpoint->lock);
        if (accept_call(thread, caller))
            return CAD_OK;
    }
}

status_t method_endpoint_receive(struct invocation *call)
{
    return receive(call, argument(call, 0));
}

/* --- reply --- */

/* Claims the call that the token names and delivers the reply.
 * Gives: the caller, its wait ended, to be made ready. */
static status_t reply(struct invocation *call, struct thread **out)
{
    uint64_t token = argument(call, TOKEN_WORD);
    struct cargo cargo;

    status_t status = cargo_decode(&cargo, call->process, &call->thread->context);
    if (status != CAD_OK)
        return status;
    struct thread *caller = token_caller(token, call->process);
    if (caller == NULL || !thread_claim_reply(caller, token >> TOKEN_ID_BITS))
        return CAD_BAD_TOKEN;
    if (cargo.count != 0) {
        status = cargo_transfer(&cargo, call->process, caller->process);
        if (status != CAD_OK) { /* the call waits on for a better reply */
            atomic_store_release(&caller->call_generation, token >> TOKEN_ID_BITS);
            return status;
        }
    }
    deliver(caller, call->thread, &cargo, 0);
    thread_end_wait(caller, CAD_OK);
    *out = caller;
    return CAD_OK;
}

status_t method_endpoint_reply(struct invocation *call)
{
    struct thread *caller;
    status_t status = reply(call, &caller);

    if (status == CAD_OK)
        scheduler_ready(caller);
    return status;
}

status_t method_endpoint_reply_receive(struct invocation *call)
{
    struct thread *caller;
    status_t status = reply(call, &caller);

    if (status != CAD_OK)
        return status;
    status = receive(call, CAD_DEADLINE_FOREVER);
    scheduler_hand_over(this_cpu(), caller); /* runs now if the receiver waits */
    return status;
}

/* --- the end of a server --- */

bool endpoint_disconnect_callers(uint32_t process, uint32_t *cursor, uint32_t budget)
{
    uint32_t capacity = atomic_load_acquire(&threads.ids.capacity);

    for (; budget > 0 && *cursor < capacity; budget--) {
        struct thread *thread = &threads.threads[(*cursor)++];
        uint64_t generation = atomic_load_acquire(&thread->call_generation);
        if (atomic_load_acquire(&thread->state) == THREAD_AWAITING_REPLY &&
            thread->server == process && thread_claim_reply(thread, generation))
            thread_wake(thread, CAD_DISCONNECTED);
    }
    return *cursor >= capacity;
}
