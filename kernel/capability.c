// SPDX-License-Identifier: BSD-2-Clause
/*
 * Puts on objects wait until the derivation lock is dropped, but those that undo
 * a take: the source still holds the object then, so they end nothing.
 */
#include "kernel/capability.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/kobject.h"
#include "kernel/memory.h"
#include "kernel/process.h"

/* --- making --- */

/* No slot will come even when memory does: all numbers are used. */
static status_t result_status(status_t status)
{
    const struct id_pool *ids = &cadastre.caps.slot_ids;

    return status == CAD_PRESSURE && ids->capacity == ids->limit ? CAD_NO_RESULT_SLOT : status;
}

status_t cap_publish(struct process *process, struct cap_object object, uint32_t rights,
                     uint64_t badge, cap_id_t *id)
{
    uint32_t slot;

    spin_lock(&derivation_lock);
    status_t status = cap_insert(this_core(), process->table, object, rights, badge, &slot);
    if (status == CAD_OK)
        *id = cap_id(this_core(), slot);
    status = result_status(status);
    spin_unlock(&derivation_lock);
    return status;
}

status_t cap_publish_result(struct invocation *call, uint32_t interface, uint32_t index,
                            uint32_t rights)
{
    struct cap_object object = {interface, index, kobject_generation(interface, index)};
    cap_id_t id;

    status_t status = cap_publish(call->process, object, rights, 0, &id);
    if (status != CAD_OK)
        kobject_put(object, rights, call->process->ledger);
    else
        result(call, 0, id);
    return status;
}

static status_t insert_below(struct invocation *call, struct cap_object object, uint32_t rights,
                             cap_id_t *id)
{
    uint32_t source, slot;

    spin_lock(&derivation_lock);
    status_t status = cap_lookup(this_core(), call->process->table,
                                 context_cap(&call->thread->context), CAD_INTERFACE_UNTYPED,
                                 CAD_RIGHT_NONE, &source);
    if (status == CAD_OK)
        status = cap_insert_below(this_core(), source, call->process->table, object, rights,
                                  &slot);
    if (status == CAD_OK)
        *id = cap_id(this_core(), slot);
    status = result_status(status);
    spin_unlock(&derivation_lock);
    return status;
}

status_t cap_publish_below(struct invocation *call, uint32_t interface, uint32_t index,
                           uint32_t rights)
{
    struct cap_object object = {interface, index, kobject_generation(interface, index)};
    cap_id_t id;

    status_t status = insert_below(call, object, rights, &id);
    if (status == CAD_OK)
        result(call, 0, id);
    return status;
}

/* --- transfer; all under the derivation lock --- */

struct transfer {
    struct process *from, *to;
    struct cap_transfer *list;
    unsigned count;
    uint32_t slots[CAP_TRANSFERS_MAX];    /* sources */
    uint32_t children[CAP_TRANSFERS_MAX]; /* copies made, ID_NONE before */
    uint32_t moves[CAP_TRANSFERS_MAX];
    unsigned move_count, taken;
};

/* What the slot made of source number i will hold on the object. */
static struct cap_holding holding_in_to(const struct transfer *transfer, unsigned i)
{
    const struct cap_slot *slot = &cadastre.caps.slots[transfer->slots[i]];

    return (struct cap_holding){slot->object, slot->rights & transfer->list[i].rights};
}

static status_t transfer_check(struct transfer *transfer)
{
    for (unsigned i = 0; i < transfer->count; i++) {
        const struct cap_transfer *item = &transfer->list[i];
        uint32_t slot;
        status_t status = cap_lookup(this_core(), transfer->from->table, item->id,
                                     CAD_INTERFACE_NONE, CAD_RIGHT_NONE, &slot);
        if (status != CAD_OK)
            return status;
        for (unsigned k = 0; k < i; k++) {
            if (transfer->slots[k] == slot && (item->move || transfer->list[k].move))
                return CAD_INVALID;
        }
        transfer->slots[i] = slot;
        transfer->children[i] = ID_NONE;
        if (!item->move)
            continue;
        if (item->badge != 0 || (cadastre.caps.slots[slot].rights & ~item->rights) != 0)
            return CAD_INVALID;
        transfer->moves[transfer->move_count++] = slot;
    }
    return CAD_OK;
}

