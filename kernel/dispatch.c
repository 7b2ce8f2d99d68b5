// SPDX-License-Identifier: BSD-2-Clause
/* The table of methods comes from abi/methods.h: a missing function does not link (AB1). */
#include "kernel/dispatch.h"

#include "arch/trap.h"
#include "base/atomic.h"
#include "kernel/endpoint_direct.h"
#include "kernel/reaper.h"
#include "kernel/scheduler.h"
#include "kernel/starvation.h"
#include "kernel/trace.h"

/* Of reaper_hurry(): for the machine's memory, and for a quota. */
#define ROOM_TURNS  100
#define QUOTA_TURNS 20

struct method {
    method_function run; /* NULL: no such method */
    uint32_t right, interface;
};

#define METHOD_ROW(INTERFACE, interface, method, number, RIGHT, in, out, meaning)                  \
    [CAD_INTERFACE_##INTERFACE][number] = {                                                        \
        method_##interface##_##method, CAD_RIGHT_##RIGHT, CAD_INTERFACE_##INTERFACE},
static const struct method methods[CAD_INTERFACE_COUNT][CAD_METHOD_NUMBER_MAX + 1] = {
    CAD_METHOD_LIST(METHOD_ROW)};
#undef METHOD_ROW

/* --- memory that is still on its way back (LG6) ---
 *
 * A method that found memory short changed nothing.  If something was being destroyed,
 * the thread makes the call again, and each time helps to destroy it first; the method
 * itself runs once more when nothing is left to destroy or its turns are over.  A quota
 * waits for what its own ledger still pays for, so who gives back before taking again is
 * never refused; if that went while the method ran, it only runs once more. */

static inline bool is_short(status_t status)
{
    return status >= CAD_QUOTA_VIRTUAL && status <= CAD_PRESSURE;
}

static bool may_wait_for_room(struct thread *thread, status_t status, bool was_busy)
{
    if (thread->in_ring || !(was_busy || reaper_is_busy()))
        return false;
    if (status == CAD_PRESSURE)
        thread->room_turns = ROOM_TURNS;
    else
        thread->room_turns = reaper_has_dying(thread->process->ledger) ? QUOTA_TURNS : 1;
    return true;
}

static bool wait_for_room(struct thread *thread)
{
    if (thread->room_turns <= 1 || !reaper_hurry())
        return false;
    thread->room_turns--;
    return true;
}

/* --- one call --- */

static inline status_t method_run(method_function run, struct invocation *invocation)
{
    if (STARVATION_IS_BUILT && run == method_machine_starve)
        return run(invocation);
    starvation_begin(invocation->thread, CAD_STARVE_CALL);
    status_t status = run(invocation);
    if (status != DISPATCH_BLOCKED) /* then the thread is not ours any more */
        starvation_end(invocation->thread);
    return status;
}

/* The method that a call names (less CAD_CALL_BASE), NULL: none. */
static inline const struct method *method_of(uint64_t call)
{
    uint64_t interface = call >> 8, number = call & 0xff;

    if (UNLIKELY(interface >= CAD_INTERFACE_COUNT || number > CAD_METHOD_NUMBER_MAX))
        return NULL;
    const struct method *method = &methods[interface][number];
    return LIKELY(method->run != NULL) ? method : NULL;
}

/* The capability that the thread's registers name, for the method. Fails: as cap_view(). */
static inline status_t invocation_begin(struct invocation *invocation, struct thread *thread,
                                        const struct method *method)
{
    const struct arch_context *context = &thread->context;

    invocation->thread = thread;
    invocation->process = thread->process;
    return cap_view(thread->process, context_cap(context), method->interface, method->right,
                    &invocation->cap);
}

status_t dispatch(struct thread *thread)
{
    uint64_t call = context_call(&thread->context);
    const struct method *method = method_of(call - CAD_CALL_BASE);
    struct invocation invocation = {.cap.object.index = ID_NONE};

    if (method == NULL)
        return CAD_BAD_CALL;
    status_t status = invocation_begin(&invocation, thread, method);
    bool has_waited = thread->room_turns != 0, was_busy = reaper_is_busy();
    if (has_waited && wait_for_room(thread))
        return DISPATCH_AGAIN;
    thread->room_turns = 0; /* now: a thread that blocks is not ours any more */
    if (status == CAD_OK)
        status = method_run(method->run, &invocation);
    if (is_short(status) && !has_waited && may_wait_for_room(thread, status, was_busy))
        return DISPATCH_AGAIN;
    trace_invocation(thread->id, (uint32_t)call, status, invocation.cap.object.index);
    return status;
}

/* --- the common way --- */

/* Not ours: on in user mode at the process's handler, if it has one (US2). */
static void foreign_call(struct thread *thread)
{
    struct process *process = thread->process;
    uint64_t handler = atomic_load_relaxed(&process->foreign_handler);

    if (handler != 0)
        context_bounce(&thread->context, handler);
    else
        process_end(process, CAD_EXIT_BAD_TRAP, 0, context_pc(&thread->context));
}

/* A call that is foreign, wrong, traced, or made again. */
static struct arch_context *uncommon_call(struct thread *thread)
{
    uint64_t call = context_call(&thread->context);

    if ((call & ~(uint64_t)CAD_CALL_MASK) != CAD_CALL_BASE) {
        foreign_call(thread);
        return scheduler_needs_more(this_cpu()) ? kernel_resume() : &thread->context;
    }
    status_t status = dispatch(thread);
    if (status == DISPATCH_AGAIN)
        context_restart(&thread->context);
    else if (status != DISPATCH_BLOCKED)
        context_set_status(&thread->context, status);
    return kernel_resume();
}

COMPILE_ASSERT(DISPATCH_BLOCKED > CAD_PRESSURE && DISPATCH_AGAIN > CAD_PRESSURE,
               uncommon_statuses_are_high);
COMPILE_ASSERT(CAD_PRESSURE - CAD_QUOTA_VIRTUAL == CAD_RESOURCE_COUNT, quotas_come_before_pressure);
/* A call that is to be made again, or found something short; or any other high status.  Not in
 * line, as the common end would have to save a register for it. */
__attribute__((noinline)) static struct arch_context *
uncommon_end(struct thread *thread, status_t status, bool was_busy)
{
    if (status == DISPATCH_AGAIN ||
        (is_short(status) && may_wait_for_room(thread, status, was_busy)))
        context_restart(&thread->context);
    else
        context_set_status(&thread->context, status);
    return kernel_resume();
}

/* dispatch() without what is uncommon, and out again.  No array is on its stack, so no canary. */
__attribute__((no_stack_protector)) static inline struct arch_context *
common_call(struct thread *thread, uint64_t number)
{
    const struct method *method = method_of(number);
    struct invocation invocation;

    if (UNLIKELY(method == NULL || trace_on || thread->room_turns != 0))
        return uncommon_call(thread);
    bool was_busy = reaper_is_busy();
    status_t status = invocation_begin(&invocation, thread, method);
    if (LIKELY(status == CAD_OK))
        status = method_run(method->run, &invocation);
    if (UNLIKELY(status >= CAD_QUOTA_VIRTUAL))
        return status == DISPATCH_BLOCKED ? scheduler_go_on()
                                          : uncommon_end(thread, status, was_busy);
    context_set_status(&thread->context, status);
    return scheduler_needs_more(this_cpu()) ? kernel_resume() : &thread->context;
}

#define ENDPOINT_NUMBER(method)                                                                    \
    (CAD_CALL(CAD_INTERFACE_ENDPOINT, CAD_METHOD_ENDPOINT_##method) - CAD_CALL_BASE)

struct arch_context *kernel_syscall(struct arch_context *context)
{
    struct thread *thread = thread_of_context(context);
    uint64_t number = context_call(context) - CAD_CALL_BASE;

    switch (number) {
    case ENDPOINT_NUMBER(call):
        return endpoint_call_direct(thread);
    case ENDPOINT_NUMBER(reply_receive):
        return endpoint_reply_receive_direct(thread);
    default:
        return common_call(thread, number);
    }
}

struct arch_context *dispatch_common(struct thread *thread)
{
    return common_call(thread, context_call(&thread->context) - CAD_CALL_BASE);
}
