// SPDX-License-Identifier: BSD-2-Clause
#include "core/test_world.h"

#include <stdlib.h>
#include <string.h>

#include "core/frame_priv.h"

static struct test_world *world;
static struct frame_table *table;

static int make(void **state)
{
    (void)state;
    world = world_create(2048);
    table = &world->cadastre.frames;
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_destroy(world);
    return 0;
}

static int abandon(void **state)
{
    (void)state;
    world_abandon(world);
    return 0;
}

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

/* --- states --- */

static void try_edge(enum frame_state from, enum frame_state to, bool is_listed)
{
    struct frame entries[2] = { { .state = (uint8_t)from }, { .state = (uint8_t)from } };
    struct frame_table small = { .frames = entries };
    struct frame_change change = { .from = (uint8_t)from, .to = (uint8_t)to };

    assert_int_equal(frame_edge_allowed(from, to), is_listed);
    if (is_listed)
        frame_set_state(&small, 1, 1, &change);
    else
        expect_assert_failure(frame_set_state(&small, 1, 1, &change));
    assert_int_equal(entries[1].state, is_listed ? to : from);
}

static void only_listed_edges_are_allowed(void **state)
{
    (void)state;
    bool listed[FRAME_STATE_COUNT][FRAME_STATE_COUNT] = { 0 };

#define MARK(from, to, by) listed[FRAME_##from][FRAME_##to] = true;
    FRAME_EDGE_LIST(MARK)
    for (unsigned from = 0; from < FRAME_STATE_COUNT; from++) {
        for (unsigned to = 0; to < FRAME_STATE_COUNT; to++)
            try_edge(from, to, listed[from][to]);
    }
    assert_false(frame_edge_allowed((enum frame_state)FRAME_STATE_COUNT, FRAME_FREE));
    assert_false(frame_edge_allowed(FRAME_FREE, (enum frame_state)FRAME_STATE_COUNT));
}

static void every_state_and_kind_has_a_name_and_an_owner_word(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FRAME_STATE_COUNT; i++) {
        struct frame frame = { .state = (uint8_t)i };
        assert_non_null(frame_owner_kind(&frame));
        assert_string_not_equal(frame_state_name(i), "?");
    }
    for (unsigned i = 0; i < FRAME_KIND_COUNT; i++) {
        struct frame frame = { .state = FRAME_KERNEL, .kind = (uint8_t)i };
        assert_non_null(frame_owner_kind(&frame));
        assert_string_not_equal(frame_kind_name(i), "?");
    }
    struct frame object = { .state = FRAME_OBJECT };
    assert_string_equal(frame_owner_kind(&object), "object");
}

static void taken_frame_is_zeroed_and_has_its_owner(void **state)
{
    (void)state;
    frame_no_t frame = frame_take_anon(world->cpu, 17, 3);

    assert_true(world_page_is_zero(world, frame));
    assert_int_equal(table->frames[frame].state, FRAME_ANON);
    assert_int_equal(table->frames[frame].owner, 17);
    assert_int_equal(table->frames[frame].detail, 3);
    frame_no_t kernel = frame_take_kernel(world->cpu, FRAME_KIND_INDEX, 5, 6);
    assert_int_equal(table->frames[kernel].state, FRAME_KERNEL);
    assert_int_equal(table->frames[kernel].kind, FRAME_KIND_INDEX);
    frame_release(world->cpu, frame, FRAME_ANON, 17);
    frame_release(world->cpu, kernel, FRAME_KERNEL, 5);
}

static void free_list_never_writes_into_a_frame(void **state)
{
    (void)state;
    frame_no_t frames[200];

    for (unsigned i = 0; i < 200; i++) {
        frames[i] = frame_take_object(world->cpu, 1, i);
        for (unsigned byte = 0; byte < PAGE_SIZE; byte++)
            world_page(world, frames[i])[byte] = 0x5a;
    }
    for (unsigned i = 0; i < 200; i++)
        frame_release(world->cpu, frames[i], FRAME_OBJECT, 1);
    magazine_empty(table, &world->cpu->magazine, 0);
    for (unsigned i = 0; i < 200; i++) {
        for (unsigned byte = 0; byte < PAGE_SIZE; byte++)
            assert_int_equal(world_page(world, frames[i])[byte], 0x5a);
    }
}

