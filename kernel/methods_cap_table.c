// SPDX-License-Identifier: BSD-2-Clause
/* CapTable: derive, delete, revoke, describe.  Never leaves its process. */
#include "arch/timer.h"
#include "arch/trap.h"
#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/capability.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/kobject.h"
#include "kernel/memory.h"

/* Slots deleted for one taking of the derivation lock, at most. */
#define REVOKE_STEPS 16
/* After so long the call starts again, for interrupts and others to have their turn. */
#define REVOKE_NS UINT64_C(1000000)

static bool is_own_table(const struct invocation *call)
{
    return call->cap.object.index == call->process->table;
}

/* With what the new slot holds on the object. Locks: derivation. */
static inline status_t derive_locked(const struct process *process, cap_id_t from, uint32_t rights,
                                     uint64_t badge, cap_id_t *id)
{
    uint32_t source, child;
    status_t status = cap_lookup(this_core(), process->table, from, CAD_INTERFACE_NONE,
                                 CAD_RIGHT_NONE, &source);

    if (status != CAD_OK)
        return status;
    const struct cap_slot *slot = &cadastre.caps.slots[source];
    rights &= slot->rights;
    status = kobject_take(slot->object, rights, process->ledger);
    if (status != CAD_OK)
        return status;
    status = cap_derive(this_core(), source, process->table, rights, badge, &child);
    if (status != CAD_OK)
        kobject_put(slot->object, rights, process->ledger);
    else
        *id = cap_id(this_core(), child);
    return status;
}

status_t method_cap_table_derive(struct invocation *call)
{
    uint64_t rights = argument(call, 1);
    cap_id_t id;

    if (!is_own_table(call))
        return CAD_STALE;
    if ((rights & ~(uint64_t)CAD_RIGHT_ALL) != 0)
        return CAD_INVALID;
    spin_lock(&derivation_lock);
    status_t status = derive_locked(call->process, argument(call, 0), (uint32_t)rights,
                                    argument(call, 2), &id);
    spin_unlock(&derivation_lock);
    if (status == CAD_OK)
        result(call, 0, id);
    return status;
}

status_t method_cap_table_delete(struct invocation *call)
{
    if (!is_own_table(call))
        return CAD_STALE;
    return cap_delete_one(call->process, argument(call, 0));
}

/* What some slots held, all of one table. */
struct revoked {
    struct cap_holding held[REVOKE_STEPS];
    uint32_t count;
    uint32_t ledger; /* their table's, referenced meanwhile: the table may go */
};

/* One step under the lock. Gives: STALE once the target is gone; no slot: none is left. */
static status_t revoke_step(const struct process *process, cap_id_t target,
                            struct revoked *revoked)
{
    uint32_t slot, table;

    spin_lock(&derivation_lock);
    status_t status = cap_lookup(this_core(), process->table, target, CAD_INTERFACE_NONE,
                                 CAD_RIGHT_NONE, &slot);
    revoked->count = status == CAD_OK ? cap_revoke_step(this_core(), slot, revoked->held,
                                                        REVOKE_STEPS, &table) : 0;
    if (revoked->count != 0) {
        revoked->ledger = cadastre.caps.tables[table].ledger;
        ledger_take(this_core(), revoked->ledger);
    }
    spin_unlock(&derivation_lock);
    return status;
}

static void revoked_put(const struct revoked *revoked)
{
    for (uint32_t i = 0; i < revoked->count; i++)
        kobject_put(revoked->held[i].object, revoked->held[i].rights, revoked->ledger);
    ledger_put(this_core(), revoked->ledger);
}

/* What is derived meanwhile goes too, so only time bounds one stay in the kernel. */
status_t method_cap_table_revoke(struct invocation *call)
{
    uint64_t until_ns = timer_now_ns() + REVOKE_NS;
    struct revoked revoked;

    if (!is_own_table(call))
        return CAD_STALE;
    for (;;) {
        if (thread_sees_end(call->thread))
            return CAD_CANCELLED;
        status_t status = revoke_step(call->process, argument(call, 0), &revoked);
        if (status != CAD_OK || revoked.count == 0)
            return status;
        revoked_put(&revoked);
        kernel_tlb_service();
        if (!call->thread->in_ring && timer_now_ns() >= until_ns)
            return DISPATCH_AGAIN;
    }
}

status_t method_cap_table_describe(struct invocation *call)
{
    struct cap_view view;

    if (!is_own_table(call))
        return CAD_STALE;
    status_t status = cap_view_any(call->process, argument(call, 0), &view);
    if (status != CAD_OK)
        return status;
    result(call, 0, view.object.interface);
    result(call, 1, view.rights);
    result(call, 2, view.badge);
    return CAD_OK;
}

status_t method_cap_table_info(struct invocation *call)
{
    if (!is_own_table(call))
        return CAD_STALE;
    result(call, 0, cadastre.caps.tables[call->process->table].count);
    return CAD_OK;
}
