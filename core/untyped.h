// SPDX-License-Identifier: BSD-2-Clause
/*
 * Untyped memory: a contiguous range of frames not yet put to use.
 *
 * Creating a top-level untyped moves its whole range FREE -> UNTYPED (UT1).
 * Retype takes the next pages of its own range, in order, as a child untyped
 * or a memory object; their frames come back here when the child dies, never
 * to the allocator (UT2).  `next` only falls back by reset, which needs that no
 * child lives (UT3), or when a retype is undone.  Destroying a top-level untyped
 * returns its range to FREE in one step.
 *
 * Charges: a top-level untyped charges its pages (committed) and its record to
 * the ledger that asked; children charge their record alone.
 * Locks: objects; ranges leave and enter FREE through host hooks, which take the frames lock.
 */
#ifndef CORE_UNTYPED_H
#define CORE_UNTYPED_H

#include "abi/status.h"
#include "base/types.h"
#include "core/id_pool.h"

struct untyped {
    uint32_t parent;     /* ID_NONE: top-level */
    uint32_t ledger;     /* charged; referenced */
    frame_no_t first;
    uint32_t pages, next; /* next: pages handed out so far, [0, pages] */
    uint32_t children;   /* live untypeds and objects of it */
    uint32_t references; /* capabilities and children */
};

struct untyped_table {
    struct untyped *untypeds;
    struct id_pool ids;
};

/* A top-level untyped with one reference, the caller's.
 * Fails: INVALID (0 pages, more than 2^FRAME_ORDER_MAX), QUOTA_COMMITTED, QUOTA_METADATA,
 * PRESSURE; state unchanged. */
MUST_CHECK status_t untyped_create(struct core_cpu *cpu, uint32_t ledger, uint32_t pages,
                                   uint32_t *out);
/* The next `pages` pages as a child, which holds a reference; one of its own is the caller's.
 * Fails: INVALID (0 pages), USED_UP (fewer are left), QUOTA_METADATA, PRESSURE; unchanged. */
MUST_CHECK status_t untyped_retype_untyped(struct core_cpu *cpu, uint32_t untyped, uint32_t ledger,
                                           uint32_t pages, uint32_t *out);
/* The next `pages` frames become OBJECT(object, 0..) in order, zeroed; gives the first.
 * The object counts as a child, and holds a reference, until untyped_return_object.
 * Fails: INVALID, USED_UP (fewer are left); state unchanged. */
MUST_CHECK status_t untyped_retype_object(struct core_cpu *cpu, uint32_t untyped, uint32_t object,
                                          uint32_t pages, frame_no_t *first);
/* Its frames, maps and pins zero, are UNTYPED(untyped) again. */
void untyped_return_object(struct core_cpu *cpu, uint32_t untyped, uint32_t object,
                           frame_no_t first, uint32_t pages);
/* Undoes a retype whose child is gone before anyone had it: its pages are the next ones again,
 * unless others were handed out meanwhile.  Needs: they came back. */
void untyped_retract(struct core_cpu *cpu, uint32_t untyped, frame_no_t first, uint32_t pages);
/* Fails: BUSY while a child lives. */
MUST_CHECK status_t untyped_reset(struct core_cpu *cpu, uint32_t untyped);
void untyped_take(struct core_cpu *cpu, uint32_t untyped);
/* Drops a reference; the last destroys it: a top-level's range becomes FREE, a
 * child's goes back to its parent (which drops a reference). Cost: O(pages). */
void untyped_put(struct core_cpu *cpu, uint32_t untyped);

/* next within pages, children and references of live parents, no child outside; CHECKs. */
void untyped_check_invariants(const struct core_cpu *cpu);

#endif
