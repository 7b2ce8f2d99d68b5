// SPDX-License-Identifier: BSD-2-Clause
/* Threads begin, wait, wake and end here; when they run is scheduler.c's. */
#include "kernel/thread.h"

#include "arch/timer.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/ring.h"
#include "kernel/scheduler.h"
#include "kernel/timers.h"
#include "kernel/wait_list.h"

struct thread_table threads;
struct spinlock waiters_lock = SPINLOCK_INIT(LOCK_WAITERS);

/* --- states --- */

const char *thread_state_name(enum thread_state state)
{
#define STATE_NAME(NAME, name, meaning) [THREAD_##NAME] = #name,
    static const char *const names[] = {THREAD_STATE_LIST(STATE_NAME)};
#undef STATE_NAME
    return state < ARRAY_COUNT(names) ? names[state] : "?";
}

/* --- references --- */

struct thread *thread_try_take(uint32_t id, uint64_t generation)
{
    if (id == ID_NONE || id >= atomic_load_acquire(&threads.ids.capacity))
        return NULL;
    struct thread *thread = &threads.threads[id];
    uint32_t count = atomic_load_relaxed(&thread->references);
    do {
        if (count == 0)
            return NULL;
    } while (!atomic_compare_exchange(&thread->references, &count, count + 1));
    if (thread_generation(thread) == generation)
        return thread;
    thread_put(thread); /* a later life of the record */
    return NULL;
}

void thread_take(struct thread *thread)
{
    uint32_t before = atomic_fetch_add(&thread->references, 1);
    CHECK_VALUE(before != 0 && before != UINT32_MAX, thread->id);
}

void thread_put(struct thread *thread)
{
    struct process *process = thread->process;
    uint32_t ledger = thread->ledger;
    uint32_t before = atomic_fetch_sub(&thread->references, 1);

    CHECK_VALUE(before != 0, thread->id);
    if (before != 1)
        return;
    CHECK_VALUE(thread->state == THREAD_ENDED, thread->id);
    spin_lock(&processes_lock);
    id_pool_put(&threads.ids, thread->id);
    spin_unlock(&processes_lock);
    ledger_release(this_core(), ledger, CAD_RESOURCE_METADATA, sizeof(struct thread));
    ledger_put(this_core(), ledger);
    process_put(process);
}

/* --- beginning --- */

static status_t thread_charge(uint32_t ledger)
{
    status_t status = ledger_reserve(this_core(), ledger, CAD_RESOURCE_THREADS, 1);
    if (status != CAD_OK)
        return status;
    status = ledger_reserve(this_core(), ledger, CAD_RESOURCE_METADATA, sizeof(struct thread));
    if (status != CAD_OK)
        ledger_release(this_core(), ledger, CAD_RESOURCE_THREADS, 1);
    return status;
}

static void thread_uncharge(uint32_t ledger)
{
    ledger_release(this_core(), ledger, CAD_RESOURCE_METADATA, sizeof(struct thread));
    ledger_release(this_core(), ledger, CAD_RESOURCE_THREADS, 1);
}

static void thread_init(struct thread *thread, uint32_t id, struct process *process,
                        const struct thread_entry *entry)
{
    uint64_t call_generation = thread->call_generation;

    /* What the machine's two functions make is not cleared before. */
    __builtin_memset(&thread->id, 0, sizeof(struct thread) - offsetof(struct thread, id));
    thread->id = id;
    thread->state = THREAD_CREATED;
    thread->process = process;
    thread->ledger = process->ledger;
    thread->priority = entry->priority;
    thread->cpu = this_cpu()->index;
    thread->call_generation = call_generation;
    context_init(&thread->context, entry->pc, entry->sp, entry->argument, entry->tls,
                 entry->runtime);
    fpu_state_init(&thread->fpu);
    atomic_store_release(&thread->references, 2); /* until it has ended; the caller's */
}

/* The process's ledger, with a reference: its own goes with the process.
 * Fails: DISCONNECTED: it is ending, and may have none any more. */
static status_t ledger_enter(const struct process *process, uint32_t *ledger)
{
    status_t status = CAD_DISCONNECTED;

    spin_lock(&processes_lock);
    if (process->phase == PROCESS_PHASE_RUNNING) {
        *ledger = process->ledger;
        ledger_take(this_core(), *ledger);
        status = CAD_OK;
    }
    spin_unlock(&processes_lock);
    return status;
}

/* Takes over the caller's reference on the ledger if it succeeds. Locks: processes. */
static status_t thread_create_locked(struct process *process, const struct thread_entry *entry,
                                     struct thread **out)
{
    uint32_t id;

    if (process->phase != PROCESS_PHASE_RUNNING)
        return CAD_DISCONNECTED;
    if (!id_pool_take(this_core(), &threads.ids, &id))
        return CAD_PRESSURE;
    /* commit */
    struct thread *thread = &threads.threads[id];
    thread_init(thread, id, process, entry);
    process_take(process);
    process_add_thread(process, thread);
    *out = thread;
    return CAD_OK;
}

