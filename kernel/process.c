// SPDX-License-Identifier: BSD-2-Clause
/* Processes: records, references, threads. Their end is in process_end.c. */
#include "kernel/process.h"

#include "arch/mmu.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/reaper.h"

struct process_table processes;
struct spinlock processes_lock = SPINLOCK_INIT(LOCK_PROCESSES);

#define SPACES_MAX (1u << 16)
/* Process id by space id, 0: none. Written under the space's creation and end. */
static uint32_t space_processes[SPACES_MAX];
static uint64_t space_names; /* given out; atomic */

/* --- references --- */

struct process *process_try_take(uint32_t id, uint64_t generation)
{
    if (id == ID_NONE || id >= atomic_load_acquire(&processes.ids.capacity))
        return NULL;
    struct process *process = &processes.processes[id];
    uint32_t count = atomic_load_relaxed(&process->references);
    do {
        if (count == 0)
            return NULL;
    } while (!atomic_compare_exchange(&process->references, &count, count + 1));
    if (process_generation(process) == generation && !atomic_load_acquire(&process->building))
        return process;
    process_put(process); /* a later life of the record, or not spawned yet */
    return NULL;
}

struct process *process_by_space(uint32_t space)
{
    uint32_t id = space < SPACES_MAX ? atomic_load_acquire(&space_processes[space]) : 0;
    return id != 0 ? &processes.processes[id] : NULL;
}

void process_take(struct process *process)
{
    uint32_t before = atomic_fetch_add(&process->references, 1);
    CHECK_VALUE(before != 0 && before != UINT32_MAX, process->id);
}

void process_put(struct process *process)
{
    uint32_t payer = process->payer;
    uint32_t before = atomic_fetch_sub(&process->references, 1);

    CHECK_VALUE(before != 0, process->id);
    if (before != 1)
        return;
    CHECK_VALUE(process->phase == PROCESS_PHASE_ENDED, process->id);
    spin_lock(&processes_lock);
    id_pool_put(&processes.ids, process->id);
    spin_unlock(&processes_lock);
    ledger_release(this_core(), payer, CAD_RESOURCE_METADATA, sizeof(struct process));
    ledger_put(this_core(), payer);
}

/* --- creation --- */

static uint32_t payer_of(uint32_t ledger)
{
    uint32_t parent = cadastre.ledgers.ledgers[ledger].parent;

    return parent != ID_NONE ? parent : ledger;
}

static status_t space_make(uint32_t ledger, uint32_t *space)
{
    spin_lock(&objects_lock);
    status_t status = space_create(this_core(), ledger, space);
    spin_unlock(&objects_lock);
    if (status == CAD_OK)
        mmu_root_init(cadastre.spaces.spaces[*space].root);
    return status;
}

/* Of a space that no CPU ever loaded. */
static void space_unmake(uint32_t space)
{
    bool gone = false;

    while (!gone) {
        struct space_work work;
        spin_lock(&objects_lock);
        gone = space_teardown_step(this_core(), space, UINT32_MAX, &work);
        spin_unlock(&objects_lock);
        while (!frame_quarantine_release(this_core(), &work.chain, UINT32_MAX))
            ;
    }
}

static status_t table_make(uint32_t ledger, uint32_t process, uint32_t *table)
{
    spin_lock(&derivation_lock);
    status_t status = cap_table_create(this_core(), ledger, process, table);
    spin_unlock(&derivation_lock);
    return status;
}

static void name_copy(char *to, const char *from)
{
    size_t i = 0;

    for (; i + 1 < CAD_INSPECT_NAME_BYTES && from[i] != '\0'; i++)
        to[i] = from[i];
    to[i] = '\0';
}

/* A record with its space and table. Fails: all is given back. */
static status_t process_make(uint32_t ledger, uint32_t *id, uint32_t *space, uint32_t *table)
{
    spin_lock(&processes_lock);
    bool taken = id_pool_take(this_core(), &processes.ids, id);
    spin_unlock(&processes_lock);
    if (!taken)
        return CAD_PRESSURE;
    status_t status = space_make(ledger, space);
    if (status == CAD_OK) {
        status = table_make(ledger, *id, table);
        if (status == CAD_OK)
            return CAD_OK;
        space_unmake(*space);
    }
    spin_lock(&processes_lock);
    id_pool_put(&processes.ids, *id);
    spin_unlock(&processes_lock);
    return status;
}

status_t process_create(const char *name, uint32_t ledger, uint32_t parent, uint8_t priority_max,
                        struct process **out)
{
    uint32_t id, space, table, payer = payer_of(ledger);

    status_t status = ledger_reserve(this_core(), payer, CAD_RESOURCE_METADATA,
                                     sizeof(struct process));
    if (status != CAD_OK)
        return status;
    status = process_make(ledger, &id, &space, &table);
    if (status != CAD_OK) {
        ledger_release(this_core(), payer, CAD_RESOURCE_METADATA, sizeof(struct process));
        return status;
    }
    /* commit */
    ledger_take(this_core(), payer);
    struct process *process = &processes.processes[id];
    *process = (struct process){
        .id = id,
        .parent = parent,
        .phase = PROCESS_PHASE_RUNNING,
        .space = space,
        .table = table,
        .ledger = ledger,
        .payer = payer,
        .space_generation = cadastre.spaces.ids.slots[space].generation,
        .space_name = atomic_fetch_add(&space_names, 1) + 1,
        .root = cadastre.spaces.spaces[space].root,
        .priority_max = priority_max,
    };
    name_copy(process->name, name);
    atomic_store_release(&process->references, 1);
    atomic_store_release(&space_processes[space], id);
    *out = process;
    return CAD_OK;
}

void process_forget_space(struct process *process)
{
    atomic_store_release(&space_processes[process->space], ID_NONE);
}

/* --- its threads --- */

void process_add_thread(struct process *process, struct thread *thread)
{
    thread->process_previous = NULL;
    thread->process_next = process->threads;
    if (process->threads != NULL)
        process->threads->process_previous = thread;
    else
        process->last_thread = thread;
    process->threads = thread;
    process->thread_count++;
}

void process_unlink_thread(struct process *process, struct thread *thread)
{
    spin_lock(&processes_lock);
    if (thread->process_previous != NULL)
        thread->process_previous->process_next = thread->process_next;
    else
        process->threads = thread->process_next;
    if (thread->process_next != NULL)
        thread->process_next->process_previous = thread->process_previous;
    else
        process->last_thread = thread->process_previous;
    process->run_cycles += thread->run_cycles;
    spin_unlock(&processes_lock);
}

/* The end begins, or goes on, under the lock: once the count is 0 and the lock dropped, another
 * end may have given the record to a later process. */
void process_thread_gone(struct process *process)
{
    bool queue = false;

    spin_lock(&processes_lock);
    process->thread_count--;
    if (process->thread_count == 0) {
        queue = process->end_waits || process_end_begin(process, CAD_EXIT_STATUS, 0, 0);
        process->end_waits = false;
    }
    spin_unlock(&processes_lock);
    if (queue)
        reaper_add_process(process);
}
