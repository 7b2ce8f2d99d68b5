// SPDX-License-Identifier: BSD-2-Clause
/* Marks: a bit a frame; whoever reaches a frame that has one already is the second. */
#include "core/audit_priv.h"

static bool is_marked(const struct audit *audit, frame_no_t frame)
{
    return (audit->scratch->reached[frame / 64] >> (frame % 64) & 1) != 0;
}

bool audit_reach(struct audit *audit, frame_no_t frame, uint64_t from)
{
    bool exists = frame < audit->scratch->frame_limit &&
                  frame_exists(&audit->cadastre->frames, frame);

    if (!audit_true(audit, AUDIT_FRAME_EXISTS, frame, from, exists))
        return false;
    if (!audit_true(audit, AUDIT_FRAME_ONCE, frame, from, !is_marked(audit, frame)))
        return false;
    audit->scratch->reached[frame / 64] |= UINT64_C(1) << (frame % 64);
    return true;
}

/* --- free lists and magazines --- */

/* Gives: false if the list cannot be followed further. */
static bool audit_block(struct audit *audit, frame_no_t first, unsigned order, frame_no_t previous)
{
    const struct frame_table *table = &audit->cadastre->frames;
    uint32_t size = UINT32_C(1) << order;

    if (!audit_reach(audit, first, order))
        return false;
    const struct frame *head = &table->frames[first];
    bool is_head = head->state == FRAME_FREE && head->kind == order && (first & (size - 1)) == 0 &&
                   head->detail == previous;

    if (!audit_true(audit, AUDIT_FRAME_FREE_LIST, first, order, is_head))
        return false;
    for (uint32_t i = 1; i < size; i++) {
        if (!audit_reach(audit, first + i, order))
            return false;
        const struct frame *inside = &table->frames[first + i];
        (void)audit_true(audit, AUDIT_FRAME_FREE_LIST, first + i, first,
                         inside->state == FRAME_FREE && inside->kind == FRAME_FREE_INSIDE);
    }
    return true;
}

static bool is_zero(const uint64_t *words)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        any |= words[i];
    return any == 0;
}

static void audit_magazine(struct audit *audit, const struct magazine *magazine, uint32_t cpu)
{
    if (!audit_true(audit, AUDIT_FRAME_MAGAZINE, cpu, magazine->count,
                    magazine->zeroed <= magazine->count && magazine->count <= MAGAZINE_FRAMES))
        return;
    for (uint32_t i = 0; i < magazine->count; i++) {
        if (!audit_reach(audit, magazine->frames[i], cpu))
            continue;
        const struct frame *frame = &audit->cadastre->frames.frames[magazine->frames[i]];
        (void)audit_true(audit, AUDIT_FRAME_MAGAZINE, magazine->frames[i], cpu,
                         frame->state == FRAME_FREE && frame->kind == FRAME_FREE_MAGAZINE);
        if (i < magazine->zeroed)
            (void)audit_true(audit, AUDIT_FRAME_ZEROED, magazine->frames[i], cpu,
                             is_zero(table_words(audit->host->cpus[cpu], magazine->frames[i])));
    }
}

void audit_free_lists(struct audit *audit)
{
    const struct frame_table *table = &audit->cadastre->frames;
    uint64_t listed = 0;

    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
        frame_no_t previous = FRAME_NONE;
        for (frame_no_t i = table->free_head[order]; i != FRAME_NONE; i = table->frames[i].owner) {
            if (!audit_block(audit, i, order, previous))
                break;
            listed += UINT64_C(1) << order;
            previous = i;
        }
    }
    (void)audit_equal(audit, AUDIT_FRAME_FREE_COUNT, 0, 0, table->free_frames, listed);
    for (uint32_t i = 0; i < audit->host->cpu_count; i++)
        audit_magazine(audit, &audit->host->cpus[i]->magazine, i);
}

/* --- every frame --- */

/* Whether some structure of core/ must lead to such a frame. */
static bool has_reachable_owner(const struct frame *frame)
{
    switch ((enum frame_state)frame->state) {
    case FRAME_FREE:
    case FRAME_UNTYPED:
    case FRAME_ANON:
    case FRAME_OBJECT:
        return true;
    case FRAME_KERNEL:
        return frame->kind == FRAME_KIND_TABLE || frame->kind == FRAME_KIND_COMPANION ||
               frame->kind == FRAME_KIND_INDEX || frame->kind == FRAME_KIND_SYSTEM;
    case FRAME_RESERVED:
    case FRAME_QUARANTINE:
        return false;
    }
    return false;
}

/* Frames whose `maps` their owner's checks compare with entries. */
static bool counts_maps(const struct frame *frame)
{
    return frame->state == FRAME_OBJECT ||
           (frame->state == FRAME_KERNEL &&
            (frame->kind == FRAME_KIND_TABLE || frame->kind == FRAME_KIND_COMPANION ||
             frame->kind == FRAME_KIND_SYSTEM));
}

static void audit_frame(struct audit *audit, frame_no_t number, uint64_t *counts)
{
    const struct frame *frame = &audit->cadastre->frames.frames[number];

    if (!audit_true(audit, AUDIT_FRAME_STATE, number, frame->state,
                    frame->state < FRAME_STATE_COUNT &&
                        (frame->state != FRAME_KERNEL || frame->kind < FRAME_KIND_COUNT)))
        return;
    counts[frame->state]++;
    (void)audit_equal(audit, AUDIT_FRAME_PINS, number, frame->state, 0, frame->pins);
    if (!counts_maps(frame))
        (void)audit_equal(audit, AUDIT_FRAME_MAPS_NONE, number, frame->state, 0, frame->maps);
    (void)audit_equal(audit, has_reachable_owner(frame) ? AUDIT_FRAME_LOST : AUDIT_FRAME_ONCE,
                      number, frame->state, has_reachable_owner(frame), is_marked(audit, number));
}

void audit_frames(struct audit *audit)
{
    const struct frame_table *table = &audit->cadastre->frames;
    uint64_t counts[FRAME_STATE_COUNT] = { 0 }, sum = 0;

    for (uint32_t range = 0; range < table->range_count; range++) {
        for (frame_no_t i = table->ranges[range].first; i < table->ranges[range].end; i++)
            audit_frame(audit, i, counts);
    }
    for (unsigned state = 0; state < FRAME_STATE_COUNT; state++)
        sum += counts[state];
    (void)audit_equal(audit, AUDIT_FRAME_SUM, 0, 0, table->total_frames, sum);
    (void)audit_equal(audit, AUDIT_FRAME_QUARANTINE, 0, 0, audit->host->quarantined,
                      counts[FRAME_QUARANTINE]);
    if (frame_exists(table, 0))
        (void)audit_equal(audit, AUDIT_FRAME_RESERVED, 0, 0, FRAME_RESERVED,
                          table->frames[0].state);
}
