// SPDX-License-Identifier: BSD-2-Clause
/* Clock: the time, and sleeping until one. */
#include "arch/timer.h"
#include "kernel/dispatch.h"

/* Sleepers wait in no particular place: only their deadlines matter. */
static struct wait_list sleepers;

status_t method_clock_now(struct invocation *call)
{
    result(call, 0, timer_now_ns());
    result(call, 1, timer_boot_wall_seconds());
    return CAD_OK;
}

status_t method_clock_sleep(struct invocation *call)
{
    uint64_t deadline_ns = argument(call, 0);

    if (thread_may_wait(deadline_ns) != CAD_OK)
        return CAD_OK; /* it has passed */
    spin_lock(&waiters_lock);
    bool blocked = thread_block(call->thread, THREAD_SLEEPING, &waiters_lock, &sleepers,
                                deadline_ns);
    spin_unlock(&waiters_lock);
    return blocked ? DISPATCH_BLOCKED : CAD_CANCELLED;
}
