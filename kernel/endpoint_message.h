// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the two ways of a call share: the one that may wait and carry capabilities
 * (kernel/endpoint.c), and the direct one (kernel/endpoint_direct.c).
 */
#ifndef KERNEL_ENDPOINT_MESSAGE_H
#define KERNEL_ENDPOINT_MESSAGE_H

#include "kernel/cap_view.h"
#include "kernel/cargo.h"
#include "kernel/endpoint.h"
#include "kernel/process.h"

#define TOKEN_WORD     9
#define DEADLINE_WORD  9
#define TOKEN_ID_BITS  18

/* Not closed (until its next life), nor gone. Locks: the endpoint's. */
static inline bool endpoint_is_open(const struct endpoint *endpoint, const struct cap_view *cap)
{
    const struct id_slot *name = &endpoints.ids.slots[cap->object.index];

    return LIKELY(!endpoint->closed && name->generation == cap->object.generation);
}

/* The thread whose call the token may name, NULL: no thread's.  Only what claims the call
 * says that it waits for this very reply. */
static inline struct thread *token_caller(uint64_t token, const struct process *server)
{
    uint32_t id = (uint32_t)(token & ((1u << TOKEN_ID_BITS) - 1));

    if (UNLIKELY(id == ID_NONE || id >= atomic_load_acquire(&threads.ids.capacity)))
        return NULL;
    struct thread *caller = &threads.threads[id];
    if (LIKELY(atomic_load_acquire(&caller->call_generation) == token >> TOKEN_ID_BITS &&
               atomic_load_acquire(&caller->state) == THREAD_AWAITING_REPLY &&
               caller->server == server->id))
        return caller;
    return NULL;
}

static inline void deliver(struct thread *to, const struct thread *from, const struct cargo *cargo,
                           uint64_t badge)
{
    for (unsigned i = 0; i < CARGO_WORD; i++)
        context_set_word(&to->context, i, context_word(&from->context, i));
    cargo_deliver(cargo, &to->context);
    context_set_badge(&to->context, badge);
}

/* The call that `caller` is about to wait for, as the receiver sees it. */
static inline void deliver_call(struct thread *to, struct thread *caller,
                                const struct cargo *cargo, uint64_t badge)
{
    uint64_t generation = caller->call_generation + 1;

    deliver(to, caller, cargo, badge);
    context_set_word(&to->context, TOKEN_WORD, generation << TOKEN_ID_BITS | caller->id);
    caller->server = to->process->id;
    to->process->has_served = true;
}

/* From here on the reply, the deadline, a killer or the server's end owns the caller. */
static inline void publish_call(struct thread *caller)
{
    ASSERT((caller->call_generation & 1) == 0);
    atomic_store_release(&caller->call_generation, caller->call_generation + 1);
}

#endif
