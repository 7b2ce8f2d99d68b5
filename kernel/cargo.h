// SPDX-License-Identifier: BSD-2-Clause
/*
 * The capabilities of a message: words m4..m8 of abi/invoke.h.  They stay in
 * their sender's table until cargo_transfer() copies or moves all or none.
 */
#ifndef KERNEL_CARGO_H
#define KERNEL_CARGO_H

#include "abi/invoke.h"
#include "abi/status.h"
#include "arch/context.h"

struct process;

#define CARGO_WORD 4 /* the transfer descriptor; capabilities follow */

struct cargo {
    unsigned count;
    uint64_t moves;
    cap_id_t caps[CAD_TRANSFER_MAX]; /* the sender's; the receiver's after the transfer */
};

/* Reads and checks a message's capabilities, with no effect.
 * Fails: INVALID, STALE, NOT_TRANSFERABLE. */
MUST_CHECK status_t cargo_decode(struct cargo *cargo, const struct process *from,
                                 const struct arch_context *context);
/* All or nothing. Needs: count > 0; both processes have their tables; no lock held.
 * Fails: as cap_transfer_all(); nothing changed. */
MUST_CHECK status_t cargo_transfer(struct cargo *cargo, struct process *from, struct process *to);

/* Writes descriptor and capabilities into the receiver's words. */
static inline void cargo_deliver(const struct cargo *cargo, struct arch_context *to)
{
    context_set_word(to, CARGO_WORD, cargo->count);
    for (unsigned i = 0; i < CAD_TRANSFER_MAX; i++)
        context_set_word(to, CARGO_WORD + 1 + i, i < cargo->count ? cargo->caps[i] : CAD_CAP_NONE);
}

#endif
