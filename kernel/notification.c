// SPDX-License-Identifier: BSD-2-Clause
/* See the header: waiters only while no bit is set. */
#include "kernel/notification.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/memory.h"
#include "kernel/reaper.h"
#include "kernel/scheduler.h"

#define REAP_BUDGET 16

struct notification_table notifications;

status_t notification_create(uint32_t ledger, uint32_t *out)
{
    uint32_t id;
    status_t status = ledger_reserve(this_core(), ledger, CAD_RESOURCE_METADATA,
                                     sizeof(struct notification));
    if (status != CAD_OK)
        return status;
    spin_lock(&processes_lock);
    bool taken = id_pool_take(this_core(), &notifications.ids, &id);
    spin_unlock(&processes_lock);
    if (!taken) {
        ledger_release(this_core(), ledger, CAD_RESOURCE_METADATA, sizeof(struct notification));
        return CAD_PRESSURE;
    }
    /* commit */
    struct notification *notification = &notifications.notifications[id];
    ledger_take(this_core(), ledger);
    notification->lock.rank = LOCK_NOTIFICATION; /* `taken` stays: a stale name may hold it */
    spin_lock(&notification->lock);
    notification->id = id;
    notification->ledger = ledger;
    notification->closed = false;
    notification->bits = 0;
    notification->waiters = (struct wait_list){NULL, NULL};
    atomic_store_release(&notification->references, 1);
    spin_unlock(&notification->lock);
    *out = id;
    return CAD_OK;
}

void notification_take(uint32_t index)
{
    uint32_t before = atomic_fetch_add(&notifications.notifications[index].references, 1);
    CHECK_VALUE(before != 0 && before != UINT32_MAX, index);
}

void notification_put(uint32_t index)
{
    struct notification *notification = &notifications.notifications[index];
    uint32_t before = atomic_fetch_sub(&notification->references, 1);

    CHECK_VALUE(before != 0, index);
    if (before == 1)
        reaper_add_notification(notification);
}

bool notification_reap_step(struct notification *notification)
{
    uint32_t ledger = notification->ledger;

    spin_lock(&notification->lock);
    notification->closed = true;
    for (unsigned i = 0; i < REAP_BUDGET; i++) {
        struct thread *thread = wait_list_take(&notification->waiters);
        if (thread == NULL)
            break;
        thread_wake(thread, CAD_STALE);
    }
    bool more = notification->waiters.head != NULL;
    spin_unlock(&notification->lock);
    if (more)
        return true;
    spin_lock(&processes_lock);
    id_pool_put(&notifications.ids, notification->id);
    spin_unlock(&processes_lock);
    ledger_release(this_core(), ledger, CAD_RESOURCE_METADATA, sizeof(struct notification));
    ledger_put(this_core(), ledger);
    return false;
}

/* Gives: the notification, locked; NULL if it is gone: closed, or a later life. */
static inline struct notification *notification_enter(const struct invocation *call)
{
    struct notification *notification = &notifications.notifications[call->cap.object.index];

    spin_lock(&notification->lock);
    const struct id_slot *name = &notifications.ids.slots[call->cap.object.index];
    if (LIKELY(!notification->closed && name->generation == call->cap.object.generation))
        return notification;
    spin_unlock(&notification->lock);
    return NULL;
}

status_t method_notification_signal(struct invocation *call)
{
    uint64_t bits = argument(call, 0);

    if (bits == 0)
        return CAD_INVALID;
    struct notification *notification = notification_enter(call);
    if (notification == NULL)
        return CAD_STALE;
    struct thread *waiter = wait_list_take(&notification->waiters);
    if (waiter == NULL)
        notification->bits |= bits;
    spin_unlock(&notification->lock);
    if (waiter != NULL) {
        context_set_word(&waiter->context, 0, bits);
        thread_wake(waiter, CAD_OK);
    }
    return CAD_OK;
}

status_t method_notification_wait(struct invocation *call)
{
    uint64_t deadline_ns = argument(call, 0);
    struct notification *notification = notification_enter(call);
    status_t status = CAD_OK;

    if (notification == NULL)
        return CAD_STALE;
    if (notification->bits != 0) {
        result(call, 0, notification->bits);
        notification->bits = 0;
    } else {
        status = thread_may_wait(deadline_ns);
        if (status == CAD_OK)
            status = thread_block(call->thread, THREAD_WAITING, &notification->lock,
                                  &notification->waiters, deadline_ns)
                         ? DISPATCH_BLOCKED
                         : CAD_CANCELLED;
    }
    spin_unlock(&notification->lock);
    return status;
}
