// SPDX-License-Identifier: BSD-2-Clause
/*
 * inspector.audit: core/audit over the whole machine, with what the kernel's own
 * records hold, then kernel/audit_references.  The world is stopped, and every
 * other CPU stands on its way out of the kernel, so no operation is half done.
 */
#include "core/audit.h"

#include "kernel/audit_references.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/endpoint.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/user_copy.h"
#include "kernel/world.h"

/* Violations kept for the caller; all are counted. */
#define AUDIT_RECORDS_MAX 64

static struct {
    struct cad_violation records[AUDIT_RECORDS_MAX];
    uint64_t count;
} found; /* of the CPU that stopped the world */

static void audit_report(void *context, const struct cad_violation *violation)
{
    if (found.count < AUDIT_RECORDS_MAX)
        found.records[found.count++] = *violation;
}

/* --- what the kernel holds --- */

static void add_processes(struct audit *audit)
{
    for (uint32_t id = 1; id < processes.ids.capacity; id++) {
        const struct process *process = &processes.processes[id];
        if (!id_is_live(&processes.ids, id))
            continue;
        audit_host_charge(audit, process->payer, CAD_RESOURCE_METADATA, sizeof(*process));
        audit_host_ledger(audit, process->payer);
        if (process->ledger != ID_NONE)
            audit_host_ledger(audit, process->ledger);
    }
}

static void add_thread(struct audit *audit, const struct thread *thread)
{
    audit_host_charge(audit, thread->ledger, CAD_RESOURCE_METADATA, sizeof(*thread));
    audit_host_ledger(audit, thread->ledger);
    if (thread->state != THREAD_ENDED)
        audit_host_charge(audit, thread->ledger, CAD_RESOURCE_THREADS, 1);
    if (thread->state == THREAD_PARKED)
        audit_host_charge(audit, thread->ledger, CAD_RESOURCE_WAITERS, 1);
    if (thread->state == THREAD_CALLING || thread->state == THREAD_AWAITING_REPLY)
        audit_host_charge(audit, thread->ledger, CAD_RESOURCE_CALLS, 1);
}

static void add_threads(struct audit *audit)
{
    for (uint32_t id = 1; id < threads.ids.capacity; id++) {
        if (id_is_live(&threads.ids, id))
            add_thread(audit, &threads.threads[id]);
    }
}

static void add_meeting_points(struct audit *audit)
{
    for (uint32_t id = 1; id < endpoints.ids.capacity; id++) {
        const struct endpoint *endpoint = &endpoints.endpoints[id];
        if (!id_is_live(&endpoints.ids, id))
            continue;
        audit_host_charge(audit, endpoint->ledger, CAD_RESOURCE_METADATA, sizeof(*endpoint));
        audit_host_ledger(audit, endpoint->ledger);
    }
    for (uint32_t id = 1; id < notifications.ids.capacity; id++) {
        const struct notification *notification = &notifications.notifications[id];
        if (!id_is_live(&notifications.ids, id))
            continue;
        audit_host_charge(audit, notification->ledger, CAD_RESOURCE_METADATA,
                          sizeof(*notification));
        audit_host_ledger(audit, notification->ledger);
    }
}

static void add_holdings(void *context, struct audit *audit)
{
    audit_host_ledger(audit, root_ledger);
    audit_host_charge(audit, root_ledger, CAD_RESOURCE_COMMITTED,
                      (uint64_t)memory_charged_cpus * MAGAZINE_FRAMES);
    if (boot_archive_object != ID_NONE)
        audit_host_object(audit, boot_archive_object, root_ledger);
    add_processes(audit);
    add_threads(audit);
    add_meeting_points(audit);
}

/* --- scratch memory --- */

static frame_no_t frame_limit(void)
{
    const struct frame_table *table = &cadastre.frames;
    return table->ranges[table->range_count - 1].end;
}

static uint64_t part_take(uint64_t *total, uint64_t bytes)
{
    uint64_t start = *total;

    *total += (bytes + 63) & ~UINT64_C(63);
    return start;
}

/* Gives: false when there is no memory for it. */
static bool scratch_make(struct audit_scratch *scratch)
{
    uint64_t total = 0, limit = frame_limit();
    uint64_t ledgers = part_take(&total, cadastre.ledgers.ids.capacity *
                                             sizeof(scratch->ledgers[0]));
    uint64_t untypeds = part_take(&total, cadastre.untypeds.ids.capacity *
                                              sizeof(scratch->untypeds[0]));
    uint64_t objects = part_take(&total, cadastre.objects.ids.capacity *
                                             sizeof(scratch->object_references[0]));
    uint64_t claims = part_take(&total, cadastre.objects.claim_ids.capacity *
                                            sizeof(scratch->claim_reasons[0]));
    uint64_t reached = part_take(&total, (limit + 63) / 64 * sizeof(scratch->reached[0]));
    uint8_t *base = pool_scratch(this_core(), total);

    if (base == NULL)
        return false;
    scratch->ledgers = (void *)(base + ledgers);
    scratch->untypeds = (void *)(base + untypeds);
    scratch->object_references = (void *)(base + objects);
    scratch->claim_reasons = (void *)(base + claims);
    scratch->reached = (void *)(base + reached);
    scratch->frame_limit = (frame_no_t)limit;
    return true;
}

/* --- the method --- */

/* Needs: the world stopped. Gives: false when there is no memory for it. */
static bool audit_machine(struct audit_result *audited)
{
    const struct core_cpu *cores[CPU_MAX];
    struct audit_scratch scratch;
    const struct audit_host host = {
        .report = audit_report,
        .add_holdings = add_holdings,
        .cpus = cores,
        .cpu_count = cpu_count(),
    };

    found.count = 0;
    if (!scratch_make(&scratch))
        return false;
    for (unsigned i = 0; i < cpu_count(); i++)
        cores[i] = &cpu_by_index(i)->core;
    audit_run(this_core(), &host, &scratch, audited);
    return audit_references(&host, audited);
}

status_t method_inspector_audit(struct invocation *call)
{
    virt_addr_t buffer = argument(call, 0);
    uint64_t room = argument(call, 1) / sizeof(struct cad_violation);
    struct audit_result audited = {0, 0};

    if (room > AUDIT_RECORDS_MAX)
        room = AUDIT_RECORDS_MAX;
    status_t status = check_user_writable(call->process, buffer,
                                          room * sizeof(struct cad_violation));
    if (status != CAD_OK)
        return status;
    world_stop();
    uint64_t copied = 0;
    status = CAD_PRESSURE;
    if (audit_machine(&audited)) {
        copied = found.count < room ? found.count : room;
        status = copy_to_user(call->process, buffer, found.records,
                              copied * sizeof(struct cad_violation));
    }
    world_resume();
    if (status != CAD_OK)
        return status;
    result(call, 0, audited.violations);
    result(call, 1, audited.checks);
    result(call, 2, copied);
    return CAD_OK;
}