static void frame_0_and_reserved_frames_are_never_handed_out(void **state)
{
    (void)state;
    uint64_t count = 0;
    frame_no_t frame;

    while ((frame = frame_take_object(world->cpu, 1, 0)) != FRAME_NONE) {
        assert_true(frame_exists(table, frame));
        assert_true(frame < WORLD_HOLE_FIRST || frame >= WORLD_HOLE_END);
        count++;
    }
    assert_int_equal(count, world->free_frames);
    assert_int_equal(table->frames[0].state, FRAME_RESERVED);
    for (frame = 1; frame < world->frame_count; frame++) {
        if (frame_exists(table, frame))
            frame_release(world->cpu, frame, FRAME_OBJECT, 1);
    }
}

static void release_by_a_wrong_owner_or_state_is_caught(void **state)
{
    (void)state;
    frame_no_t frame = frame_take_anon(world->cpu, 17, 3);

    expect_assert_failure(frame_release(world->cpu, frame, FRAME_ANON, 18));
    expect_assert_failure(frame_release(world->cpu, frame, FRAME_OBJECT, 17));
    expect_assert_failure(frame_release(world->cpu, frame, FRAME_FREE, 17));
    assert_int_equal(table->frames[frame].state, FRAME_ANON);
    frame_release(world->cpu, frame, FRAME_ANON, 17);
    expect_assert_failure(frame_release(world->cpu, frame, FRAME_ANON, 17));
}

static void release_of_a_mapped_or_pinned_frame_is_caught(void **state)
{
    (void)state;
    frame_no_t frame = frame_take_object(world->cpu, 4, 0);
    struct frame_chain chain = { 0 };

    frame_map(table, frame, FRAME_OBJECT);
    expect_assert_failure(frame_release(world->cpu, frame, FRAME_OBJECT, 4));
    frame_unmap(table, frame, FRAME_OBJECT);
    table->frames[frame].pins = 1;
    expect_assert_failure(frame_release(world->cpu, frame, FRAME_OBJECT, 4));
    table->frames[frame].pins = 0;
    frame_release(world->cpu, frame, FRAME_OBJECT, 4);

    frame = frame_take_kernel(world->cpu, FRAME_KIND_TABLE, 4, 0);
    frame_map(table, frame, FRAME_KERNEL);
    expect_assert_failure(frame_quarantine(world->cpu, &chain, frame, FRAME_KERNEL, 4));
    frame_unmap(table, frame, FRAME_KERNEL);
    frame_release(world->cpu, frame, FRAME_KERNEL, 4);
}

static void counts_never_wrap(void **state)
{
    (void)state;
    frame_no_t object = frame_take_object(world->cpu, 4, 0);
    frame_no_t kernel = frame_take_kernel(world->cpu, FRAME_KIND_TABLE, 4, 0);

    expect_assert_failure(frame_unmap(table, kernel, FRAME_KERNEL));
    frame_map_many(table, kernel, FRAME_KERNEL, UINT32_MAX);
    expect_assert_failure(frame_map(table, kernel, FRAME_KERNEL));
    frame_unmap_many(table, kernel, FRAME_KERNEL, UINT32_MAX);

    frame_map_many(table, object, FRAME_OBJECT, UINT32_MAX);
    expect_assert_failure(frame_map(table, object, FRAME_OBJECT));
    table->frames[object].maps = 0;
    expect_assert_failure(frame_unmap(table, object, FRAME_OBJECT));
    table->frames[object].maps = 0;
    expect_assert_failure(frame_map(table, object, FRAME_KERNEL));
    expect_assert_failure(frame_map(table, 5, FRAME_ANON));
    frame_release(world->cpu, object, FRAME_OBJECT, 4);
    frame_release(world->cpu, kernel, FRAME_KERNEL, 4);
}

