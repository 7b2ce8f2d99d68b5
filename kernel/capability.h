// SPDX-License-Identifier: BSD-2-Clause
/*
 * Capabilities of processes: core/cap under the derivation lock, with what each
 * slot holds on its object (kernel/kobject.h) taken before and put after.
 *
 * A capability is in a table at every moment, transfers included, so a revoke
 * always finds it (CP2).
 */
#ifndef KERNEL_CAPABILITY_H
#define KERNEL_CAPABILITY_H

#include "abi/status.h"
#include "core/cap.h"

struct invocation;
struct process;

struct cap_transfer {
    cap_id_t id;     /* in `from`; a move wants all rights and no badge of its own */
    bool move;
    uint32_t rights; /* of a copy: those to keep */
    uint64_t badge;  /* of a copy: 0 keeps the source's */
    cap_id_t result; /* in `to` */
};
#define CAP_TRANSFERS_MAX 32

/* All of `list` or nothing: copies are children of their sources, moves keep
 * their place in the tree.  Needs: no lock of rank DERIVATION or above held.
 * Fails: STALE, INVALID (moved and named twice; a narrowed move), NOT_TRANSFERABLE,
 * NO_RIGHT, QUOTA_*, PRESSURE; state unchanged. */
MUST_CHECK status_t cap_transfer_all(struct process *from, struct process *to,
                                     struct cap_transfer *list, unsigned count);
/* One of them, with its rights and badge as they are. */
MUST_CHECK status_t cap_transfer(struct process *from, cap_id_t id, bool move, struct process *to,
                                 cap_id_t *out);

/* A new object, whose reference the caller has, as a method's result in word 0: a root
 * capability for the caller.  If that fails the object is dropped (CP4). */
MUST_CHECK status_t cap_publish_result(struct invocation *call, uint32_t interface, uint32_t index,
                                       uint32_t rights);

/* The same below the untyped's capability that the method was invoked on (UT2).
 * Fails: STALE too, if that is gone meanwhile; the caller then undoes the retype. */
MUST_CHECK status_t cap_publish_below(struct invocation *call, uint32_t interface, uint32_t index,
                                      uint32_t rights);

/* Deletes one capability of the process. Fails: STALE. */
MUST_CHECK status_t cap_delete_one(struct process *process, cap_id_t id);
/* Deletes at most `budget` capabilities of an ending process's table.
 * Gives: true when it has none left. */
bool cap_empty_step(struct process *process, unsigned budget);

#endif