status_t thread_create(struct process *process, const struct thread_entry *entry,
                       struct thread **out)
{
    uint32_t ledger;
    status_t status = ledger_enter(process, &ledger);

    if (status != CAD_OK)
        return status;
    status = thread_charge(ledger);
    if (status == CAD_OK) {
        spin_lock(&processes_lock);
        status = thread_create_locked(process, entry, out);
        spin_unlock(&processes_lock);
        if (status != CAD_OK)
            thread_uncharge(ledger);
    }
    if (status != CAD_OK)
        ledger_put(this_core(), ledger);
    return status;
}

void thread_start(struct thread *thread)
{
    if (!atomic_exchange(&thread->is_taken, true))
        scheduler_ready(thread);
    thread_put(thread);
}

void thread_discard(struct thread *thread)
{
    thread_kill(thread);
    thread_put(thread);
}

/* --- waiting --- */

bool thread_block(struct thread *thread, enum thread_state state, struct spinlock *lock,
                  struct wait_list *list, uint64_t deadline_ns)
{
    thread_set_state(thread, state);
    atomic_fence(); /* with thread_kill(): it sees the state, or we see the mark */
    if (thread_sees_end(thread)) {
        thread_set_state(thread, THREAD_RUNNING);
        return false;
    }
    scheduler_leave(this_cpu(), thread);
    this_cpu()->turn_cycles = thread->turn_cycles;
    thread->turn_cycles = 0;
    thread->deadline_ns = deadline_ns;
    if (deadline_ns != CAD_DEADLINE_FOREVER)
        timers_add(this_cpu(), thread);
    if (list != NULL) {
        wait_list_join(list, lock, thread);
    } else {
        thread->wait_list = NULL;
        atomic_store_release(&thread->wait_lock, lock);
    }
    return true;
}

void thread_release_wait(struct thread *thread)
{
    if (thread->state == THREAD_CALLING || thread->state == THREAD_AWAITING_REPLY) {
        ledger_release(this_core(), thread->ledger, CAD_RESOURCE_CALLS, 1);
    } else if (thread->state == THREAD_PARKED) {
        ledger_release(this_core(), thread->ledger, CAD_RESOURCE_WAITERS, 1);
        (void)atomic_fetch_sub(&thread->process->parked_count, 1);
    }
    if (UNLIKELY(atomic_load_relaxed(&thread->timer_cpu) != 0))
        timers_remove(thread);
}

static bool state_waits(enum thread_state state)
{
    return state >= THREAD_CALLING && state <= THREAD_READING;
}

bool thread_try_time_out(struct thread *thread, uint64_t now_ns)
{
    if (!state_waits(atomic_load_acquire(&thread->state)) ||
        atomic_load_relaxed(&thread->deadline_ns) > now_ns)
        return true;
    if (!thread_withdraw(thread, now_ns))
        return false;
    thread_wake(thread, thread->state == THREAD_SLEEPING ? CAD_OK : CAD_TIMED_OUT);
    return true;
}

/* --- ending --- */

/* One try. Gives: whether the thread is ended or will notice by itself. */
static bool kill_try(struct thread *thread)
{
    switch (atomic_load_acquire(&thread->state)) {
    case THREAD_ENDED:
        return true;
    case THREAD_RUNNING:
        scheduler_prod(atomic_load_relaxed(&thread->cpu));
        return true;
    case THREAD_CREATED:
        if (atomic_exchange(&thread->is_taken, true))
            return false; /* being started: READY soon */
        break;
    case THREAD_READY:
        if (!scheduler_withdraw(thread))
            return false;
        break;
    default:
        if (!thread_withdraw(thread, UINT64_MAX))
            return false;
        thread_end_wait(thread, CAD_CANCELLED);
        break;
    }
    thread_finish(thread);
    return true;
}

void thread_kill(struct thread *thread)
{
    lock_check_none_held();
    atomic_store_relaxed(&thread->killed, true);
    atomic_fence(); /* with thread_block() */
    while (!kill_try(thread)) {
        kernel_tlb_service();
        cpu_relax();
    }
}

void thread_end_current(void)
{
    struct cpu *cpu = this_cpu();

    atomic_store_relaxed(&cpu->current->killed, true);
    scheduler_prod(cpu->index); /* which looks for the mark */
}

/* ENDED and the list of joiners change under one lock, so that nobody joins too late. */
static void finish_joiners(struct thread *thread)
{
    struct thread *joiner;

    spin_lock(&waiters_lock);
    thread_set_state(thread, THREAD_ENDED);
    while ((joiner = wait_list_take(&thread->joiners)) != NULL)
        thread_wake(joiner, CAD_OK);
    spin_unlock(&waiters_lock);
}

void thread_finish(struct thread *thread)
{
    struct process *process = thread->process;

    lock_check_none_held();
    ring_release(thread);
    finish_joiners(thread);
    ledger_release(this_core(), thread->ledger, CAD_RESOURCE_THREADS, 1);
    process_unlink_thread(process, thread);
    thread_put(thread); /* before the process may end: the record is paid by its ledger */
    process_thread_gone(process); /* it lives: it cannot end before this */
}
