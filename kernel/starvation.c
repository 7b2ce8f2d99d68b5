// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/starvation.h"

#include "base/atomic.h"
#include "base/print.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"

#ifdef CONFIG_FAULT_POINTS

#define SITES_MAX 256

/* Sites whose refusal was printed, one line each: what tools/fault_sites.py reads. */
static bool printed[SITES_MAX];

static void print_site(const struct starvation *order)
{
    const struct fault_site *site = order->site;

    if (!atomic_exchange(&printed[(site - __start_fault_sites) % SITES_MAX], true))
        print("fault site %s:%u %s %s %u\n", site->file, site->line, site->function,
              site->primitive, (unsigned)order->status);
}

void starvation_begin(struct thread *thread, uint32_t what)
{
    struct starvation *order = &thread->starvation;

    if (order->what != what)
        return;
    if (order->counts) { /* since a call that blocked */
        order->what = 0;
        order->counts = false;
        return;
    }
    if (what == CAD_STARVE_CALL) {
        order->passed = 0;
        order->refused = 0;
        order->site = NULL;
    }
    order->counts = true;
}

void starvation_end(struct thread *thread)
{
    thread->starvation.counts = false;
}

bool starvation_point(struct core_cpu *core, const struct fault_site *site, status_t status)
{
    struct thread *thread = this_cpu()->current;

    if (thread == NULL || !thread->starvation.counts)
        return false;
    struct starvation *order = &thread->starvation;

    order->passed++;
    if (order->passed < order->first || order->passed - order->first >= order->count)
        return false;
    if (order->refused++ == 0) {
        order->site = site;
        order->status = status;
    }
    return true;
}

status_t method_machine_starve(struct invocation *call)
{
    struct starvation *order = &call->thread->starvation;
    uint64_t what = argument(call, 0);
    const struct starvation next = {
        .what = (uint32_t)what,
        .first = argument(call, 1),
        .count = argument(call, 2),
    };

    if (what > CAD_STARVE_FAULT || (what == CAD_STARVE_NOTHING) != (next.first == 0))
        return CAD_INVALID;
    if (order->site != NULL)
        print_site(order);
    result(call, 0, order->passed);
    result(call, 1, order->refused);
    result(call, 2, order->site != NULL ? order->status : CAD_OK);
    *order = next;
    return CAD_OK;
}

#else

status_t method_machine_starve(struct invocation *call)
{
    return CAD_BAD_CALL;
}

#endif