static void companion_belongs_to_tables_alone(void **state)
{
    (void)state;
    frame_no_t frame = frame_take_kernel(world->cpu, FRAME_KIND_TABLE, 4, 0);
    frame_no_t other = frame_take_kernel(world->cpu, FRAME_KIND_INDEX, 4, 0);

    frame_set_companion(table, frame, other);
    assert_int_equal(table->frames[frame].detail, other);
    expect_assert_failure(frame_set_companion(table, other, frame));
    frame_release(world->cpu, frame, FRAME_KERNEL, 4);
    frame_release(world->cpu, other, FRAME_KERNEL, 4);
}

/* --- quarantine --- */

static void quarantined_frames_are_not_free_until_released(void **state)
{
    (void)state;
    struct frame_chain chain = { 0 };
    uint64_t before = world_free_frames(world);

    for (unsigned i = 0; i < 150; i++) {
        frame_no_t frame = frame_take_anon(world->cpu, 9, i);
        frame_quarantine(world->cpu, &chain, frame, FRAME_ANON, 9);
    }
    assert_int_equal(chain.count, 150);
    assert_int_equal(world_free_frames(world), before - 150);
    assert_false(frame_quarantine_release(world->cpu, &chain, 100));
    assert_int_equal(chain.count, 50);
    assert_int_equal(world_free_frames(world), before - 50);
    assert_false(frame_quarantine_release(world->cpu, &chain, 0));
    assert_true(frame_quarantine_release(world->cpu, &chain, 50));
    assert_int_equal(chain.head, FRAME_NONE);
    assert_true(frame_quarantine_release(world->cpu, &chain, 1));
}

static void quarantined_runs_are_released_as_far_as_the_budget_goes(void **state)
{
    (void)state;
    struct frame_chain chain = { 0 };
    frame_no_t first = frame_block_take(table, 7), single = frame_take_anon(world->cpu, 9, 500);
    uint64_t before = world_free_frames(world);

    for (unsigned i = 0; i < 100; i++) {
        struct frame *frame = &table->frames[first + i];
        *frame = (struct frame){ .state = FRAME_ANON, .owner = 9, .detail = i };
    }
    frame_quarantine(world->cpu, &chain, single, FRAME_ANON, 9);
    frame_run_quarantine(world->cpu, &chain, first, 70, 9);
    frame_run_quarantine(world->cpu, &chain, first + 70, 30, 9);
    expect_assert_failure(
        frame_run_quarantine(world->cpu, &chain, first + 90, 20, 9));
    assert_int_equal(chain.count, 101);
    assert_false(frame_quarantine_release(world->cpu, &chain, 31));
    assert_int_equal(chain.count, 70);
    assert_int_equal(table->frames[first + 69].state, FRAME_FREE);
    assert_int_equal(table->frames[first + 68].state, FRAME_QUARANTINE);
    assert_false(frame_quarantine_release(world->cpu, &chain, 69));
    assert_int_equal(chain.head, single);
    assert_true(frame_quarantine_release(world->cpu, &chain, 5));
    assert_int_equal(world_free_frames(world), before + 1);
    frame_run_put(table, first + 100, 28);
    world_check_invariants(world);
}

