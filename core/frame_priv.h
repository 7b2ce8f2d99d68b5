// SPDX-License-Identifier: BSD-2-Clause
/*
 * The one writer of a frame's state, for core/frame.c and core/untyped.c (whose
 * edges move whole runs at once) and their tests.
 */
#ifndef CORE_FRAME_PRIV_H
#define CORE_FRAME_PRIV_H

#include "base/assert.h"
#include "base/atomic.h"
#include "core/frame.h"

/* from * 8 + to says both, as each is below 8. */
#define FRAME_EDGE_PREDICATE(FROM, TO, by) || edge == FRAME_##FROM * 8 + FRAME_##TO
/*@ predicate frame_edge_number(integer edge) =
      \false FRAME_EDGE_LIST(FRAME_EDGE_PREDICATE);
    predicate frame_edge(integer from, integer to) = frame_edge_number(from * 8 + to);
*/
#undef FRAME_EDGE_PREDICATE
COMPILE_ASSERT(FRAME_STATE_COUNT <= 8, frame_edges_fit_a_word);

/* Whether the list has the edge; compilers make one test of a bit of it. */
/*@ requires from < FRAME_STATE_COUNT && to < FRAME_STATE_COUNT;
    terminates \true;
    exits   \false;
    assigns \nothing;
    ensures \result == \true <==> frame_edge(from, to);
*/
static inline bool frame_edge_listed(unsigned from, unsigned to)
{
#define FRAME_EDGE_CASE(FROM, TO, by) case FRAME_##FROM * 8 + FRAME_##TO:
    switch (from * 8 + to) {
        FRAME_EDGE_LIST(FRAME_EDGE_CASE)
        return true;
    default:
        return false;
    }
#undef FRAME_EDGE_CASE
}

/* State, kind and pins of a table are one word, which whoever wants its lock tries to exchange
 * (core/space_cursor.c), so those of KERNEL frames are read by atomic accesses.  For all others
 * plain ones do, and may be made one. */
#define FRAME_LOAD(from, field)                                                                    \
    ((from) == FRAME_KERNEL ? atomic_load_relaxed(&(field)) : (field))

/* State and kind change at once: who puts a frame's buddy back looks at both together, under the
 * frames lock but while the frame's owner changes them, and must see a free block only where one
 * is.  Little-endian, as both machines are. */
#ifdef __FRAMAC__
#define FRAME_STORE_HEAD(frame, state_, kind_) ((frame)->state = (state_), (frame)->kind = (kind_))
#define FRAME_IS_FREE(frame, kind_) ((frame)->state == FRAME_FREE && (frame)->kind == (kind_))
#else
typedef uint16_t __attribute__((may_alias)) frame_state_kind_t;
COMPILE_ASSERT(offsetof(struct frame, state) == 0 && offsetof(struct frame, kind) == 1,
               state_and_kind_are_one_word);
#define FRAME_STORE_HEAD(frame, state_, kind_)                                                     \
    atomic_store_relaxed((frame_state_kind_t *)(void *)(frame),                                    \
                         (frame_state_kind_t)((state_) | (unsigned)(kind_) << 8))
#define FRAME_IS_FREE(frame, kind_)                                                                \
    (atomic_load_relaxed((const frame_state_kind_t *)(const void *)(frame)) ==                     \
     (FRAME_FREE | (kind_) << 8))
#endif

struct frame_change {
    uint8_t from, to;    /* enum frame_state */
    uint8_t from_kind;   /* FREE: what kind must be; others: unused */
    uint8_t to_kind;
    uint32_t from_owner; /* unless from RESERVED or FREE */
    uint32_t to_owner;
    uint32_t to_detail;  /* of the first; the next ones count up if `numbered` */
    bool numbered;
};

