// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/audit_references.h"

#include "kernel/cpu.h"
#include "kernel/endpoint.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/process.h"
#include "kernel/reaper.h"

#define REFERENCE_ENUM(NAME, requirement, kind, what) REFERENCE_##NAME,
enum reference_check { REFERENCE_CHECK_LIST(REFERENCE_ENUM) };
#undef REFERENCE_ENUM
#define REFERENCE_COUNT_ONE(...) +1
enum { REFERENCE_CHECK_COUNT = 0 REFERENCE_CHECK_LIST(REFERENCE_COUNT_ONE) };

struct reference_audit {
    const struct audit_host *host;
    struct audit_result *result;
    uint32_t *counts[REFERENCE_CHECK_COUNT]; /* by record: what it should say */
};

static const struct id_pool *pool_of(enum reference_check check)
{
    switch (check) {
    case REFERENCE_PROCESS:
    case REFERENCE_PROCESS_THREADS:
        return &processes.ids;
    case REFERENCE_THREAD:
        return &threads.ids;
    case REFERENCE_ENDPOINT:
    case REFERENCE_RECEIVERS:
        return &endpoints.ids;
    case REFERENCE_NOTIFICATION:
        return &notifications.ids;
    }
    return NULL;
}

/* --- what holds references --- */

static void add(struct reference_audit *audit, enum reference_check check, uint32_t index)
{
    if (id_is_live(pool_of(check), index)) /* core/audit reports a slot of a dead one */
        audit->counts[check][index]++;
}

static void add_slot(struct reference_audit *audit, const struct cap_slot *slot)
{
    uint32_t index = slot->object.index;

    switch (slot->object.interface) {
    case CAD_INTERFACE_PROCESS:
        add(audit, REFERENCE_PROCESS, index);
        break;
    case CAD_INTERFACE_THREAD:
        add(audit, REFERENCE_THREAD, index);
        break;
    case CAD_INTERFACE_ENDPOINT:
        add(audit, REFERENCE_ENDPOINT, index);
        if ((slot->rights & CAD_RIGHT_RECEIVE) != 0)
            add(audit, REFERENCE_RECEIVERS, index);
        break;
    case CAD_INTERFACE_NOTIFICATION:
        add(audit, REFERENCE_NOTIFICATION, index);
        break;
    default:
        break;
    }
}

/* The last receiver's reference: the reaper drops it once nobody waits there any more. */
static void add_held(void *context, uint32_t endpoint)
{
    add(context, REFERENCE_ENDPOINT, endpoint);
}

static void add_all(struct reference_audit *audit)
{
    reaper_each_endpoint(add_held, audit);
    for (uint32_t i = 1; i < cadastre.caps.slot_ids.capacity; i++) {
        if (id_is_live(&cadastre.caps.slot_ids, i))
            add_slot(audit, &cadastre.caps.slots[i]);
    }
    for (uint32_t i = 1; i < threads.ids.capacity; i++) {
        const struct thread *thread = &threads.threads[i];
        if (!id_is_live(&threads.ids, i))
            continue;
        add(audit, REFERENCE_PROCESS, thread->process->id);
        if (thread->state == THREAD_ENDED)
            continue;
        add(audit, REFERENCE_THREAD, i); /* its own, until it has ended */
        add(audit, REFERENCE_PROCESS_THREADS, thread->process->id);
    }
    for (uint32_t i = 1; i < processes.ids.capacity; i++) {
        if (processes.processes[i].phase != PROCESS_PHASE_ENDED)
            add(audit, REFERENCE_PROCESS, i); /* its own, as above */
    }
}

/* --- what the records say --- */

static uint32_t found_of(enum reference_check check, uint32_t index)
{
    switch (check) {
    case REFERENCE_PROCESS:
        return processes.processes[index].references;
    case REFERENCE_PROCESS_THREADS:
        return processes.processes[index].thread_count;
    case REFERENCE_THREAD:
        return threads.threads[index].references;
    case REFERENCE_ENDPOINT:
        return endpoints.endpoints[index].references;
    case REFERENCE_RECEIVERS:
        return endpoints.endpoints[index].receiver_references;
    case REFERENCE_NOTIFICATION:
        return notifications.notifications[index].references;
    }
    return 0;
}

static void report(struct reference_audit *audit, enum reference_check check, uint32_t index,
                   uint32_t expected, uint32_t found)
{
#define REFERENCE_TEXT(NAME, requirement_id, kind_name, text)                                      \
    [REFERENCE_##NAME] = {.requirement = requirement_id, .kind = kind_name, .what = text},
    static const struct cad_violation texts[] = {REFERENCE_CHECK_LIST(REFERENCE_TEXT)};
#undef REFERENCE_TEXT
    struct cad_violation violation = texts[check];

    violation.id = index;
    violation.expected = expected;
    violation.found = found;
    audit->result->violations++;
    audit->host->report(audit->host->context, &violation);
}

static void compare(struct reference_audit *audit, enum reference_check check)
{
    const struct id_pool *ids = pool_of(check);

    for (uint32_t i = 1; i < ids->capacity; i++) {
        if (!id_is_live(ids, i))
            continue;
        uint32_t expected = audit->counts[check][i], found = found_of(check, i);
        audit->result->checks++;
        if (expected != found)
            report(audit, check, i, expected, found);
    }
}

/* --- the whole --- */

static bool counts_make(struct reference_audit *audit)
{
    uint64_t total = 0;

    for (unsigned check = 0; check < REFERENCE_CHECK_COUNT; check++)
        total += pool_of((enum reference_check)check)->capacity;
    uint32_t *next = pool_scratch(this_core(), total * sizeof(*next));
    if (next == NULL)
        return false;
    __builtin_memset(next, 0, total * sizeof(*next));
    for (unsigned check = 0; check < REFERENCE_CHECK_COUNT; check++) {
        audit->counts[check] = next;
        next += pool_of((enum reference_check)check)->capacity;
    }
    return true;
}

bool audit_references(const struct audit_host *host, struct audit_result *result)
{
    struct reference_audit audit = {.host = host, .result = result};

    if (!counts_make(&audit))
        return false;
    add_all(&audit);
    for (unsigned check = 0; check < REFERENCE_CHECK_COUNT; check++)
        compare(&audit, (enum reference_check)check);
    return true;
}
