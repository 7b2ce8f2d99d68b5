// SPDX-License-Identifier: BSD-2-Clause
/*
 * Searches the buddy allocator: every order in which blocks of orders 0..3 can be
 * taken and put back, up to a depth, on a table of 19 frames in two ranges.
 *
 * After each step the free lists are compared with a naive model, which knows of
 * each frame only whether it is held: in a buddy allocator that alone decides the
 * blocks.  A block is free exactly if it is aligned, whole, in one range, and its
 * double is not.  So nothing is lost, no two blocks overlap, and merging is complete.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "core/frame.h"

#include <cmocka.h>

#define FRAMES 22
#define ORDERS 4 /* 0..3 are asked for; no larger block exists */
#define DEPTH  6

struct block {
    frame_no_t first;
    uint32_t count;
};

/* Everything that a step changes, so that it can be taken back by assignment. */
struct scene {
    struct frame_table table;
    struct frame frames[FRAMES];
    bool is_held[FRAMES];
    struct block held[DEPTH];
    unsigned held_count;
};

static const struct frame_range ranges[] = { { 1, 14 }, { 16, FRAMES } };
/* Entries outside the ranges that look like the buddies of blocks inside. */
static const struct lure {
    frame_no_t frame;
    uint8_t kind;
} lures[] = { { 0, 0 }, { 14, 1 } };
static uint64_t steps;

static bool is_free_block(const struct scene *scene, frame_no_t first, unsigned order)
{
    uint32_t size = UINT32_C(1) << order;

    if (first % size != 0)
        return false;
    for (frame_no_t i = first; i < first + size; i++) {
        if (i >= FRAMES || scene->is_held[i])
            return false;
    }
    return true;
}

/* Frames outside the ranges are held for ever; so no block reaches from one range to another. */
static void compare(const struct scene *scene)
{
    uint64_t free_frames = 0;

    frame_check_invariants(&scene->table);
    for (frame_no_t i = 0; i < FRAMES; i++) {
        unsigned whole = 0;
        if (scene->is_held[i])
            continue;
        free_frames++;
        while (is_free_block(scene, i & ~((UINT32_C(2) << whole) - 1), whole + 1))
            whole++;
        bool is_first = i % (UINT32_C(1) << whole) == 0;
        assert_int_equal(scene->frames[i].kind, is_first ? whole : FRAME_FREE_INSIDE);
    }
    assert_int_equal(scene->table.free_frames, free_frames);
}

/* Largest block that is free: what a request finds or not. */
static bool has_block(const struct scene *scene, unsigned order)
{
    for (frame_no_t i = 0; i < FRAMES; i++) {
        if (is_free_block(scene, i, order))
            return true;
    }
    return false;
}

static bool take(struct scene *scene, unsigned order)
{
    bool is_there = has_block(scene, order);
    frame_no_t first = frame_block_take(&scene->table, order);

    assert_int_equal(first != FRAME_NONE, is_there);
    if (!is_there)
        return false;
    assert_true(is_free_block(scene, first, order));
    struct block *block = &scene->held[scene->held_count++];

    block->first = first;
    block->count = UINT32_C(1) << order;
    for (uint32_t i = 0; i < block->count; i++) {
        scene->is_held[first + i] = true;
        assert_int_equal(scene->frames[first + i].kind, FRAME_FREE_MAGAZINE);
    }
    return true;
}

/* The last `count` frames of a held block; the block goes when they are all it has. */
static void put(struct scene *scene, unsigned held, uint32_t count)
{
    struct block *block = &scene->held[held];

    block->count -= count;
    frame_run_put(&scene->table, block->first + block->count, count);
    for (uint32_t i = 0; i < count; i++)
        scene->is_held[block->first + block->count + i] = false;
    if (block->count == 0)
        *block = scene->held[--scene->held_count];
}

static void search(struct scene *scene, unsigned depth)
{
    struct scene before = *scene;

    steps++;
    compare(scene);
    if (depth == 0)
        return;
    for (unsigned order = 0; order < ORDERS; order++) {
        if (take(scene, order))
            search(scene, depth - 1);
        *scene = before;
    }
    for (unsigned held = 0; held < before.held_count; held++) {
        for (uint32_t count = 1; count <= before.held[held].count; count++) {
            put(scene, held, count);
            search(scene, depth - 1);
            *scene = before;
        }
    }
}

static void every_short_sequence_leaves_the_blocks_that_the_model_says(void **state)
{
    (void)state;
    static struct scene scene;

    frame_table_init(&scene.table, scene.frames);
    memset(scene.is_held, true, sizeof(scene.is_held));
    for (unsigned i = 0; i < ARRAY_COUNT(lures); i++)
        scene.frames[lures[i].frame] = (struct frame){ .state = FRAME_FREE, .kind = lures[i].kind };
    for (unsigned range = 0; range < ARRAY_COUNT(ranges); range++) {
        frame_no_t first = ranges[range].first, end = ranges[range].end;
        assert_int_equal(frame_table_add_range(&scene.table, first, end), CAD_OK);
        assert_int_equal(frame_table_add_free(&scene.table, first, end), CAD_OK);
        memset(&scene.is_held[first], false, end - first);
    }
    search(&scene, DEPTH);
    print_message("%llu states\n", (unsigned long long)steps);
    assert_true(steps > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_sequence_leaves_the_blocks_that_the_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
