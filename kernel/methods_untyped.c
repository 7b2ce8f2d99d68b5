// SPDX-License-Identifier: BSD-2-Clause
/*
 * Untyped: info, retype, reset.  What is made stands below the untyped's capability
 * in the derivation tree, so revoking that takes it all back (UT2); it has the right
 * to execute only if that capability has it (AS3).  The caller's ledger is charged.
 */
#include "base/assert.h"
#include "kernel/capability.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/kobject.h"
#include "kernel/memory.h"

static uint32_t execute_right(const struct invocation *call)
{
    return call->cap.rights & CAD_RIGHT_EXECUTE;
}

static status_t untyped_enter(const struct invocation *call)
{
    spin_lock(&objects_lock);
    if (id_matches(&cadastre.untypeds.ids, call->cap.object.index, call->cap.object.generation))
        return CAD_OK;
    spin_unlock(&objects_lock);
    return CAD_STALE;
}

status_t method_untyped_info(struct invocation *call)
{
    status_t status = untyped_enter(call);

    if (status != CAD_OK)
        return status;
    const struct untyped untyped = cadastre.untypeds.untypeds[call->cap.object.index];
    spin_unlock(&objects_lock);
    result(call, 0, untyped.pages);
    result(call, 1, untyped.pages - untyped.next);
    result(call, 2, untyped.children);
    return CAD_OK;
}

/* --- retype ---
 *
 * A child that cannot be named goes at once, not by the reaper, so that its pages are
 * again the next ones: a refused retype costs the untyped nothing. */

/* Locks: objects. */
static void retract(const struct invocation *call, frame_no_t first, uint32_t pages)
{
    const struct cap_object *parent = &call->cap.object;

    if (id_matches(&cadastre.untypeds.ids, parent->index, parent->generation))
        untyped_retract(this_core(), parent->index, first, pages);
}

static void undo_untyped(const struct invocation *call, uint32_t child)
{
    spin_lock(&objects_lock);
    const struct untyped was = cadastre.untypeds.untypeds[child];
    untyped_put(this_core(), child);
    retract(call, was.first, was.pages);
    spin_unlock(&objects_lock);
}

static void undo_object(const struct invocation *call, uint32_t object)
{
    spin_lock(&objects_lock);
    const struct object was = cadastre.objects.objects[object];
    object_unclaim(this_core(), object, call->process->ledger);
    bool gone = object_put(this_core(), object) &&
                object_destroy_step(this_core(), object, UINT32_MAX);
    CHECK_VALUE(gone, object); /* nobody else could name it, and its pages go back in one step */
    retract(call, was.first, was.pages);
    spin_unlock(&objects_lock);
}

status_t method_untyped_retype_untyped(struct invocation *call)
{
    uint64_t pages = argument(call, 0);
    uint32_t child;

    if (pages > UINT32_MAX)
        return CAD_INVALID;
    status_t status = untyped_enter(call);
    if (status != CAD_OK)
        return status;
    status = untyped_retype_untyped(this_core(), call->cap.object.index, call->process->ledger,
                                    (uint32_t)pages, &child);
    spin_unlock(&objects_lock);
    if (status != CAD_OK)
        return status;
    status = cap_publish_below(call, CAD_INTERFACE_UNTYPED, child,
                               UNTYPED_RIGHTS | execute_right(call));
    if (status != CAD_OK)
        undo_untyped(call, child);
    return status;
}

status_t method_untyped_retype_object(struct invocation *call)
{
    uint64_t pages = argument(call, 0);
    uint32_t object;

    if (pages > UINT32_MAX)
        return CAD_INVALID;
    status_t status = untyped_enter(call);
    if (status != CAD_OK)
        return status;
    status = object_create_untyped(this_core(), call->process->ledger, call->cap.object.index,
                                   (uint32_t)pages, &object);
    spin_unlock(&objects_lock);
    if (status != CAD_OK)
        return status;
    status = cap_publish_below(call, CAD_INTERFACE_MEMORY_OBJECT, object,
                               MEMORY_OBJECT_RIGHTS | execute_right(call));
    if (status != CAD_OK)
        undo_object(call, object);
    return status;
}

status_t method_untyped_reset(struct invocation *call)
{
    status_t status = untyped_enter(call);

    if (status != CAD_OK)
        return status;
    status = untyped_reset(this_core(), call->cap.object.index);
    spin_unlock(&objects_lock);
    return status;
}