static void neighbours_leave_a_full_magazine_as_blocks(void **state)
{
    (void)state;
    struct magazine magazine = { .count = 0 };
    frame_no_t rising = frame_block_take(table, 4), falling = frame_block_take(table, 4);

    for (unsigned i = 0; i < 16; i++)
        magazine.frames[magazine.count++] = rising + i;
    for (unsigned i = 16; i > 0; i--)
        magazine.frames[magazine.count++] = falling + i - 1;
    uint64_t before = table->free_frames;
    magazine_empty(table, &magazine, 5);
    assert_int_equal(magazine.count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(magazine.frames[i], falling + 4 - i);
    assert_int_equal(table->free_frames, before + 27);
    frame_check_invariants(table);
    magazine_empty(table, &magazine, 0);
    assert_int_equal(table->free_frames, before + 32);
    frame_check_invariants(table);
}

/* --- the allocator --- */

static void blocks_are_aligned_and_merge_back(void **state)
{
    (void)state;
    for (unsigned order = 0; order <= 10; order++) {
        frame_no_t first = frame_block_take(table, order);
        assert_int_not_equal(first, FRAME_NONE);
        assert_int_equal(first & ((1u << order) - 1), 0);
        frame_check_invariants(table);
        frame_run_put(table, first, 1u << order);
        frame_check_invariants(table);
    }
    assert_int_not_equal(table->free_head[10], FRAME_NONE);
    assert_int_equal(frame_block_take(table, 11), FRAME_NONE);
}

static void frames_put_one_by_one_become_large_blocks_again(void **state)
{
    (void)state;
    frame_no_t first = frame_block_take(table, 10);

    assert_int_equal(first, 1024);
    assert_int_equal(frame_block_take(table, 10), FRAME_NONE);
    for (frame_no_t i = 0; i < 1024; i++)
        frame_run_put(table, first + (i * 641) % 1024, 1); /* 641 is odd: each once */
    frame_check_invariants(table);
    assert_int_equal(frame_block_take(table, 10), first);
    frame_run_put(table, first, 1024);
}

static void a_run_of_any_length_can_be_put_back(void **state)
{
    (void)state;
    frame_no_t first = frame_block_take(table, 8);

    frame_run_put(table, first + 37, 256 - 37);
    frame_check_invariants(table);
    frame_run_put(table, first + 1, 36);
    frame_run_put(table, first, 1);
    frame_check_invariants(table);
}

static void blocks_never_merge_beyond_their_range(void **state)
{
    struct frame_table fresh;
    struct frame *frames = calloc(16, sizeof(struct frame));

    (void)state;
    frame_table_init(&fresh, frames);
    assert_int_equal(frame_table_add_range(&fresh, 2, 6), CAD_OK);
    /* What lies outside looks like free blocks, of the very orders that would merge. */
    frames[1] = (struct frame){ .state = FRAME_FREE, .kind = 0 };
    frames[0] = frames[6] = (struct frame){ .state = FRAME_FREE, .kind = 1 };
    assert_int_equal(frame_table_add_free(&fresh, 2, 6), CAD_OK);
    assert_int_equal(fresh.free_head[2], FRAME_NONE);
    assert_int_equal(frames[6].kind, 1);
    assert_int_equal(fresh.free_frames, 4);
    frame_check_invariants(&fresh);
    free(frames);
}

static void double_put_is_caught(void **state)
{
    (void)state;
    frame_no_t first = frame_block_take(table, 2);

    frame_run_put(table, first, 4);
    expect_assert_failure(frame_run_put(table, first, 4));
    expect_assert_failure(frame_run_put(table, first + 1, 1));
    expect_assert_failure(frame_run_put(table, WORLD_HOLE_FIRST, 1));
    expect_assert_failure(frame_run_put(table, WORLD_HOLE_FIRST - 1, 2));
    frame_check_invariants(table);
}

static void order_for_is_the_smallest_that_holds(void **state)
{
    (void)state;
    assert_int_equal(frame_order_for(1), 0);
    assert_int_equal(frame_order_for(2), 1);
    assert_int_equal(frame_order_for(3), 2);
    assert_int_equal(frame_order_for(512), 9);
    assert_int_equal(frame_order_for(513), 10);
    assert_int_equal(frame_order_for(1u << FRAME_ORDER_MAX), FRAME_ORDER_MAX);
    expect_assert_failure(frame_order_for(0));
    expect_assert_failure(frame_order_for((1u << FRAME_ORDER_MAX) + 1));
}

static void random_taking_and_putting_keeps_the_lists_true(void **state)
{
    frame_no_t first[64] = { 0 };
    unsigned order[64] = { 0 };

    (void)state;
    for (unsigned step = 0; step < 3000; step++) {
        unsigned i = random_below(64);
        if (first[i] != FRAME_NONE) {
            frame_run_put(table, first[i], 1u << order[i]);
            first[i] = FRAME_NONE;
        } else {
            order[i] = random_below(6);
            first[i] = frame_block_take(table, order[i]);
        }
        if (step % 50 == 0)
            frame_check_invariants(table);
    }
    for (unsigned i = 0; i < 64; i++) {
        if (first[i] != FRAME_NONE)
            frame_run_put(table, first[i], 1u << order[i]);
    }
}

static void a_run_becomes_an_object_zeroed_and_numbered(void **state)
{
    (void)state;
    frame_no_t first = frame_block_take(table, 3);

    frame_run_to_object(world->cpu, first, 8, 21);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(table->frames[first + i].state, FRAME_OBJECT);
        assert_int_equal(table->frames[first + i].owner, 21);
        assert_int_equal(table->frames[first + i].detail, i);
        assert_true(world_page_is_zero(world, first + i));
        frame_release(world->cpu, first + i, FRAME_OBJECT, 21);
    }
    /* A frame that lies in the free lists may not be given an owner. */
    expect_assert_failure(frame_run_to_object(world->cpu, 1500, 1, 21));
}

