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

/* Descendants deleted for one taking of the derivation lock. */
#define REVOKE_STEPS 16
/* After so long the call starts again, for interrupts and others to have their turn. */
#define REVOKE_NS UINT64_C(1000000)

static bool is_own_table(const struct invocation *call)
{
    return call->cap.object.index == call->process->table;
}

status_t method_cap_table_derive(struct invocation *call)
{
    struct process *process = call->process;
    uint64_t rights = argument(call, 1);
    uint32_t source, child;
    cap_id_t id = CAD_CAP_NONE;

    if (!is_own_table(call))
        return CAD_STALE;
    if ((rights & ~(uint64_t)CAD_RIGHT_ALL) != 0)
        return CAD_INVALID;
    spin_lock(&derivation_lock);
    status_t status = cap_lookup(this_core(), process->table, argument(call, 0),
                                 CAD_INTERFACE_NONE, CAD_RIGHT_NONE, &source);
    if (status == CAD_OK) {
        const struct cap_slot slot = cadastre.caps.slots[source];
        uint32_t kept = slot.rights & (uint32_t)rights;
        status = kobject_take(slot.object, kept, process->ledger);
        if (status == CAD_OK) {
            status = cap_derive(this_core(), source, process->table, kept, argument(call, 2),
                                &child);
            if (status == CAD_OK)
                id = cap_id(this_core(), child);
            else
                kobject_put(slot.object, kept, process->ledger);
        }
    }
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

struct revoked {
    struct cap_object objects[REVOKE_STEPS];
    uint32_t rights[REVOKE_STEPS];
    uint32_t ledgers[REVOKE_STEPS]; /* referenced meanwhile: their tables may go */
    unsigned count;
};

/* One batch under the lock. Gives: STALE once the target is gone; `more` false: none left. */
static status_t revoke_batch(const struct process *process, cap_id_t target,
                             struct revoked *revoked, bool *more)
{
    uint32_t slot, table;

    revoked->count = 0;
    spin_lock(&derivation_lock);
    status_t status = cap_lookup(this_core(), process->table, target, CAD_INTERFACE_NONE,
                                 CAD_RIGHT_NONE, &slot);
    *more = status == CAD_OK;
    while (*more && revoked->count < REVOKE_STEPS) {
        *more = cap_revoke_step(this_core(), slot, &revoked->objects[revoked->count],
                                &revoked->rights[revoked->count], &table);
        if (!*more)
            break;
        uint32_t ledger = cadastre.caps.tables[table].ledger;
        ledger_take(this_core(), ledger);
        revoked->ledgers[revoked->count++] = ledger;
    }
    spin_unlock(&derivation_lock);
    return status;
}

/* What is derived meanwhile goes too, so only time bounds one stay in the kernel. */
status_t method_cap_table_revoke(struct invocation *call)
{
    uint64_t until_ns = timer_now_ns() + REVOKE_NS;
    struct revoked revoked;
    bool more = true;

    if (!is_own_table(call))
        return CAD_STALE;
    while (more) {
        if (atomic_load_relaxed(&call->thread->killed))
            return CAD_CANCELLED;
        status_t status = revoke_batch(call->process, argument(call, 0), &revoked, &more);
        if (status != CAD_OK)
            return status;
        for (unsigned i = 0; i < revoked.count; i++) {
            kobject_put(revoked.objects[i], revoked.rights[i], revoked.ledgers[i]);
            ledger_put(this_core(), revoked.ledgers[i]);
        }
        kernel_tlb_service();
        if (more && !call->thread->in_ring && timer_now_ns() >= until_ns)
            return DISPATCH_AGAIN;
    }
    return CAD_OK;
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
