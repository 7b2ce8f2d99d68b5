// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a capability slot holds on its object, for every interface: one table
 * of (take, put).  A slot counts one reference; objects without a life of their
 * own (clock, console...) have empty rows.
 *
 * Dropping the last reference never destroys on the spot: the object goes to
 * the reaper (kernel/reaper.h), which works in bounded steps.
 */
#ifndef KERNEL_KOBJECT_H
#define KERNEL_KOBJECT_H

#include "core/cap.h"

/* One more slot of `ledger`'s, with `rights`, holds it: endpoints count those that may
 * RECEIVE, memory objects also claim.
 * Fails: STALE if it is dead; QUOTA_* of a claim. */
MUST_CHECK status_t kobject_take(struct cap_object object, uint32_t rights, uint32_t ledger);
void kobject_put(struct cap_object object, uint32_t rights, uint32_t ledger);
/* The generation now of (interface, index). */
uint64_t kobject_generation(uint32_t interface, uint32_t index);

/* Rights of the first capability of a new object; EXECUTE comes only from the
 * capability that made it (AS3). */
#define MEMORY_OBJECT_RIGHTS                                                                       \
    (CAD_RIGHT_READ | CAD_RIGHT_WRITE | CAD_RIGHT_MAP | CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER)
#define UNTYPED_RIGHTS (CAD_RIGHT_READ | CAD_RIGHT_SPEND | CAD_RIGHT_DERIVE | CAD_RIGHT_TRANSFER)

#endif