/* --- magazines --- */

static void magazines_fill_and_empty_without_losing_a_frame(void **state)
{
    struct magazine magazine = { 0 };

    (void)state;
    magazine_fill(table, &magazine, MAGAZINE_FRAMES);
    assert_in_range(magazine.count, MAGAZINE_FRAMES / 2, MAGAZINE_FRAMES);
    while (magazine.count < MAGAZINE_FRAMES)
        magazine_fill(table, &magazine, MAGAZINE_FRAMES - magazine.count);
    frame_check_invariants(table);
    for (unsigned i = 0; i < magazine.count; i++) {
        for (unsigned other = 0; other < i; other++)
            assert_int_not_equal(magazine.frames[i], magazine.frames[other]);
    }
    frame_no_t newest = magazine.frames[MAGAZINE_FRAMES - 1];
    magazine_empty(table, &magazine, 10);
    assert_int_equal(magazine.count, 10);
    assert_int_equal(magazine.frames[9], newest);
    frame_check_invariants(table);
    expect_assert_failure(magazine_fill(table, &magazine, MAGAZINE_FRAMES));
    magazine_empty(table, &magazine, 10);
    magazine_empty(table, &magazine, 0);
}

static void fills_take_neighbours_again_once_small_blocks_are_used_up(void **state)
{
    struct magazine magazine = { 0 };
    frame_no_t odd = frame_block_take(table, 0);

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        magazine_fill(table, &magazine, MAGAZINE_FRAMES / 2);
        for (unsigned at = 1; i > 10 && at < magazine.count; at++)
            assert_int_equal(magazine.frames[at], magazine.frames[at - 1] - 1);
        magazine.count = 0;
    }
    frame_run_put(table, odd, 1);
    frame_check_invariants(table);
}

static void a_full_magazine_drains_on_release(void **state)
{
    frame_no_t frames[3 * MAGAZINE_FRAMES];

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(frames); i++)
        frames[i] = frame_take_anon(world->cpu, 9, 0);
    for (unsigned i = 0; i < ARRAY_COUNT(frames); i++) {
        frame_release(world->cpu, frames[i], FRAME_ANON, 9);
        assert_true(world->cpu->magazine.count <= MAGAZINE_FRAMES);
    }
    world_check_invariants(world);
}

static void clear_is_not_expected(frame_no_t first, uint32_t count)
{
    fail_msg("frame %u of %u is zero already", first, count);
}