/*@ // frame i at B is as it was at A
    predicate frame_same{A,B}(struct frame *frames, integer i) =
      \at(frames[i].state,A) == \at(frames[i].state,B) &&
      \at(frames[i].kind,A) == \at(frames[i].kind,B) &&
      \at(frames[i].pins,A) == \at(frames[i].pins,B) &&
      \at(frames[i].maps,A) == \at(frames[i].maps,B) &&
      \at(frames[i].owner,A) == \at(frames[i].owner,B) &&
      \at(frames[i].detail,A) == \at(frames[i].detail,B);
    // FR3: nothing shows the frame, nothing pins it, and who gives it up owns it
    predicate frame_leaves{L}(struct frame *frames, integer i, struct frame_change *change) =
      frames[i].state == change->from && frames[i].maps == 0 && frames[i].pins == 0 &&
      (change->from != FRAME_RESERVED && change->from != FRAME_FREE ==>
        frames[i].owner == change->from_owner) &&
      (change->from == FRAME_FREE ==> frames[i].kind == change->from_kind);
    predicate frame_is{L}(struct frame *frames, integer i, integer state, integer kind,
                          integer owner, integer detail) =
      frames[i].state == state && frames[i].kind == kind && frames[i].owner == owner &&
      frames[i].detail == detail && frames[i].maps == 0 && frames[i].pins == 0;
    predicate frame_arrives{L}(struct frame *frames, integer first, integer i,
                               struct frame_change *change) =
      frame_is(frames, i, change->to, change->to_kind, change->to_owner,
               change->to_detail + (change->numbered == \true ? i - first : 0));
*/

/* Frames [first, first + count) take one edge (FR4), together or not at all.
 * CHECKs the edge, each frame's state and owner, maps == 0 and pins == 0 (FR3). */
/*@ requires \valid_read(table) && \valid_read(change) && first + count <= 0x100000000;
    requires \valid(table->frames + (first .. first + count - 1));
    requires \separated(table, change, table->frames + (first .. first + count - 1));
    requires states: change->from < FRAME_STATE_COUNT && change->to < FRAME_STATE_COUNT;
    requires numbers: change->numbered == \true ==> change->to_detail + count <= UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns table->frames[first .. first + count - 1];
    ensures edge: frame_edge(change->from, change->to);
    ensures left: \forall integer i; first <= i < first + count ==>
      frame_leaves{Pre}(table->frames, i, change);
    ensures arrived: \forall integer i; first <= i < first + count ==>
      frame_arrives(table->frames, first, i, change);
*/
ALWAYS_INLINE static inline void frame_set_state(struct frame_table *table, frame_no_t first,
                                                 uint32_t count, const struct frame_change *change)
{
    CHECK_VALUE(frame_edge_listed(change->from, change->to), first);
    bool is_owned = change->from != FRAME_RESERVED && change->from != FRAME_FREE;
    struct frame *frames = table->frames;

    /*@ loop invariant 0 <= i <= count;
        loop invariant \forall integer k; first <= k < first + i ==>
          frame_leaves(table->frames, k, change);
        loop invariant \forall integer k; first <= k < first + i ==>
          table->frames[k].maps == 0 && table->frames[k].pins == 0;
        loop assigns i;
        loop variant count - i;
    */
    for (uint64_t i = 0; i < count; i++) {
        const struct frame *frame = &frames[first + i];
        CHECK_VALUE(FRAME_LOAD(change->from, frame->state) == change->from, first + i);
        CHECK_VALUE(frame->maps == 0 && FRAME_LOAD(change->from, frame->pins) == 0, first + i);
        CHECK_VALUE(!is_owned || frame->owner == change->from_owner, first + i);
        CHECK_VALUE(change->from != FRAME_FREE || frame->kind == change->from_kind, first + i);
    }
    /*@ loop invariant 0 <= i <= count;
        loop invariant \forall integer k; first <= k < first + i ==>
          table->frames[k].state == change->to;
        loop invariant \forall integer k; first <= k < first + i ==>
          table->frames[k].kind == change->to_kind;
        loop invariant \forall integer k; first <= k < first + i ==>
          table->frames[k].owner == change->to_owner;
        loop invariant \forall integer k; first <= k < first + i ==>
          table->frames[k].detail ==
            change->to_detail + (change->numbered == \true ? k - first : 0);
        loop invariant \forall integer k; first <= k < first + count ==>
          table->frames[k].maps == 0 && table->frames[k].pins == 0;
        loop assigns i, table->frames[first .. first + count - 1];
        loop variant count - i;
    */
    for (uint64_t i = 0; i < count; i++) {
        struct frame *frame = &frames[first + i];
        FRAME_STORE_HEAD(frame, change->to, change->to_kind);
        frame->owner = change->to_owner;
        frame->detail = change->to_detail + (change->numbered ? (uint32_t)i : 0);
    }
}

#endif
