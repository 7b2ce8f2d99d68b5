// SPDX-License-Identifier: BSD-2-Clause
/*
 * The common call and the common reply, from the trap of one thread straight to the
 * context of the other: a message of words, no deadline, a partner that waits.
 *
 * Each function looks before it does anything; what it declines, kernel/endpoint.c does
 * from the beginning, to the same effect (test/programs/execution/ways.c runs both).
 */
#include "kernel/endpoint_direct.h"

#include "arch/trap.h"
#include "base/assert.h"
#include "kernel/dispatch.h"
#include "kernel/endpoint_message.h"
#include "kernel/memory.h"
#include "kernel/scheduler.h"
#include "kernel/thread_switch.h"
#include "kernel/timers.h"
#include "kernel/trace.h"

static const struct cargo no_cargo;

/* No capabilities in its message; the endpoint it names, with the right it needs.  Traced
 * calls go the long way. */
static inline bool is_plain(const struct thread *thread, uint32_t right, struct cap_view *cap)
{
    const struct arch_context *context = &thread->context;

    return LIKELY(context_word(context, CARGO_WORD) == 0 && !trace_on) &&
           cap_view(thread->process, context_cap(context), CAD_INTERFACE_ENDPOINT, right, cap) ==
               CAD_OK;
}

/* The state in which it waits is set, and it goes back if the thread was killed before. */
static inline bool begin_wait(struct thread *thread, enum thread_state state)
{
    thread_set_state(thread, state);
    atomic_fence(); /* with thread_kill(): it sees the state, or we see the mark */
    if (LIKELY(!thread_sees_end(thread)))
        return true;
    thread_set_state(thread, THREAD_RUNNING);
    return false;
}

/* Charged; the receiver is taken out of its list. Locks: the endpoint's. */
static inline status_t begin_call(struct cpu *cpu, struct thread *thread,
                                  struct endpoint *endpoint, struct thread *receiver)
{
    starvation_begin(thread, CAD_STARVE_CALL);
    status_t status = ledger_reserve(&cpu->core, thread->ledger, CAD_RESOURCE_CALLS, 1);
    starvation_end(thread);
    if (UNLIKELY(status != CAD_OK))
        return status;
    if (UNLIKELY(!begin_wait(thread, THREAD_AWAITING_REPLY))) {
        ledger_release(&cpu->core, thread->ledger, CAD_RESOURCE_CALLS, 1);
        return CAD_CANCELLED;
    }
    wait_list_take_first(&endpoint->receivers, receiver);
    return CAD_OK;
}

struct arch_context *endpoint_call_direct(struct thread *thread)
{
    struct cpu *cpu = this_cpu();
    struct cap_view cap;

    if (context_word(&thread->context, DEADLINE_WORD) != CAD_DEADLINE_FOREVER ||
        !is_plain(thread, CAD_RIGHT_CALL, &cap))
        return dispatch_common(thread);
    struct endpoint *endpoint = &endpoints.endpoints[cap.object.index];
    spin_lock(&endpoint->lock);
    struct thread *receiver = endpoint->receivers.head;
    if (receiver == NULL || !endpoint_is_open(endpoint, &cap) ||
        !scheduler_may_run_next(cpu, receiver)) {
        spin_unlock(&endpoint->lock);
        return dispatch_common(thread);
    }
    status_t status = begin_call(cpu, thread, endpoint, receiver);
    spin_unlock(&endpoint->lock);
    if (UNLIKELY(status != CAD_OK)) {
        context_set_status(&thread->context, status);
        return kernel_resume();
    }
    deliver_call(receiver, thread, &no_cargo, cap.badge);
    context_set_status(&receiver->context, CAD_OK);
    if (UNLIKELY(atomic_load_relaxed(&receiver->timer_cpu) != 0))
        timers_remove(receiver);
    thread_switch_from(cpu, thread, receiver);
    thread->deadline_ns = CAD_DEADLINE_FOREVER;
    publish_call(thread);
    return thread_switch_to(cpu, receiver);
}

/* What thread_release_wait() does. */
static inline void end_call(struct cpu *cpu, struct thread *caller)
{
    ledger_release(&cpu->core, caller->ledger, CAD_RESOURCE_CALLS, 1);
    if (UNLIKELY(atomic_load_relaxed(&caller->timer_cpu) != 0))
        timers_remove(caller);
}

/* The call is claimed: the caller's thread is ours. Locks: the endpoint's. */
static inline bool begin_reply(struct thread *thread, struct thread *caller,
                               const struct endpoint *endpoint, const struct cap_view *cap)
{
    uint64_t token = context_word(&thread->context, TOKEN_WORD);

    if (endpoint->callers.head != NULL || !endpoint_is_open(endpoint, cap) ||
        !begin_wait(thread, THREAD_RECEIVING))
        return false;
    if (LIKELY(thread_claim_reply(caller, token >> TOKEN_ID_BITS)))
        return true;
    thread_set_state(thread, THREAD_RUNNING);
    return false;
}

struct arch_context *endpoint_reply_receive_direct(struct thread *thread)
{
    struct cpu *cpu = this_cpu();
    struct cap_view cap;

    if (!is_plain(thread, CAD_RIGHT_RECEIVE, &cap))
        return dispatch_common(thread);
    struct thread *caller = token_caller(context_word(&thread->context, TOKEN_WORD),
                                         thread->process);
    if (UNLIKELY(caller == NULL || !scheduler_may_run_next(cpu, caller)))
        return dispatch_common(thread);
    struct endpoint *endpoint = &endpoints.endpoints[cap.object.index];
    spin_lock(&endpoint->lock);
    if (!begin_reply(thread, caller, endpoint, &cap)) {
        spin_unlock(&endpoint->lock);
        return dispatch_common(thread);
    }
    deliver(caller, thread, &no_cargo, 0);
    thread_switch_from(cpu, thread, caller);
    thread->deadline_ns = CAD_DEADLINE_FOREVER;
    wait_list_join(&endpoint->receivers, &endpoint->lock, thread);
    spin_unlock(&endpoint->lock); /* from here on a caller may have it */
    context_set_status(&caller->context, CAD_OK);
    end_call(cpu, caller);
    return thread_switch_to(cpu, caller);
}
