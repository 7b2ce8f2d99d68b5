// SPDX-License-Identifier: BSD-2-Clause
/*
 * MemoryObject: info, map, unmap, protect.  The rights of the capability become
 * the mapping's ceiling (AS3); the space is the caller's own, as its AddressSpace
 * capability never leaves it.
 */
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/memory.h"
#include "kernel/parking.h"
#include "kernel/reaper.h"
#include "kernel/tlb.h"

static uint32_t rights_ceiling(uint32_t rights)
{
    uint32_t ceiling = CAD_PROT_NONE;

    if ((rights & CAD_RIGHT_READ) != 0)
        ceiling |= CAD_PROT_READ;
    if ((rights & CAD_RIGHT_WRITE) != 0)
        ceiling |= CAD_PROT_WRITE;
    if ((rights & CAD_RIGHT_EXECUTE) != 0)
        ceiling |= CAD_PROT_EXECUTE;
    return ceiling;
}

/* The space argument. Fails: STALE, WRONG_TYPE, NO_RIGHT. */
static status_t space_argument(const struct invocation *call, cap_id_t id)
{
    const struct process *process = call->process;
    struct cap_view view;
    status_t status = cap_view(process, id, CAD_INTERFACE_ADDRESS_SPACE, CAD_RIGHT_MAP, &view);

    if (status != CAD_OK)
        return status;
    if (view.object.index != process->space || view.object.generation != process->space_generation)
        return CAD_STALE;
    return CAD_OK;
}

/* Locks: objects; the object lives while the lock is held. */
static status_t objects_enter(const struct invocation *call)
{
    const struct cap_object *object = &call->cap.object;

    spin_lock(&objects_lock);
    if (id_matches(&cadastre.objects.ids, object->index, object->generation) &&
        !cadastre.objects.objects[object->index].dying)
        return CAD_OK;
    spin_unlock(&objects_lock);
    return CAD_STALE;
}

static void objects_leave(void)
{
    spin_unlock(&objects_lock);
}

status_t method_memory_object_info(struct invocation *call)
{
    status_t status = objects_enter(call);

    if (status != CAD_OK)
        return status;
    const struct object object = cadastre.objects.objects[call->cap.object.index];
    objects_leave();
    result(call, 0, object.pages);
    result(call, 1, object.kind);
    result(call, 2, call->cap.object.index);
    result(call, 3, call->cap.object.generation);
    return CAD_OK;
}

status_t method_memory_object_map(struct invocation *call)
{
    uint64_t first_page = argument(call, 2), protection = argument(call, 4);
    uint64_t flags = argument(call, 5);
    virt_addr_t address;

    if (first_page > UINT32_MAX || protection > UINT32_MAX ||
        (flags & ~(uint64_t)CAD_MAP_POPULATE) != 0)
        return CAD_INVALID;
    status_t status = space_argument(call, argument(call, 0));
    if (status != CAD_OK)
        return status;
    const struct object_map_request request = {
        .object = call->cap.object.index,
        .first_page = (uint32_t)first_page,
        .pages = argument(call, 3),
        .address = argument(call, 1),
        .protection = (uint32_t)protection,
        .ceiling = rights_ceiling(call->cap.rights),
        .populate = (flags & CAD_MAP_POPULATE) != 0,
    };
    status = objects_enter(call);
    if (status != CAD_OK)
        return status;
    status = space_map_object(this_core(), call->process->space, &request, &address);
    objects_leave();
    if (status != CAD_OK)
        return status;
    tlb_settle(call->process);
    result(call, 0, address);
    return CAD_OK;
}

/* Drops a reference that a method had of its own. */
static void object_leave(uint32_t object)
{
    spin_lock(&objects_lock);
    bool last = object_put(this_core(), object);
    spin_unlock(&objects_lock);
    if (last)
        reaper_add_object(object);
}

/* The mapping's reference goes before the round, and other CPUs may still write to the
 * pages until it is done: one more is held over it (TL2). */
status_t method_memory_object_unmap(struct invocation *call)
{
    struct space_work work;
    uint32_t object = call->cap.object.index;

    status_t status = space_argument(call, argument(call, 0));
    if (status != CAD_OK)
        return status;
    status = objects_enter(call);
    if (status != CAD_OK)
        return status;
    object_take(this_core(), object);
    tlb_work(call->process, &work);
    status = space_unmap_object(this_core(), call->process->space, object, argument(call, 1),
                                argument(call, 2), &work);
    objects_leave();
    if (status == CAD_OK)
        tlb_finish(call->process, &work);
    object_leave(object);
    if (status != CAD_OK)
        return status;
    parking_wake_range(call->process, argument(call, 1), argument(call, 2));
    return CAD_OK;
}

status_t method_memory_object_protect(struct invocation *call)
{
    struct space_work work;

    if (argument(call, 3) > UINT32_MAX)
        return CAD_INVALID;
    status_t status = space_argument(call, argument(call, 0));
    if (status != CAD_OK)
        return status;
    status = objects_enter(call);
    if (status != CAD_OK)
        return status;
    tlb_work(call->process, &work);
    status = space_protect_object(this_core(), call->process->space, call->cap.object.index,
                                  argument(call, 1), argument(call, 2),
                                  (uint32_t)argument(call, 3), &work);
    objects_leave();
    if (status == CAD_OK)
        tlb_finish(call->process, &work);
    return status;
}
