// SPDX-License-Identifier: BSD-2-Clause
/*
 * ResourceLedger: budgets, and the objects that are made on one.  What a method
 * creates is charged to the ledger it is invoked on; the capability that names
 * it, to the caller's table as always.
 */
#include "kernel/capability.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/endpoint.h"
#include "kernel/kobject.h"
#include "kernel/memory.h"
#include "kernel/notification.h"

#define LEDGER_RIGHTS (CAD_RIGHT_READ | CAD_RIGHT_SPEND | CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER)
#define ENDPOINT_RIGHTS                                                                            \
    (CAD_RIGHT_CALL | CAD_RIGHT_RECEIVE | CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER)
#define NOTIFICATION_RIGHTS                                                                        \
    (CAD_RIGHT_SIGNAL | CAD_RIGHT_WAIT | CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER)

/* A reference of the call's own, so that the ledger outlives what follows.
 * Fails: STALE if the capability went meanwhile. */
static status_t ledger_enter(const struct cap_object *object)
{
    spin_lock(&ledgers_lock);
    bool live = id_matches(&cadastre.ledgers.ids, object->index, object->generation) &&
                ledger_try_take(this_core(), object->index);
    spin_unlock(&ledgers_lock);
    return live ? CAD_OK : CAD_STALE;
}

status_t method_ledger_info(struct invocation *call)
{
    uint64_t what = argument(call, 0);

    if (what >= CAD_RESOURCE_COUNT)
        return CAD_INVALID;
    status_t status = ledger_enter(&call->cap.object);
    if (status != CAD_OK)
        return status;
    const struct ledger *ledger = &cadastre.ledgers.ledgers[call->cap.object.index];
    result(call, 0, ledger_used(ledger, (enum cad_resource)what));
    result(call, 1, ledger->limit[what]);
    result(call, 2, ledger->donated[what]);
    ledger_put(this_core(), call->cap.object.index);
    return CAD_OK;
}

status_t method_ledger_create_child(struct invocation *call)
{
    uint32_t child;

    status_t status = ledger_enter(&call->cap.object);
    if (status != CAD_OK)
        return status;
    spin_lock(&ledgers_lock);
    status = ledger_create_child(this_core(), call->cap.object.index, call->process->name, &child);
    spin_unlock(&ledgers_lock);
    ledger_put(this_core(), call->cap.object.index);
    if (status != CAD_OK)
        return status;
    return cap_publish_result(call, CAD_INTERFACE_LEDGER, child, LEDGER_RIGHTS);
}

typedef status_t (*ledger_move)(struct core_cpu *core, uint32_t ledger, uint32_t child,
                                enum cad_resource what, uint64_t amount);

/* donate and take_back: (child_ledger_cap, resource, amount). */
static status_t move_limit(struct invocation *call, ledger_move move)
{
    uint64_t what = argument(call, 1);
    struct cap_view child;

    if (what >= CAD_RESOURCE_COUNT)
        return CAD_INVALID;
    status_t status = cap_view(call->process, argument(call, 0), CAD_INTERFACE_LEDGER,
                               CAD_RIGHT_SPEND, &child);
    if (status != CAD_OK)
        return status;
    spin_lock(&ledgers_lock);
    status = CAD_STALE;
    if (id_matches(&cadastre.ledgers.ids, call->cap.object.index, call->cap.object.generation) &&
        id_matches(&cadastre.ledgers.ids, child.object.index, child.object.generation))
        status = move(this_core(), call->cap.object.index, child.object.index,
                      (enum cad_resource)what, argument(call, 2));
    spin_unlock(&ledgers_lock);
    return status;
}

status_t method_ledger_donate(struct invocation *call)
{
    return move_limit(call, ledger_donate);
}

status_t method_ledger_take_back(struct invocation *call)
{
    return move_limit(call, ledger_take_back);
}

status_t method_ledger_create_endpoint(struct invocation *call)
{
    uint32_t endpoint;

    status_t status = ledger_enter(&call->cap.object);
    if (status != CAD_OK)
        return status;
    status = endpoint_create(call->cap.object.index, &endpoint);
    ledger_put(this_core(), call->cap.object.index);
    if (status != CAD_OK)
        return status;
    return cap_publish_result(call, CAD_INTERFACE_ENDPOINT, endpoint, ENDPOINT_RIGHTS);
}

status_t method_ledger_create_notification(struct invocation *call)
{
    uint32_t notification;

    status_t status = ledger_enter(&call->cap.object);
    if (status != CAD_OK)
        return status;
    status = notification_create(call->cap.object.index, &notification);
    ledger_put(this_core(), call->cap.object.index);
    if (status != CAD_OK)
        return status;
    return cap_publish_result(call, CAD_INTERFACE_NOTIFICATION, notification, NOTIFICATION_RIGHTS);
}
