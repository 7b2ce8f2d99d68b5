// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of a process, phase by phase.  One reaper at a time has the process;
 * while it waits for the last thread nobody has it, and that thread's end
 * queues it again.
 */
#include "arch/mmu.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/capability.h"
#include "kernel/cpu.h"
#include "kernel/endpoint.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/scheduler.h"
#include "kernel/tlb.h"

/* The bounds of a step. */
#define END_CALLS_BUDGET   128
#define END_CAPS_BUDGET    16
#define END_ENTRIES_BUDGET 256

static void set_phase(struct process *process, enum process_phase phase)
{
    process->end_cursor = 0;
    atomic_store_release(&process->phase, phase);
}

bool process_end_begin(struct process *process, enum cad_exit reason, uint32_t status,
                       uint64_t address)
{
    bool begins = process->phase == PROCESS_PHASE_RUNNING;

    if (begins) {
        process->exit_reason = reason;
        process->exit_status = status;
        process->exit_address = address;
        set_phase(process, PROCESS_PHASE_THREADS);
        process->end_cursor = process->thread_count;
    }
    return begins;
}

static bool end_begin(struct process *process, enum cad_exit reason, uint32_t status,
                      uint64_t address)
{
    spin_lock(&processes_lock);
    bool begins = process_end_begin(process, reason, status, address);
    spin_unlock(&processes_lock);
    return begins;
}

void process_end(struct process *process, enum cad_exit reason, uint32_t status, uint64_t address)
{
    struct thread *current = this_cpu()->current;

    if (end_begin(process, reason, status, address))
        reaper_add_process(process);
    if (current != NULL && current->process == process)
        thread_end_current();
}

/* Takes the first thread and makes it the last of the list. Locks: processes. */
static struct thread *rotate_threads(struct process *process)
{
    struct thread *first = process->threads;

    if (first == NULL)
        return NULL;
    thread_take(first);
    if (first->process_next == NULL)
        return first;
    process->threads = first->process_next;
    process->threads->process_previous = NULL;
    process->last_thread->process_next = first;
    first->process_previous = process->last_thread;
    first->process_next = NULL;
    process->last_thread = first;
    return first;
}

/* Each thread is visited once: the visited ones go to the end of the list.
 * Gives: whether there is more to do now. */
static bool end_threads(struct process *process)
{
    struct thread *thread = NULL;

    spin_lock(&processes_lock);
    if (process->end_cursor != 0) {
        process->end_cursor--;
        thread = rotate_threads(process);
    }
    if (thread == NULL && process->thread_count != 0)
        process->end_waits = true;
    else if (thread == NULL)
        set_phase(process, PROCESS_PHASE_CALLS);
    bool waits = process->end_waits;
    spin_unlock(&processes_lock);
    if (thread != NULL) {
        thread_kill(thread);
        thread_put(thread);
    }
    return !waits;
}

static void end_calls(struct process *process)
{
    if (!process->has_served ||
        endpoint_disconnect_callers(process->id, &process->end_cursor, END_CALLS_BUDGET))
        set_phase(process, PROCESS_PHASE_CAPS);
}

static void end_caps(struct process *process)
{
    if (!cap_empty_step(process, END_CAPS_BUDGET))
        return;
    spin_lock(&derivation_lock);
    cap_table_destroy(this_core(), process->table);
    process->table = ID_NONE;
    spin_unlock(&derivation_lock);
    set_phase(process, PROCESS_PHASE_SPACE);
    tlb_evict_space(process);
}

static void announce(struct process *process);

static void end_space(struct process *process)
{
    struct space_work work;

    spin_lock(&objects_lock);
    tlb_work(process, &work);
    bool gone = space_teardown_step(this_core(), process->space, END_ENTRIES_BUDGET, &work);
    if (gone) {
        process_forget_space(process);
        process->space = ID_NONE;
    }
    spin_unlock(&objects_lock);
    tlb_finish(process, &work);
    if (gone)
        set_phase(process, PROCESS_PHASE_OBJECTS);
}

/* What it charged and nobody holds any more goes before its end is seen.  What others
 * hold stays, and keeps the ledger.  Gives: whether the process has ended; its record
 * may be gone then. */
static bool end_objects(struct process *process)
{
    if (reaper_has_dying(process->ledger)) {
        cpu_relax();
        return false;
    }
    announce(process);
    return true;
}

/* --- the exit status --- */

static void give_exit(const struct process *process, struct thread *thread)
{
    context_set_word(&thread->context, 0, process->exit_reason);
    context_set_word(&thread->context, 1, process->exit_status);
    context_set_word(&thread->context, 2, process->exit_address);
}

/* The budget goes back and the end's own reference with it, before any waiter runs.
 * ENDED and the list of waiters change under one lock, so that nobody waits too late. */
static void announce(struct process *process)
{
    struct thread *waiter, *waiters = NULL;

    if (process->id == init_process)
        init_ended(process);
    ledger_put(this_core(), process->ledger);
    process->ledger = ID_NONE;
    spin_lock(&waiters_lock);
    set_phase(process, PROCESS_PHASE_ENDED);
    while ((waiter = wait_list_take(&process->waiters)) != NULL) {
        give_exit(process, waiter);
        waiter->queue_next = waiters;
        waiters = waiter;
    }
    spin_unlock(&waiters_lock);
    process_put(process);
    while ((waiter = waiters) != NULL) {
        waiters = waiter->queue_next;
        thread_wake(waiter, CAD_OK);
    }
}

status_t process_join(struct process *process, struct thread *thread, uint64_t deadline_ns)
{
    status_t status = CAD_OK;

    spin_lock(&waiters_lock);
    if (process->phase == PROCESS_PHASE_ENDED) {
        give_exit(process, thread);
    } else {
        status = thread_may_wait(deadline_ns);
        if (status == CAD_OK)
            status = thread_block(thread, THREAD_JOINING, &waiters_lock, &process->waiters,
                                  deadline_ns)
                         ? THREAD_BLOCKED
                         : CAD_CANCELLED;
    }
    spin_unlock(&waiters_lock);
    return status;
}

bool process_end_step(struct process *process)
{
    switch (process->phase) {
    case PROCESS_PHASE_THREADS:
        return end_threads(process); /* from here on it may be another reaper's */
    case PROCESS_PHASE_CALLS:
        end_calls(process);
        break;
    case PROCESS_PHASE_CAPS:
        end_caps(process);
        break;
    case PROCESS_PHASE_SPACE:
        end_space(process);
        break;
    case PROCESS_PHASE_OBJECTS:
        return !end_objects(process);
    case PROCESS_PHASE_RUNNING:
    case PROCESS_PHASE_ENDED:
        CHECK_VALUE(false, process->id);
    }
    return true;
}

void process_end_now(struct process *process)
{
    bool begins = end_begin(process, CAD_EXIT_KILLED, 0, 0);

    CHECK_VALUE(begins, process->id);
    while (process_end_step(process))
        ;
}
