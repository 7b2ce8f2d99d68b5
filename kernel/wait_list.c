// SPDX-License-Identifier: BSD-2-Clause
/* Lists of waiting threads, and how one leaves its list without its waker's help. */
#include "arch/timer.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/parking.h"
#include "kernel/thread.h"
#include "kernel/wait_list.h"

static void wait_list_remove(struct wait_list *list, struct thread *thread)
{
    if (thread->queue_previous != NULL)
        thread->queue_previous->queue_next = thread->queue_next;
    else
        list->head = thread->queue_next;
    if (thread->queue_next != NULL)
        thread->queue_next->queue_previous = thread->queue_previous;
    else
        list->tail = thread->queue_previous;
}

void wait_list_put_back(struct wait_list *list, struct spinlock *lock, struct thread *thread)
{
    thread->queue_previous = NULL;
    thread->queue_next = list->head;
    if (list->head != NULL)
        list->head->queue_previous = thread;
    else
        list->tail = thread;
    list->head = thread;
    thread->wait_list = list;
    atomic_store_release(&thread->wait_lock, lock);
}

/* The generation is read first: if it is still the same at the claim, state and
 * deadline were of that very call. */
static bool claim_reply_due(struct thread *thread, uint64_t now_ns)
{
    uint64_t generation = atomic_load_acquire(&thread->call_generation);

    if (atomic_load_acquire(&thread->state) != THREAD_AWAITING_REPLY ||
        atomic_load_relaxed(&thread->deadline_ns) > now_ns)
        return false;
    return thread_claim_reply(thread, generation);
}

bool thread_withdraw(struct thread *thread, uint64_t now_ns)
{
    struct spinlock *lock = atomic_load_acquire(&thread->wait_lock);

    if (lock == NULL)
        return claim_reply_due(thread, now_ns);
    spin_lock(lock);
    bool is_mine = thread->wait_lock == lock && thread->deadline_ns <= now_ns;
    if (is_mine) {
        if (thread->wait_list != NULL)
            wait_list_remove(thread->wait_list, thread);
        else
            parking_remove(thread);
        atomic_store_release(&thread->wait_lock, NULL);
    }
    spin_unlock(lock);
    return is_mine;
}

status_t thread_may_wait_until(uint64_t deadline_ns)
{
    if (deadline_ns == 0)
        return CAD_WOULD_BLOCK;
    return deadline_ns <= timer_now_ns() ? CAD_TIMED_OUT : CAD_OK;
}
