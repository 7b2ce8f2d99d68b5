// SPDX-License-Identifier: BSD-2-Clause
/* AddressSpace: identity, and what is where.  Never leaves its process. */
#include "kernel/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/memory.h"

static bool is_own_space(const struct invocation *call)
{
    return call->cap.object.index == call->process->space &&
           call->cap.object.generation == call->process->space_generation;
}

status_t method_address_space_info(struct invocation *call)
{
    if (!is_own_space(call))
        return CAD_STALE;
    result(call, 0, call->process->space);
    result(call, 1, call->process->space_generation);
    result(call, 2, cadastre.spaces.spaces[call->process->space].root);
    return CAD_OK;
}

status_t method_address_space_query(struct invocation *call)
{
    struct process *process = call->process;
    virt_addr_t address = argument(call, 0);
    struct space_run run;

    if (!is_own_space(call))
        return CAD_STALE;
    if (address < CAD_USER_BASE || address >= CAD_USER_END)
        return CAD_INVALID;
    space_query(this_core(), process->space, address, &run);
    result(call, 0, run.state);
    result(call, 1, run.protection);
    result(call, 2, run.start);
    result(call, 3, run.pages);
    return CAD_OK;
}
