// SPDX-License-Identifier: BSD-2-Clause
/*
 * Process: methods on the process that the capability names, and those on the
 * calling thread, which want a capability of its own process.  The rings'
 * methods are in ring.c.
 */
#include "base/atomic.h"
#include "kernel/capability.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/parking.h"
#include "kernel/scheduler.h"
#include "kernel/user_copy.h"

#define EXIT_STATUS_MAX 255
#define POINTER_TLS     1
#define POINTER_RUNTIME 2

#define THREAD_RIGHTS (CAD_RIGHT_READ | CAD_RIGHT_CONTROL | CAD_RIGHT_WAIT | CAD_RIGHT_DERIVE)

/* The process that the capability names, with a reference. */
static struct process *target(const struct invocation *call)
{
    return process_try_take(call->cap.object.index, call->cap.object.generation);
}

static bool is_own(const struct invocation *call)
{
    return call->cap.object.index == call->process->id;
}

/* A user address, or 0. */
static bool is_user_or_none(uint64_t address)
{
    return address == 0 || (address >= CAD_USER_BASE && address < CAD_USER_END);
}

status_t method_process_info(struct invocation *call)
{
    struct process *process = target(call);
    uint64_t state = CAD_PROCESS_ENDING;

    if (process == NULL)
        return CAD_STALE;
    enum process_phase phase = atomic_load_relaxed(&process->phase);
    if (phase == PROCESS_PHASE_RUNNING)
        state = CAD_PROCESS_RUNNING;
    else if (phase == PROCESS_PHASE_ENDED)
        state = CAD_PROCESS_ENDED;
    result(call, 0, process->id);
    result(call, 1, state);
    result(call, 2, atomic_load_relaxed(&process->thread_count));
    process_put(process);
    return CAD_OK;
}

status_t method_process_exit(struct invocation *call)
{
    uint64_t status = argument(call, 0);
    struct process *process = target(call);

    if (process == NULL)
        return CAD_STALE;
    if (status <= EXIT_STATUS_MAX)
        process_end(process, CAD_EXIT_STATUS, (uint32_t)status, 0);
    process_put(process);
    return status <= EXIT_STATUS_MAX ? CAD_OK : CAD_INVALID;
}

status_t method_process_kill(struct invocation *call)
{
    struct process *process = target(call);

    if (process == NULL)
        return CAD_STALE;
    process_end(process, CAD_EXIT_KILLED, 0, 0);
    process_put(process);
    return CAD_OK;
}

status_t method_process_wait(struct invocation *call)
{
    struct process *process = target(call);

    if (process == NULL)
        return CAD_STALE;
    status_t status = process == call->process
                          ? CAD_INVALID
                          : process_join(process, call->thread, argument(call, 0));
    process_put(process);
    return status;
}

status_t method_process_set_foreign_handler(struct invocation *call)
{
    uint64_t handler = argument(call, 0), none = 0;
    struct process *process = target(call);

    if (process == NULL)
        return CAD_STALE;
    status_t status = CAD_INVALID;
    if (handler != 0 && is_user_or_none(handler))
        status = atomic_compare_exchange(&process->foreign_handler, &none, handler) ? CAD_OK
                                                                                     : CAD_BUSY;
    process_put(process);
    return status;
}

/* Everything about the new thread but whose it is. Fails: INVALID. */
static status_t entry_decode(const struct invocation *call, const struct process *process,
                             struct thread_entry *entry)
{
    uint64_t priority =
        argument(call, 5) == CAD_PRIORITY_SAME ? call->thread->priority : argument(call, 5);

    *entry = (struct thread_entry){
        .pc = argument(call, 0),
        .sp = argument(call, 1),
        .argument = argument(call, 2),
        .tls = argument(call, 3),
        .runtime = argument(call, 4),
        .priority = (uint8_t)priority,
    };
    if (entry->pc == 0 || !is_user_or_none(entry->pc) || !is_user_or_none(entry->sp) ||
        !is_user_or_none(entry->tls) || !is_user_or_none(entry->runtime) ||
        priority >= PRIORITY_COUNT || priority > process->priority_max)
        return CAD_INVALID;
    return CAD_OK;
}

/* The thread that the call describes, to be started. */
static status_t thread_make(const struct invocation *call, struct thread **thread)
{
    struct process *process = target(call);
    struct thread_entry entry;

    if (process == NULL)
        return CAD_STALE;
    status_t status = entry_decode(call, process, &entry);
    if (status == CAD_OK)
        status = thread_create(process, &entry, thread);
    process_put(process);
    return status;
}

status_t method_process_create_thread(struct invocation *call)
{
    struct thread *thread;
    cap_id_t id;

    status_t status = thread_make(call, &thread);
    if (status != CAD_OK)
        return status;
    const struct cap_object object = {CAD_INTERFACE_THREAD, thread->id, thread_generation(thread)};
    thread_take(thread);
    status = cap_publish(call->process, object, THREAD_RIGHTS, 0, &id);
    if (status != CAD_OK) {
        thread_put(thread);
        thread_discard(thread);
        return status;
    }
    thread_start(thread);
    result(call, 0, id);
    return CAD_OK;
}

status_t method_process_start_thread(struct invocation *call)
{
    struct thread *thread;

    status_t status = thread_make(call, &thread);
    if (status == CAD_OK)
        thread_start(thread);
    return status;
}

status_t method_process_thread_exit(struct invocation *call)
{
    virt_addr_t word = argument(call, 0);

    if (!is_own(call) || (word & (sizeof(uint32_t) - 1)) != 0)
        return CAD_INVALID;
    if (word != 0) {
        status_t status = store_to_user(call->process, word, 0);
        if (status != CAD_OK)
            return status;
        (void)parking_unpark(call->process, word, UINT64_MAX);
    }
    thread_end_current();
    return CAD_OK;
}

status_t method_process_thread_yield(struct invocation *call)
{
    if (!is_own(call))
        return CAD_INVALID;
    return scheduler_give_way(call->thread) ? DISPATCH_BLOCKED : CAD_OK;
}

status_t method_process_thread_set_pointers(struct invocation *call)
{
    uint64_t which = argument(call, 0);

    if (!is_own(call) || (which & ~(uint64_t)(POINTER_TLS | POINTER_RUNTIME)) != 0 ||
        !is_user_or_none(argument(call, 1)) || !is_user_or_none(argument(call, 2)))
        return CAD_INVALID;
    if ((which & POINTER_TLS) != 0)
        context_set_tls(&call->thread->context, argument(call, 1));
    if ((which & POINTER_RUNTIME) != 0)
        context_set_runtime(&call->thread->context, argument(call, 2));
    return CAD_OK;
}

status_t method_process_thread_self(struct invocation *call)
{
    if (!is_own(call))
        return CAD_INVALID;
    result(call, 0, call->thread->id);
    return CAD_OK;
}
