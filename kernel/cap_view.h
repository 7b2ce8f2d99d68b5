// SPDX-License-Identifier: BSD-2-Clause
/*
 * How a call reads the capability it names: without a lock, on the way of every call.
 *
 * Slots are type-stable.  Insertion stores a slot's table last, and deletion takes it
 * away before the generation moves on; so a slot that has the right generation and
 * table is whole, and if the generation is still right after the copy, what was copied
 * is that one capability.  A deletion meanwhile counts as after the call.
 */
#ifndef KERNEL_CAP_VIEW_H
#define KERNEL_CAP_VIEW_H

#include "base/atomic.h"
#include "kernel/memory.h"
#include "kernel/process.h"

/* What a method sees of the capability it was invoked on. */
struct cap_view {
    struct cap_object object;
    uint64_t badge;
    uint32_t rights;
};

/* Any capability of the process, copied consistently.  Slot 0 is in no table.
 * Fails: STALE. */
MUST_CHECK static inline status_t cap_view_any(const struct process *process, cap_id_t id,
                                               struct cap_view *view)
{
    const struct id_pool *ids = &cadastre.caps.slot_ids;
    uint32_t index = (uint32_t)id & ((1u << CAD_CAP_SLOT_BITS) - 1);
    uint64_t generation = id >> CAD_CAP_SLOT_BITS;

    if (UNLIKELY(index >= atomic_load_relaxed(&ids->capacity)))
        return CAD_STALE;
    const uint64_t *generation_now = &ids->slots[index].generation;
    const struct cap_slot *slot = &cadastre.caps.slots[index];
    if (UNLIKELY(atomic_load_acquire(generation_now) != generation ||
                 atomic_load_acquire(&slot->table) != process->table))
        return CAD_STALE;
    view->object.interface = atomic_load_acquire(&slot->object.interface);
    view->object.index = atomic_load_acquire(&slot->object.index);
    view->object.generation = atomic_load_acquire(&slot->object.generation);
    view->badge = atomic_load_acquire(&slot->badge);
    view->rights = atomic_load_acquire(&slot->rights);
    return LIKELY(atomic_load_acquire(generation_now) == generation) ? CAD_OK : CAD_STALE;
}

/* The same if it has this interface and these rights. Fails: STALE, WRONG_TYPE, NO_RIGHT. */
MUST_CHECK static inline status_t cap_view(const struct process *process, cap_id_t id,
                                           uint32_t interface, uint32_t rights,
                                           struct cap_view *view)
{
    status_t status = cap_view_any(process, id, view);

    if (UNLIKELY(status != CAD_OK))
        return status;
    if (UNLIKELY(view->object.interface != interface))
        return CAD_WRONG_TYPE;
    return LIKELY((rights & ~view->rights) == 0) ? CAD_OK : CAD_NO_RIGHT;
}

#endif
