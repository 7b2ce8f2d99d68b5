// SPDX-License-Identifier: BSD-2-Clause
/*
 * The one writer of a frame's state, for core/frame.c and core/untyped.c (whose
 * edges move whole runs at once) and their tests.
 */
#ifndef CORE_FRAME_PRIV_H
#define CORE_FRAME_PRIV_H

#include "base/assert.h"
#include "core/frame.h"

#define FRAME_EDGE_BIT(from, to) (UINT64_C(1) << (FRAME_##from * 8 + FRAME_##to))
#define FRAME_EDGE_OR(from, to, by) | FRAME_EDGE_BIT(from, to)
static const uint64_t frame_edges = 0 FRAME_EDGE_LIST(FRAME_EDGE_OR);
#undef FRAME_EDGE_OR
COMPILE_ASSERT(FRAME_STATE_COUNT <= 8, frame_edges_fit_a_word);

struct frame_change {
    uint8_t from, to;    /* enum frame_state */
    uint8_t from_kind;   /* FREE: what kind must be; others: unused */
    uint8_t to_kind;
    uint32_t from_owner; /* unless from RESERVED or FREE */
    uint32_t to_owner;
    uint32_t to_detail;  /* of the first; the next ones count up if `numbered` */
    bool numbered;
};

/* Frames [first, first + count) take one edge (FR4), together or not at all.
 * CHECKs the edge, each frame's state and owner, maps == 0 and pins == 0 (FR3). */
static inline void frame_set_state(struct frame_table *table, frame_no_t first, uint32_t count,
                                   const struct frame_change *change)
{
    CHECK_VALUE((frame_edges >> (change->from * 8 + change->to)) & 1, first);
    bool is_owned = change->from != FRAME_RESERVED && change->from != FRAME_FREE;

    for (uint32_t i = 0; i < count; i++) {
        const struct frame *frame = &table->frames[first + i];
        CHECK_VALUE(frame->state == change->from, first + i);
        CHECK_VALUE(frame->maps == 0 && frame->pins == 0, first + i);
        CHECK_VALUE(!is_owned || frame->owner == change->from_owner, first + i);
        CHECK_VALUE(change->from != FRAME_FREE || frame->kind == change->from_kind, first + i);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct frame *frame = &table->frames[first + i];
        frame->state = change->to;
        frame->kind = change->to_kind;
        frame->owner = change->to_owner;
        frame->detail = change->to_detail + (change->numbered ? i : 0);
    }
}

#endif
