// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel's only way to user memory: through the direct map, page by page,
 * with the page held from check to use (AS5).  Absent committed pages
 * are filled, as a touch by the user would.
 */
#ifndef KERNEL_USER_COPY_H
#define KERNEL_USER_COPY_H

#include "abi/status.h"
#include "base/types.h"

struct process;

/* Takes and drops the lock of each page's table.  All or nothing visible is NOT promised of
 * `copy_to_user` when a later page is bad; callers treat BAD_ADDRESS as the call's failure.
 * Needs: as reaper_make_room(): no other thread taken out of its list.
 * Fails: BAD_ADDRESS (not user memory with that access), DISCONNECTED (space is gone),
 * PRESSURE (a broken promise of memory). */
MUST_CHECK status_t copy_from_user(struct process *process, void *to, virt_addr_t from,
                                   uint64_t bytes);
MUST_CHECK status_t copy_to_user(struct process *process, virt_addr_t to, const void *from,
                                 uint64_t bytes);
/* The same into the buffer of a thread that was taken out of its list: waits for nobody. */
MUST_CHECK status_t copy_to_waiter(struct process *process, virt_addr_t to, const void *from,
                                   uint64_t bytes);
/* A 32-bit word that user threads synchronise on, by one store with release order: the copies
 * above may write a byte twice, and undo what a thread did with the word in between.
 * Needs: `to` aligned to 4. */
MUST_CHECK status_t store_to_user(struct process *process, virt_addr_t to, uint32_t value);
/* The whole range could be written now; for calls that must not fail after they took effect. */
MUST_CHECK status_t check_user_writable(struct process *process, virt_addr_t to, uint64_t bytes);

#endif
