// SPDX-License-Identifier: BSD-2-Clause
/* Thread: info, set_priority, kill, wait. */
#include "arch/timer.h"
#include "base/atomic.h"
#include "kernel/dispatch.h"
#include "kernel/scheduler.h"

/* The thread that the capability names, with a reference. */
static struct thread *target(const struct invocation *call)
{
    return thread_try_take(call->cap.object.index, call->cap.object.generation);
}

status_t method_thread_info(struct invocation *call)
{
    struct thread *thread = target(call);

    if (thread == NULL)
        return CAD_STALE;
    result(call, 0, thread->id);
    result(call, 1, atomic_load_relaxed(&thread->state));
    result(call, 2, atomic_load_relaxed(&thread->priority));
    result(call, 3, atomic_load_relaxed(&thread->cpu));
    result(call, 4, timer_cycles_to_ns(atomic_load_relaxed(&thread->run_cycles)));
    thread_put(thread);
    return CAD_OK;
}

status_t method_thread_set_priority(struct invocation *call)
{
    uint64_t priority = argument(call, 0);
    struct thread *thread = target(call);

    if (thread == NULL)
        return CAD_STALE;
    bool allowed = priority < PRIORITY_COUNT && priority <= thread->process->priority_max;
    if (allowed)
        scheduler_set_priority(thread, (uint8_t)priority);
    thread_put(thread);
    return allowed ? CAD_OK : CAD_INVALID;
}

status_t method_thread_kill(struct invocation *call)
{
    struct thread *thread = target(call);

    if (thread == NULL)
        return CAD_STALE;
    thread_kill(thread);
    thread_put(thread);
    return CAD_OK;
}

status_t method_thread_wait(struct invocation *call)
{
    uint64_t deadline_ns = argument(call, 0);
    struct thread *thread = target(call);
    status_t status = CAD_OK;

    if (thread == NULL)
        return CAD_STALE;
    spin_lock(&waiters_lock);
    if (thread->state != THREAD_ENDED) {
        status = thread == call->thread ? CAD_INVALID : thread_may_wait(deadline_ns);
        if (status == CAD_OK)
            status = thread_block(call->thread, THREAD_JOINING, &waiters_lock, &thread->joiners,
                                  deadline_ns)
                         ? DISPATCH_BLOCKED
                         : CAD_CANCELLED;
    }
    spin_unlock(&waiters_lock);
    thread_put(thread);
    return status;
}
