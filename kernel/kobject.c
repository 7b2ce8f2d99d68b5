// SPDX-License-Identifier: BSD-2-Clause
/*
 * One row an interface.  Takes are of objects whose source slot the caller keeps
 * from going (derivation lock), so a reference is there already.
 */
#include "kernel/kobject.h"

#include "base/assert.h"
#include "kernel/cpu.h"
#include "kernel/endpoint.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/thread.h"

struct kobject_row {
    const struct id_pool *ids; /* NULL: the object has no life of its own */
    status_t (*take)(struct cap_object object, uint32_t rights, uint32_t ledger);
    void (*put)(struct cap_object object, uint32_t rights, uint32_t ledger);
};

/* --- memory objects --- */

static status_t object_row_take(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    spin_lock(&objects_lock);
    status_t status = CAD_STALE;
    if (id_matches(&cadastre.objects.ids, object.index, object.generation) &&
        !cadastre.objects.objects[object.index].dying)
        status = object_claim(this_core(), object.index, ledger);
    if (status == CAD_OK)
        object_take(this_core(), object.index);
    spin_unlock(&objects_lock);
    return status;
}

static void object_row_put(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    spin_lock(&objects_lock);
    object_unclaim(this_core(), object.index, ledger);
    bool last = object_put(this_core(), object.index);
    spin_unlock(&objects_lock);
    if (last)
        reaper_add_object(object.index);
}

/* --- untyped memory, ledgers --- */

static status_t untyped_row_take(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    spin_lock(&objects_lock);
    untyped_take(this_core(), object.index);
    spin_unlock(&objects_lock);
    return CAD_OK;
}

static void untyped_row_put(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    spin_lock(&objects_lock);
    untyped_put(this_core(), object.index);
    spin_unlock(&objects_lock);
}

static status_t ledger_row_take(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    ledger_take(this_core(), object.index);
    return CAD_OK;
}

static void ledger_row_put(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    ledger_put(this_core(), object.index);
}

/* --- threads, processes, endpoints, notifications --- */

static status_t process_row_take(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    process_take(&processes.processes[object.index]);
    return CAD_OK;
}

static void process_row_put(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    process_put(&processes.processes[object.index]);
}

static status_t thread_row_take(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    thread_take(&threads.threads[object.index]);
    return CAD_OK;
}

static void thread_row_put(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    thread_put(&threads.threads[object.index]);
}

static status_t endpoint_row_take(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    endpoint_take(object.index, rights);
    return CAD_OK;
}

static void endpoint_row_put(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    endpoint_put(object.index, rights);
}

static status_t notification_row_take(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    notification_take(object.index);
    return CAD_OK;
}

static void notification_row_put(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    notification_put(object.index);
}

static const struct kobject_row rows[CAD_INTERFACE_COUNT] = {
    [CAD_INTERFACE_UNTYPED] = {&cadastre.untypeds.ids, untyped_row_take, untyped_row_put},
    [CAD_INTERFACE_LEDGER] = {&cadastre.ledgers.ids, ledger_row_take, ledger_row_put},
    [CAD_INTERFACE_MEMORY_OBJECT] = {&cadastre.objects.ids, object_row_take, object_row_put},
    [CAD_INTERFACE_VIRTUAL_MEMORY] = {&cadastre.spaces.ids, NULL, NULL},
    [CAD_INTERFACE_ADDRESS_SPACE] = {&cadastre.spaces.ids, NULL, NULL},
    [CAD_INTERFACE_CAP_TABLE] = {&cadastre.caps.table_ids, NULL, NULL},
    [CAD_INTERFACE_THREAD] = {&threads.ids, thread_row_take, thread_row_put},
    [CAD_INTERFACE_PROCESS] = {&processes.ids, process_row_take, process_row_put},
    [CAD_INTERFACE_ENDPOINT] = {&endpoints.ids, endpoint_row_take, endpoint_row_put},
    [CAD_INTERFACE_NOTIFICATION] = {&notifications.ids, notification_row_take,
                                    notification_row_put},
    [CAD_INTERFACE_PARK_SPACE] = {&cadastre.spaces.ids, NULL, NULL},
};

status_t kobject_take(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    CHECK_VALUE(object.interface < CAD_INTERFACE_COUNT, object.interface);
    const struct kobject_row *row = &rows[object.interface];

    return row->take != NULL ? row->take(object, rights, ledger) : CAD_OK;
}

void kobject_put(struct cap_object object, uint32_t rights, uint32_t ledger)
{
    CHECK_VALUE(object.interface < CAD_INTERFACE_COUNT, object.interface);
    const struct kobject_row *row = &rows[object.interface];

    if (row->put != NULL)
        row->put(object, rights, ledger);
}

uint64_t kobject_generation(uint32_t interface, uint32_t index)
{
    const struct id_pool *ids = rows[interface].ids;

    return ids != NULL ? ids->slots[index].generation : 0;
}
