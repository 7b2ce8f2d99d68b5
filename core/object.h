// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory objects: pages that several spaces may map.
 *
 * Identity is (id, generation).  Backing lives while anything refers to it:
 * `references` counts capabilities and mapping records; the last one gone puts
 * the object on the way to destruction (MO2), which is bounded per step (EX4).
 *
 * Pages: CONTIGUOUS and BOOT objects (and those of an untyped) are a run that
 * starts at `first`.  PAGES objects have an index (core/object_index.h) whose
 * root is `first`.  All pages are present from creation on, so `object_page`
 * never fails in range and reads what no one changes.
 *
 * Charges: each ledger that holds the object, by capability or by mapping, has
 * one claim that charged `pages` committed pages, however many reasons it has;
 * the last reason gone releases it (LG4).  Index nodes and the record are
 * charged to `ledger`, the creator's (LG5).  Objects of an untyped and BOOT
 * objects have claims of 0 pages: their memory was paid for already.
 *
 * Locks: objects, for everything but object_page.
 */
#ifndef CORE_OBJECT_H
#define CORE_OBJECT_H

#include "abi/object_kinds.h"
#include "abi/status.h"
#include "base/types.h"
#include "core/id_pool.h"

#define OBJECT_PAGES_MAX (1u << 28)       /* 1 TiB */

struct object {
    uint8_t kind;        /* enum cad_object_kind */
    uint8_t height;      /* index nodes between root and pages; 0: `first` is the frame */
    uint8_t dying;
    uint8_t reserved;
    uint32_t ledger;     /* charged for record and index; referenced */
    uint32_t untyped;    /* where the pages return to; ID_NONE: the allocator */
    uint32_t pages;
    frame_no_t first;
    uint32_t references; /* capabilities and mapping records */
    uint32_t mappings;   /* head of its mapping records */
    uint32_t mapping_count;
    uint32_t claims;     /* head of its claims */
    uint32_t claim_count;
    uint32_t destroyed;  /* pages given back so far, while dying */
    uint32_t host_next;  /* the host's queue of dying objects */
};

/* One ledger's payment for one object. */
struct claim {
    uint32_t object, ledger; /* ledger is referenced */
    uint32_t count;          /* reasons: capabilities and mappings */
    uint32_t next;           /* in the object's list */
};

struct object_table {
    struct object *objects;
    struct id_pool ids;
    struct claim *claims;
    struct id_pool claim_ids;
};

/* A new object with one reference and one claim by `ledger`, both the caller's.
 * Reserves everything (quota, record, claim, frames) before anything is visible.
 * Fails: INVALID, QUOTA_COMMITTED, QUOTA_METADATA, PRESSURE; state unchanged.
 * Locks: objects alone; the frames lock is inside host hooks. */
MUST_CHECK status_t object_create(struct core_cpu *cpu, uint32_t ledger, uint32_t pages,
                                  uint32_t *out);
/* A run whose first frame is a multiple of alignment_pages, a power of two; INVALID otherwise,
 * and for more than 2^FRAME_ORDER_MAX pages.  Fails: as object_create. */
MUST_CHECK status_t object_create_contiguous(struct core_cpu *cpu, uint32_t ledger, uint32_t pages,
                                             uint32_t alignment_pages, uint32_t *out);
/* The untyped's next pages; USED_UP when it has fewer left.  Fails: as object_create. */
MUST_CHECK status_t object_create_untyped(struct core_cpu *cpu, uint32_t ledger, uint32_t untyped,
                                          uint32_t pages, uint32_t *out);
/* Boot only: RESERVED frames [first, first + pages) as a BOOT object.
 * Fails: as object_create. */
MUST_CHECK status_t object_create_boot(struct core_cpu *cpu, uint32_t ledger, frame_no_t first,
                                       uint32_t pages, uint32_t *out);

/* The frame of a page. Needs: object live, page < pages. Locks: none (see above). */
frame_no_t object_page(const struct core_cpu *cpu, uint32_t object, uint32_t page);
/* The same of `page` and those after it, at most `limit` > 0 and as many as cost one lookup.
 * Needs: all of them inside the object.  Gives: how many, > 0. */
uint32_t object_page_run(const struct core_cpu *cpu, uint32_t object, uint32_t page,
                         uint32_t limit, frame_no_t *frames);

/* A reason for `ledger` to pay: its first charges.  Cost: O(claims of the object).
 * Fails: QUOTA_COMMITTED, QUOTA_METADATA, PRESSURE; state unchanged. */
MUST_CHECK status_t object_claim(struct core_cpu *cpu, uint32_t object, uint32_t ledger);
/* Needs: a claim by ledger, CHECKed. */
void object_unclaim(struct core_cpu *cpu, uint32_t object, uint32_t ledger);
/* Pages that each claim charges. */
/*@ requires \valid_read(object);
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures paid_already: object->untyped != ID_NONE || object->kind == CAD_OBJECT_BOOT ==>
      \result == 0;
    ensures all: object->untyped == ID_NONE && object->kind != CAD_OBJECT_BOOT ==>
      \result == object->pages;
*/
uint32_t object_claim_pages(const struct object *object);

/* Needs: object not dying, CHECKed. */
void object_take(struct core_cpu *cpu, uint32_t object);
/* Drops a reference. Gives: true when it was the last: the object is dying and the
 * caller queues it for object_destroy_step.  All claims are gone by then, CHECKed. */
bool object_put(struct core_cpu *cpu, uint32_t object);
/* Gives back at most `budget` pages of a dying object (CHECKs maps and pins zero); the
 * run of an untyped goes back in one step.
 * Needs: budget > 0. Gives: true when it is gone. */
bool object_destroy_step(struct core_cpu *cpu, uint32_t object, uint32_t budget);

/* Counts and lists of objects, claims and their mapping records agree; CHECKs.
 * Cost: O(objects + claims + mappings). */
void object_check_invariants(const struct core_cpu *cpu);

#endif