static void a_frame_cleared_ahead_is_taken_first_and_zero(void **state)
{
    struct magazine *magazine = &world->cpu->magazine;
    frame_no_t used[3], frame;

    (void)state;
    while (magazine_clear_ahead(world->cpu))
        ;
    assert_int_equal(magazine->zeroed, magazine->count);
    assert_in_range(magazine->count, MAGAZINE_FRAMES / 2, MAGAZINE_FRAMES);
    for (unsigned i = 0; i < 3; i++) {
        used[i] = frame_take_anon(world->cpu, 9, 0);
        memset(world_page(world, used[i]), 0x5a, PAGE_SIZE);
    }
    for (unsigned i = 0; i < 3; i++)
        frame_release(world->cpu, used[i], FRAME_ANON, 9);
    while (magazine->zeroed > 0) {
        frame = frame_take_anon(world->cpu, 9, 0);
        assert_true(world_page_is_zero(world, frame));
        for (unsigned i = 0; i < 3; i++)
            assert_int_not_equal(frame, used[i]);
        frame_release(world->cpu, frame, FRAME_ANON, 9);
    }
    frame = frame_take_anon(world->cpu, 9, 0); /* the last that was given up, not zeroed */
    assert_true(world_page_is_zero(world, frame));
    frame_release(world->cpu, frame, FRAME_ANON, 9);
    world_check_invariants(world);
}

static void a_page_table_is_not_cleared_again(void **state)
{
    struct magazine *magazine = &world->cpu->magazine;
    struct frame_chain chain = { .head = FRAME_NONE };
    frame_no_t first, second, used;

    (void)state;
    first = frame_take_kernel(world->cpu, FRAME_KIND_TABLE, 3, FRAME_NONE);
    second = frame_take_kernel(world->cpu, FRAME_KIND_COMPANION, 3, FRAME_NONE);
    used = frame_take_anon(world->cpu, 9, 0);
    memset(world_page(world, used), 0x5a, PAGE_SIZE);
    frame_quarantine_zero(world->cpu, &chain, first, 3);
    frame_run_quarantine(world->cpu, &chain, used, 1, 9);
    uint32_t zeroed = magazine->zeroed; /* a refill of this world clears some */
    assert_true(frame_quarantine_release(world->cpu, &chain, 2));
    assert_int_equal(magazine->zeroed, zeroed + 1);
    frame_release_zero(world->cpu, second, 3);
    assert_int_equal(magazine->zeroed, zeroed + 2);
    world_check_invariants(world);
    world->cadastre.host.pages_clear = clear_is_not_expected;
    assert_int_equal(frame_take_anon(world->cpu, 9, 0), second);
    assert_int_equal(frame_take_anon(world->cpu, 9, 1), first);
    frame_release(world->cpu, first, FRAME_ANON, 9);
    frame_release(world->cpu, second, FRAME_ANON, 9);
    assert_int_equal(magazine->zeroed, zeroed);
}

static void a_table_given_up_with_entries_is_caught(void **state)
{
    frame_no_t dirty = frame_take_kernel(world->cpu, FRAME_KIND_TABLE, 3, FRAME_NONE);

    (void)state;
    world_page(world, dirty)[8] = 1;
    expect_assert_failure(frame_release_zero(world->cpu, dirty, 3));
}

static void a_write_to_a_frame_cleared_ahead_is_caught(void **state)
{
    struct magazine *magazine = &world->cpu->magazine;

    (void)state;
    while (magazine_clear_ahead(world->cpu))
        ;
    uint8_t *page = world_page(world, magazine->frames[magazine->zeroed - 1]);
    page[PAGE_SIZE - 1] = 1;
    expect_assert_failure(frame_take_anon(world->cpu, 9, 0));
}

static void zeroed_frames_leave_a_magazine_last(void **state)
{
    struct magazine *magazine = &world->cpu->magazine;

    (void)state;
    while (magazine_clear_ahead(world->cpu))
        ;
    uint32_t zeroed = magazine->zeroed;
    magazine_fill(table, magazine, MAGAZINE_FRAMES - magazine->count);
    frame_no_t lowest = magazine->frames[0], newest = magazine->frames[magazine->count - 1];
    magazine_empty(table, magazine, zeroed + 1);
    assert_int_equal(magazine->count, zeroed + 1);
    assert_int_equal(magazine->zeroed, zeroed);
    assert_int_equal(magazine->frames[0], lowest);
    assert_int_equal(magazine->frames[zeroed], newest);
    magazine_empty(table, magazine, 5);
    assert_int_equal(magazine->count, 5);
    assert_int_equal(magazine->zeroed, 5);
    frame_check_invariants(table);
}

