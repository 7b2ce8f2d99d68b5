// SPDX-License-Identifier: BSD-2-Clause
/* The checks of each capability happen twice: here early, and for good in the transfer. */
#include "kernel/cargo.h"

#include "kernel/capability.h"
#include "kernel/dispatch.h"

status_t cargo_decode(struct cargo *cargo, const struct process *from,
                      const struct arch_context *context)
{
    uint64_t descriptor = context_word(context, CARGO_WORD);

    cargo->count = 0;
    if (descriptor == 0)
        return CAD_OK;
    cargo->moves = descriptor >> 8;
    unsigned count = CAD_TRANSFER_COUNT(descriptor);
    if (count > CAD_TRANSFER_MAX || (cargo->moves >> count) != 0)
        return CAD_INVALID;
    for (unsigned i = 0; i < count; i++) {
        struct cap_view view;
        cargo->caps[i] = context_word(context, CARGO_WORD + 1 + i);
        status_t status = cap_view_any(from, cargo->caps[i], &view);
        if (status != CAD_OK)
            return status;
        if ((view.rights & CAD_RIGHT_TRANSFER) == 0)
            return CAD_NOT_TRANSFERABLE;
    }
    cargo->count = count;
    return CAD_OK;
}

status_t cargo_transfer(struct cargo *cargo, struct process *from, struct process *to)
{
    struct cap_transfer list[CAD_TRANSFER_MAX];

    for (unsigned i = 0; i < cargo->count; i++)
        list[i] = (struct cap_transfer){
            .id = cargo->caps[i],
            .move = ((cargo->moves >> i) & 1) != 0,
            .rights = CAD_RIGHT_ALL,
        };
    status_t status = cap_transfer_all(from, to, list, cargo->count);
    for (unsigned i = 0; i < cargo->count && status == CAD_OK; i++)
        cargo->caps[i] = list[i].result;
    return status;
}
