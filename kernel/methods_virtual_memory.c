// SPDX-License-Identifier: BSD-2-Clause
/*
 * VirtualMemory: the anonymous memory of the caller's own space.  The capability
 * never leaves its process, so the space is always the caller's (VM4).
 *
 * core/space checks ranges, states and quota, and locks what it works on; here are the flags,
 * the right to execute, and what follows: TLB round, wake-ups of parked threads.
 */
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/memory.h"
#include "kernel/parking.h"
#include "kernel/tlb.h"

/* Fails: STALE unless the capability names the caller's space. */
static status_t space_check(const struct invocation *call)
{
    const struct process *process = call->process;

    if (call->cap.object.index != process->space ||
        call->cap.object.generation != process->space_generation)
        return CAD_STALE;
    return CAD_OK;
}

/* Executable memory needs the right to it (AS3). */
static status_t prot_check(const struct invocation *call, uint64_t protection)
{
    if (protection > (CAD_PROT_READ | CAD_PROT_WRITE | CAD_PROT_EXECUTE))
        return CAD_INVALID;
    status_t status = protection_check((uint32_t)protection);
    if (status != CAD_OK)
        return status;
    if ((protection & CAD_PROT_EXECUTE) != 0 && (call->cap.rights & CAD_RIGHT_EXECUTE) == 0)
        return CAD_NO_RIGHT;
    return CAD_OK;
}

status_t method_virtual_memory_info(struct invocation *call)
{
    struct process *process = call->process;

    status_t status = space_check(call);
    if (status != CAD_OK)
        return status;
    const struct space *space = &cadastre.spaces.spaces[process->space];
    result(call, 0, atomic_load_relaxed(&space->virtual_pages));
    result(call, 1, atomic_load_relaxed(&space->committed_pages));
    result(call, 2, space_resident_pages(&cadastre, process->space));
    result(call, 3, atomic_load_relaxed(&space->table_pages));
    return CAD_OK;
}

status_t method_virtual_memory_reserve(struct invocation *call)
{
    struct process *process = call->process;
    virt_addr_t address = argument(call, 0);
    uint64_t pages = argument(call, 1), protection = argument(call, 2);

    status_t status = space_check(call);
    if (status != CAD_OK)
        return status;
    if (argument(call, 3) != 0)
        return CAD_INVALID;
    status = prot_check(call, protection);
    if (status != CAD_OK)
        return status;
    status = space_reserve(this_core(), process->space, &address, pages, (uint32_t)protection);
    if (status != CAD_OK)
        return status;
    tlb_settle(process);
    result(call, 0, address);
    return CAD_OK;
}

status_t method_virtual_memory_commit(struct invocation *call)
{
    struct process *process = call->process;
    uint64_t flags = argument(call, 3);

    status_t status = space_check(call);
    if (status != CAD_OK)
        return status;
    if ((flags & ~(uint64_t)(CAD_COMMIT_EAGER | CAD_COMMIT_SMALL | CAD_COMMIT_NEW)) != 0)
        return CAD_INVALID;
    status = prot_check(call, argument(call, 2));
    if (status != CAD_OK)
        return status;
    status = space_commit(this_core(), process->space, argument(call, 0), argument(call, 1),
                          (uint32_t)argument(call, 2), (uint32_t)flags);
    if (status == CAD_OK)
        tlb_settle(process);
    return status;
}

status_t method_virtual_memory_decommit(struct invocation *call)
{
    struct process *process = call->process;
    struct space_work work;

    status_t status = space_check(call);
    if (status != CAD_OK)
        return status;
    tlb_work(process, &work);
    status = space_decommit(this_core(), process->space, argument(call, 0), argument(call, 1),
                            &work);
    if (status != CAD_OK)
        return status;
    tlb_finish(process, &work);
    parking_wake_range(process, argument(call, 0), argument(call, 1));
    return CAD_OK;
}

status_t method_virtual_memory_protect(struct invocation *call)
{
    struct process *process = call->process;
    struct space_work work;

    status_t status = space_check(call);
    if (status != CAD_OK)
        return status;
    status = prot_check(call, argument(call, 2));
    if (status != CAD_OK)
        return status;
    tlb_work(process, &work);
    status = space_protect(this_core(), process->space, argument(call, 0), argument(call, 1),
                           (uint32_t)argument(call, 2), &work);
    if (status == CAD_OK)
        tlb_finish(process, &work);
    return status;
}

status_t method_virtual_memory_unmap(struct invocation *call)
{
    struct process *process = call->process;
    struct space_work work;

    status_t status = space_check(call);
    if (status != CAD_OK)
        return status;
    tlb_work(process, &work);
    status = space_unmap(this_core(), process->space, argument(call, 0), argument(call, 1), &work);
    if (status != CAD_OK)
        return status;
    tlb_finish(process, &work);
    parking_wake_range(process, argument(call, 0), argument(call, 1));
    return CAD_OK;
}