static status_t transfer_reserve(struct transfer *transfer)
{
    status_t status = CAD_OK;

    for (unsigned i = 0; i < transfer->count && status == CAD_OK; i++) {
        struct cap_holding holding = holding_in_to(transfer, i);
        status = kobject_take(holding.object, holding.rights, transfer->to->ledger);
        transfer->taken += status == CAD_OK;
    }
    for (unsigned i = 0; i < transfer->count && status == CAD_OK; i++) {
        const struct cap_transfer *item = &transfer->list[i];
        if (!item->move)
            status = cap_derive(this_core(), transfer->slots[i], transfer->to->table, item->rights,
                                item->badge, &transfer->children[i]);
    }
    return status;
}

static void transfer_undo(struct transfer *transfer)
{
    for (unsigned i = 0; i < transfer->count; i++) {
        if (transfer->children[i] != ID_NONE)
            (void)cap_delete(this_core(), transfer->children[i]);
    }
    for (unsigned i = 0; i < transfer->taken; i++) {
        struct cap_holding holding = holding_in_to(transfer, i);
        kobject_put(holding.object, holding.rights, transfer->to->ledger);
    }
}

static status_t transfer_locked(struct transfer *transfer)
{
    status_t status = transfer_check(transfer);
    if (status != CAD_OK)
        return status;
    status = transfer_reserve(transfer);
    if (status == CAD_OK)
        status = cap_move_all(this_core(), transfer->moves, transfer->move_count,
                              transfer->to->table);
    if (status != CAD_OK) {
        transfer_undo(transfer);
        return status;
    }
    /* commit */
    for (unsigned i = 0; i < transfer->count; i++) {
        const struct cap_transfer *item = &transfer->list[i];
        transfer->list[i].result =
            cap_id(this_core(), item->move ? transfer->slots[i] : transfer->children[i]);
    }
    return CAD_OK;
}

status_t cap_transfer_all(struct process *from, struct process *to, struct cap_transfer *list,
                          unsigned count)
{
    struct transfer transfer = {.from = from, .to = to, .list = list, .count = count};
    struct cap_holding moved[CAP_TRANSFERS_MAX];

    if (count > CAP_TRANSFERS_MAX)
        return CAD_INVALID;
    if (count == 0)
        return CAD_OK;
    spin_lock(&derivation_lock);
    status_t status = transfer_locked(&transfer);
    for (unsigned i = 0; i < transfer.move_count && status == CAD_OK; i++) {
        const struct cap_slot *slot = &cadastre.caps.slots[transfer.moves[i]];
        moved[i] = (struct cap_holding){slot->object, slot->rights};
    }
    spin_unlock(&derivation_lock);
    /* A moved slot now holds what was taken for `to`; what it held for `from` goes. */
    for (unsigned i = 0; i < transfer.move_count && status == CAD_OK; i++)
        kobject_put(moved[i].object, moved[i].rights, from->ledger);
    return status;
}

status_t cap_transfer(struct process *from, cap_id_t id, bool move, struct process *to,
                      cap_id_t *out)
{
    struct cap_transfer one = {.id = id, .move = move, .rights = CAD_RIGHT_ALL};
    status_t status = cap_transfer_all(from, to, &one, 1);

    if (status == CAD_OK)
        *out = one.result;
    return status;
}

/* --- deleting --- */

/* Locks: derivation.  The caller puts what it gives, after. */
static struct cap_holding holding_delete(uint32_t slot)
{
    uint32_t rights = cadastre.caps.slots[slot].rights;

    return (struct cap_holding){cap_delete(this_core(), slot), rights};
}

status_t cap_delete_one(struct process *process, cap_id_t id)
{
    struct cap_holding holding;
    uint32_t slot;

    spin_lock(&derivation_lock);
    status_t status = cap_lookup(this_core(), process->table, id, CAD_INTERFACE_NONE,
                                 CAD_RIGHT_NONE, &slot);
    if (status == CAD_OK)
        holding = holding_delete(slot);
    spin_unlock(&derivation_lock);
    if (status == CAD_OK)
        kobject_put(holding.object, holding.rights, process->ledger);
    return status;
}

bool cap_empty_step(struct process *process, unsigned budget)
{
    for (unsigned i = 0; i < budget; i++) {
        struct cap_holding holding;
        spin_lock(&derivation_lock);
        uint32_t slot = cap_table_first(this_core(), process->table);
        if (slot != ID_NONE)
            holding = holding_delete(slot);
        spin_unlock(&derivation_lock);
        if (slot == ID_NONE)
            return true;
        kobject_put(holding.object, holding.rights, process->ledger);
    }
    return false;
}