static void shortage_gives_none_and_changes_nothing(void **state)
{
    (void)state;
    world_fail_after(world, 0);
    uint64_t before = world_hash(world);

    assert_int_equal(frame_take_anon(world->cpu, 9, 0), FRAME_NONE);
    assert_int_equal(frame_take_kernel(world->cpu, FRAME_KIND_TABLE, 9, 0), FRAME_NONE);
    assert_int_equal(frame_take_object(world->cpu, 9, 0), FRAME_NONE);
    assert_int_equal(world_hash(world), before);
    world_fail_never(world);
}

/* --- boot --- */

static void ranges_that_are_wrong_are_refused(void **state)
{
    struct frame_table fresh;
    struct frame *frames = calloc(4096, sizeof(struct frame));

    (void)state;
    frame_table_init(&fresh, frames);
    assert_int_equal(frame_table_add_range(&fresh, 5, 5), CAD_INVALID);
    assert_int_equal(frame_table_add_range(&fresh, 6, 5), CAD_INVALID);
    assert_int_equal(frame_table_add_range(&fresh, 10, 20), CAD_OK);
    assert_int_equal(frame_table_add_range(&fresh, 19, 30), CAD_INVALID);
    assert_int_equal(frame_table_add_range(&fresh, 0, 5), CAD_INVALID);
    assert_int_equal(frame_table_add_range(&fresh, 20, 30), CAD_OK);
    assert_int_equal(fresh.range_count, 1);
    assert_int_equal(fresh.total_frames, 20);
    for (frame_no_t i = 1; i < FRAME_RANGES_MAX; i++)
        assert_int_equal(frame_table_add_range(&fresh, 40 * i, 40 * i + 1), CAD_OK);
    assert_int_equal(frame_table_add_range(&fresh, 4000, 4001), CAD_PRESSURE);
    assert_int_equal(fresh.total_frames, 20 + FRAME_RANGES_MAX - 1);
    free(frames);
}

static void only_reserved_frames_that_exist_become_free(void **state)
{
    struct frame_table fresh;
    struct frame *frames = calloc(64, sizeof(struct frame));

    (void)state;
    frame_table_init(&fresh, frames);
    assert_int_equal(frame_table_add_range(&fresh, 0, 20), CAD_OK);
    assert_int_equal(frame_table_add_range(&fresh, 30, 40), CAD_OK);
    assert_int_equal(frame_table_add_free(&fresh, 0, 21), CAD_INVALID);
    assert_int_equal(frame_table_add_free(&fresh, 25, 32), CAD_INVALID);
    assert_int_equal(frame_table_add_free(&fresh, 3, 3), CAD_INVALID);
    frame_adopt_kernel(&fresh, 5, FRAME_KIND_BOOT, 1, 2);
    frame_adopt_object(&fresh, 6, 8, 9);
    assert_int_equal(frame_table_add_free(&fresh, 1, 10), CAD_INVALID);
    assert_int_equal(fresh.free_frames, 0);
    assert_int_equal(frame_table_add_free(&fresh, 0, 5), CAD_OK);
    assert_int_equal(frame_table_add_free(&fresh, 30, 40), CAD_OK);
    assert_int_equal(fresh.free_frames, 14);
    assert_int_equal(frames[0].state, FRAME_RESERVED);
    assert_int_equal(frames[6].owner, 8);
    assert_int_equal(frames[6].detail, 9);
    expect_assert_failure(frame_adopt_kernel(&fresh, 0, FRAME_KIND_BOOT, 0, 0));
    expect_assert_failure(frame_adopt_kernel(&fresh, 25, FRAME_KIND_BOOT, 0, 0));
    expect_assert_failure(frame_adopt_kernel(&fresh, 2, FRAME_KIND_BOOT, 0, 0));
    frame_check_invariants(&fresh);
    free(frames);
}

