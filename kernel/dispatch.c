// SPDX-License-Identifier: BSD-2-Clause
/* The table of methods comes from abi/methods.h: a missing function does not link (AB1). */
#include "kernel/dispatch.h"

#include "arch/trap.h"
#include "base/atomic.h"
#include "kernel/reaper.h"
#include "kernel/starvation.h"
#include "kernel/trace.h"

#define ROOM_TURNS 100 /* of reaper_hurry() */

struct method {
    method_function run; /* NULL: no such method */
    uint32_t right;
};

#define METHOD_ROW(INTERFACE, interface, method, number, RIGHT, in, out, meaning)                  \
    [CAD_INTERFACE_##INTERFACE][number] = {method_##interface##_##method, CAD_RIGHT_##RIGHT},
static const struct method methods[CAD_INTERFACE_COUNT][CAD_METHOD_NUMBER_MAX + 1] = {
    CAD_METHOD_LIST(METHOD_ROW)};
#undef METHOD_ROW

static bool is_native(uint64_t call)
{
    return (call & ~(uint64_t)CAD_CALL_MASK) == CAD_CALL_BASE;
}

/* --- memory that is still on its way back (LG6) ---
 *
 * A method that found memory short changed nothing.  If something was being destroyed,
 * the thread makes the call again, and each time helps to destroy it first; the method
 * itself runs once more when nothing is left to destroy or its turns are over. */

static bool may_wait_for_room(struct thread *thread, bool was_busy)
{
    if (thread->in_ring || !(was_busy || reaper_is_busy()))
        return false;
    thread->room_turns = ROOM_TURNS;
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

static status_t method_run(const struct method *method, struct invocation *invocation)
{
    if (method->run == method_machine_starve)
        return method->run(invocation);
    starvation_begin(invocation->thread, CAD_STARVE_CALL);
    status_t status = method->run(invocation);
    if (status != DISPATCH_BLOCKED) /* then the thread is not ours any more */
        starvation_end(invocation->thread);
    return status;
}

status_t dispatch(struct cpu *cpu, struct thread *thread)
{
    uint64_t call = context_call(&thread->context);
    uint32_t interface = (uint32_t)(call & CAD_CALL_MASK) >> 8;
    uint32_t number = (uint32_t)call & 0xff;

    if (!is_native(call) || interface >= CAD_INTERFACE_COUNT || number > CAD_METHOD_NUMBER_MAX ||
        methods[interface][number].run == NULL)
        return CAD_BAD_CALL;
    const struct method *method = &methods[interface][number];
    struct invocation invocation = {.cpu = cpu, .thread = thread, .process = thread->process};
    status_t status = cap_view(thread->process, context_cap(&thread->context), interface,
                               method->right, &invocation.cap);
    bool has_waited = thread->room_turns != 0, was_busy = reaper_is_busy();
    if (has_waited && wait_for_room(thread))
        return DISPATCH_AGAIN;
    thread->room_turns = 0; /* now: a thread that blocks is not ours any more */
    if (status == CAD_OK)
        status = method_run(method, &invocation);
    if (status == CAD_PRESSURE && !has_waited && may_wait_for_room(thread, was_busy))
        return DISPATCH_AGAIN;
    trace_invocation(thread->id, (uint32_t)call, status, invocation.cap.object.index);
    return status;
}

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

void kernel_syscall(struct arch_context *context)
{
    struct cpu *cpu = this_cpu();
    struct thread *thread = cpu->current;

    if (!is_native(context_call(context))) {
        foreign_call(thread);
        return;
    }
    status_t status = dispatch(cpu, thread);
    if (status == DISPATCH_AGAIN)
        context_restart(context);
    else if (status != DISPATCH_BLOCKED)
        context_set_status(context, status);
}
