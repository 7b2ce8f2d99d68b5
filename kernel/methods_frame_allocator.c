// SPDX-License-Identifier: BSD-2-Clause
/*
 * FrameAllocator: free frames as memory objects and untyped memory, never as
 * addresses.  Who calls pays: its process's ledger.
 *
 * What is made has the right to execute only if this capability has it (AS3).
 */
#include "kernel/capability.h"
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/kobject.h"
#include "kernel/memory.h"

static uint32_t execute_right(const struct invocation *call)
{
    return call->cap.rights & CAD_RIGHT_EXECUTE;
}

status_t method_frame_allocator_info(struct invocation *call)
{
    result(call, 0, cadastre.frames.total_frames);
    result(call, 1, memory_free_pages());
    return CAD_OK;
}

status_t method_frame_allocator_allocate(struct invocation *call)
{
    uint64_t pages = argument(call, 0);
    uint32_t object;

    if (pages > OBJECT_PAGES_MAX)
        return CAD_INVALID;
    spin_lock(&objects_lock);
    status_t status = object_create(this_core(), call->process->ledger, (uint32_t)pages, &object);
    spin_unlock(&objects_lock);
    if (status != CAD_OK)
        return status;
    return cap_publish_result(call, CAD_INTERFACE_MEMORY_OBJECT, object,
                              MEMORY_OBJECT_RIGHTS | execute_right(call));
}

status_t method_frame_allocator_allocate_contiguous(struct invocation *call)
{
    uint64_t pages = argument(call, 0), alignment_pages = argument(call, 1);
    uint32_t object;

    if (pages > OBJECT_PAGES_MAX || alignment_pages > OBJECT_PAGES_MAX)
        return CAD_INVALID;
    spin_lock(&objects_lock);
    status_t status = object_create_contiguous(this_core(), call->process->ledger, (uint32_t)pages,
                                               (uint32_t)alignment_pages, &object);
    spin_unlock(&objects_lock);
    if (status != CAD_OK)
        return status;
    return cap_publish_result(call, CAD_INTERFACE_MEMORY_OBJECT, object,
                              MEMORY_OBJECT_RIGHTS | execute_right(call));
}

status_t method_frame_allocator_allocate_untyped(struct invocation *call)
{
    uint64_t pages = argument(call, 0);
    uint32_t untyped;

    if (pages > UINT32_MAX)
        return CAD_INVALID;
    spin_lock(&objects_lock);
    status_t status = untyped_create(this_core(), call->process->ledger, (uint32_t)pages,
                                     &untyped);
    spin_unlock(&objects_lock);
    if (status != CAD_OK)
        return status;
    return cap_publish_result(call, CAD_INTERFACE_UNTYPED, untyped,
                              UNTYPED_RIGHTS | execute_right(call));
}