static void counts_by_state_sum_to_the_machine(void **state)
{
    uint64_t counts[FRAME_STATE_COUNT], kinds[FRAME_KIND_COUNT], sum = 0;

    (void)state;
    frame_no_t frame = frame_take_kernel(world->cpu, FRAME_KIND_POOL, 2, 0);
    frame_count(table, counts, kinds);
    for (unsigned i = 0; i < FRAME_STATE_COUNT; i++)
        sum += counts[i];
    assert_int_equal(sum, table->total_frames);
    assert_int_equal(kinds[FRAME_KIND_POOL], 1);
    assert_int_equal(counts[FRAME_KERNEL], 1);
    frame_release(world->cpu, frame, FRAME_KERNEL, 2);
}

/* --- damage --- */

static void check_finds_each_kind_of_damage(void **state)
{
    frame_no_t head = table->free_head[10];
    struct frame *entry = &table->frames[head], saved = *entry;

    (void)state;
    entry->state = FRAME_ANON;
    expect_assert_failure(frame_check_invariants(table));
    *entry = saved;
    entry->detail = 77;
    expect_assert_failure(frame_check_invariants(table));
    *entry = saved;
    entry->owner = head; /* a circle */
    expect_assert_failure(frame_check_invariants(table));
    *entry = saved;
    table->frames[head + 5].kind = 0;
    expect_assert_failure(frame_check_invariants(table));
    table->frames[head + 5].kind = FRAME_FREE_INSIDE;
    table->free_frames++;
    expect_assert_failure(frame_check_invariants(table));
    table->free_frames--;
    table->free_head[10] = FRAME_NONE; /* a lost block */
    expect_assert_failure(frame_check_invariants(table));
    table->free_head[10] = head;
    frame_check_invariants(table);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)
    const struct CMUnitTest tests[] = {
        TEST(only_listed_edges_are_allowed),
        TEST(every_state_and_kind_has_a_name_and_an_owner_word),
        TEST(taken_frame_is_zeroed_and_has_its_owner),
        TEST(free_list_never_writes_into_a_frame),
        TEST(frame_0_and_reserved_frames_are_never_handed_out),
        TEST(release_by_a_wrong_owner_or_state_is_caught),
        TEST(release_of_a_mapped_or_pinned_frame_is_caught),
        TEST(counts_never_wrap),
        TEST(companion_belongs_to_tables_alone),
        TEST(quarantined_frames_are_not_free_until_released),
        TEST(quarantined_runs_are_released_as_far_as_the_budget_goes),
        TEST(neighbours_leave_a_full_magazine_as_blocks),
        TEST(blocks_are_aligned_and_merge_back),
        TEST(frames_put_one_by_one_become_large_blocks_again),
        TEST(a_run_of_any_length_can_be_put_back),
        TEST(blocks_never_merge_beyond_their_range),
        TEST(double_put_is_caught),
        TEST(order_for_is_the_smallest_that_holds),
        TEST(random_taking_and_putting_keeps_the_lists_true),
        TEST(a_run_becomes_an_object_zeroed_and_numbered),
        TEST(magazines_fill_and_empty_without_losing_a_frame),
        cmocka_unit_test_setup_teardown(fills_take_neighbours_again_once_small_blocks_are_used_up,
                                        make, abandon),
        TEST(a_full_magazine_drains_on_release),
        TEST(a_frame_cleared_ahead_is_taken_first_and_zero),
        cmocka_unit_test_setup_teardown(a_write_to_a_frame_cleared_ahead_is_caught, make, abandon),
        TEST(a_page_table_is_not_cleared_again),
        cmocka_unit_test_setup_teardown(a_table_given_up_with_entries_is_caught, make, abandon),
        TEST(zeroed_frames_leave_a_magazine_last),
        TEST(shortage_gives_none_and_changes_nothing),
        TEST(ranges_that_are_wrong_are_refused),
        TEST(only_reserved_frames_that_exist_become_free),
        TEST(counts_by_state_sum_to_the_machine),
        cmocka_unit_test_setup_teardown(check_finds_each_kind_of_damage, make, abandon),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
