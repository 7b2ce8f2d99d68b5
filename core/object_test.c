// SPDX-License-Identifier: BSD-2-Clause
#include "core/object.h"

#include "core/charge.h"
#include "core/object_index.h"
#include "core/test_world.h"

#define MANY UINT32_MAX /* a budget that is never reached */

static struct test_world *world;

static int make(void **state)
{
    (void)state;
    world = world_create(4096);
    return 0;
}

static int end(void **state)
{
    (void)state;
    object_check_invariants(world->cpu);
    world_destroy(world);
    return 0;
}

static struct object *record(uint32_t object)
{
    return &world->cadastre.objects.objects[object];
}

static const struct frame *frame_entry(frame_no_t frame)
{
    return &world->cadastre.frames.frames[frame];
}

static uint32_t create(uint32_t pages)
{
    uint32_t object;

    assert_int_equal(object_create(world->cpu, world->ledger, pages, &object), CAD_OK);
    object_check_invariants(world->cpu);
    return object;
}

/* The creator's claim and reference, the last ones, go, and then the object. */
static void destroy(uint32_t object)
{
    object_unclaim(world->cpu, object, world->ledger);
    assert_true(object_put(world->cpu, object));
    assert_true(object_destroy_step(world->cpu, object, MANY));
}

static uint64_t committed(uint32_t ledger)
{
    return world_used(world, ledger, CAD_RESOURCE_COMMITTED);
}

static uint64_t metadata(uint32_t ledger)
{
    return world_used(world, ledger, CAD_RESOURCE_METADATA);
}

/* A page's frame is the object's, says which page it is, and is clear. */
static void check_page(uint32_t object, uint32_t page)
{
    frame_no_t frame = object_page(world->cpu, object, page);

    assert_int_equal(frame_entry(frame)->state, FRAME_OBJECT);
    assert_int_equal(frame_entry(frame)->owner, object);
    assert_int_equal(frame_entry(frame)->detail, page);
    assert_true(world_page_is_zero(world, frame));
}

static void the_index_grows_by_a_level_when_its_root_is_full(void **state)
{
    (void)state;
    assert_int_equal(object_index_height(1), 0);
    assert_int_equal(object_index_height(2), 1);
    assert_int_equal(object_index_height(1024), 1);
    assert_int_equal(object_index_height(1025), 2);
    assert_int_equal(object_index_height(1u << 20), 2);
    assert_int_equal(object_index_height((1u << 20) + 1), 3);
    assert_int_equal(object_index_height(OBJECT_PAGES_MAX), 3);
}

static void index_nodes_are_counted_over_all_levels(void **state)
{
    (void)state;
    assert_int_equal(object_index_nodes(1), 0);
    assert_int_equal(object_index_nodes(2), 1);
    assert_int_equal(object_index_nodes(1024), 1);
    assert_int_equal(object_index_nodes(1025), 3);
    assert_int_equal(object_index_nodes(2049), 4);
    assert_int_equal(object_index_nodes(1u << 20), 1024 + 1);
    assert_int_equal(object_index_nodes((1u << 20) + 1), 1025 + 2 + 1);
    assert_int_equal(object_index_nodes(OBJECT_PAGES_MAX), (1u << 18) + (1u << 8) + 1);
}

static void every_page_is_there_once_and_clear(void **state)
{
    static const uint32_t sizes[] = { 1, 2, 3, 1023, 1024, 1025, 1500 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        uint32_t object = create(sizes[i]);

        for (uint32_t page = 0; page < sizes[i]; page++) {
            check_page(object, page); /* says `page`: so no frame is two pages */
        }
        assert_int_equal(committed(world->ledger), sizes[i]);
        assert_int_equal(metadata(world->ledger), CHARGE_OBJECT + CHARGE_CLAIM +
                             (uint64_t)object_index_nodes(sizes[i]) * CHARGE_FRAME);
        destroy(object);
        assert_int_equal(committed(world->ledger), 0);
        assert_int_equal(metadata(world->ledger), 0);
    }
}

static void every_index_node_points_back_at_its_place(void **state)
{
    uint32_t object = create(1500);
    static const struct {
        unsigned level;
        uint32_t page, detail;
    } nodes[] = { { 2, 0, 2u << 28 }, { 1, 0, 1u << 28 }, { 1, 1499, 1u << 28 | 1 } };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(nodes); i++) {
        frame_no_t node = object_index_frame(world->cpu, object, nodes[i].level, nodes[i].page);

        assert_int_equal(frame_entry(node)->state, FRAME_KERNEL);
        assert_int_equal(frame_entry(node)->kind, FRAME_KIND_INDEX);
        assert_int_equal(frame_entry(node)->owner, object);
        assert_int_equal(frame_entry(node)->detail, nodes[i].detail);
    }
    destroy(object);
}

/* Whatever the number of pages asked for at once. */
static void expect_same_by_runs(uint32_t object)
{
    static const uint32_t limits[] = { 1, 7, 1024, MANY };
    static frame_no_t frames[1500];

    for (unsigned i = 0; i < ARRAY_COUNT(limits); i++) {
        for (uint32_t page = 0, count; page < record(object)->pages; page += count) {
            uint32_t left = record(object)->pages - page;
            uint32_t limit = limits[i] < left ? limits[i] : left;

            count = object_page_run(world->cpu, object, page, limit, frames);
            assert_in_range(count, 1, limit);
            for (uint32_t k = 0; k < count; k++) {
                assert_int_equal(frames[k], object_page(world->cpu, object, page + k));
            }
        }
    }
}

static void runs_of_pages_are_what_each_page_is(void **state)
{
    static const uint32_t sizes[] = { 1, 2, 1024, 1025, 1500 };
    uint32_t object;

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(sizes); i++) {
        object = create(sizes[i]);
        expect_same_by_runs(object);
        destroy(object);
    }
    assert_int_equal(object_create_contiguous(world->cpu, world->ledger, 70, 1, &object), CAD_OK);
    expect_same_by_runs(object);
    destroy(object);
}

static void sizes_out_of_range_are_invalid(void **state)
{
    uint64_t before = world_hash(world);
    uint32_t object = 7;

    (void)state;
    assert_int_equal(object_create(world->cpu, world->ledger, 0, &object), CAD_INVALID);
    assert_int_equal(object_create(world->cpu, world->ledger, OBJECT_PAGES_MAX + 1, &object),
                     CAD_INVALID);
    assert_int_equal(object_create(world->cpu, world->ledger, UINT32_MAX, &object), CAD_INVALID);
    assert_int_equal(object, 7);
    assert_int_equal(world_hash(world), before);
}

/* Each resource one short, then exactly enough. */
static void quota_is_checked_before_anything_is_taken(void **state)
{
    const uint64_t bytes = CHARGE_OBJECT + CHARGE_CLAIM + CHARGE_FRAME;
    uint32_t poor = world_ledger(world, 0, 9, bytes, 0);
    uint32_t plain = world_ledger(world, 0, 10, bytes - 1, 0);
    uint32_t enough = world_ledger(world, 0, 10, bytes, 0);
    uint32_t object = 7;
    uint64_t before = world_hash(world);

    (void)state;
    assert_int_equal(object_create(world->cpu, poor, 10, &object), CAD_QUOTA_COMMITTED);
    assert_int_equal(object_create(world->cpu, plain, 10, &object), CAD_QUOTA_METADATA);
    assert_int_equal(object, 7);
    assert_int_equal(world_hash(world), before);
    assert_int_equal(object_create(world->cpu, enough, 10, &object), CAD_OK);
    object_unclaim(world->cpu, object, enough);
    assert_true(object_put(world->cpu, object));
    assert_true(object_destroy_step(world->cpu, object, MANY));
    ledger_put(world->cpu, poor);
    ledger_put(world->cpu, plain);
    ledger_put(world->cpu, enough);
}

static void a_ledger_pays_once_however_many_reasons_it_has(void **state)
{
    uint32_t object = create(20);
    uint64_t bytes = metadata(world->ledger);

    (void)state;
    assert_int_equal(object_claim(world->cpu, object, world->ledger), CAD_OK);
    assert_int_equal(object_claim(world->cpu, object, world->ledger), CAD_OK);
    assert_int_equal(committed(world->ledger), 20);
    assert_int_equal(metadata(world->ledger), bytes);
    object_unclaim(world->cpu, object, world->ledger);
    object_unclaim(world->cpu, object, world->ledger);
    assert_int_equal(committed(world->ledger), 20);
    destroy(object);
}

static void each_ledger_that_holds_an_object_pays_for_all_of_it(void **state)
{
    uint32_t other = world_ledger(world, 0, 20, CHARGE_CLAIM, 0);
    uint32_t object = create(20);

    (void)state;
    assert_int_equal(object_claim(world->cpu, object, other), CAD_OK);
    assert_int_equal(record(object)->claim_count, 2);
    assert_int_equal(committed(other), 20);
    assert_int_equal(metadata(other), CHARGE_CLAIM);
    object_check_invariants(world->cpu);
    object_unclaim(world->cpu, object, world->ledger); /* not the newest: out of the middle */
    assert_int_equal(committed(world->ledger), 0);
    assert_int_equal(committed(other), 20);
    object_check_invariants(world->cpu);
    object_unclaim(world->cpu, object, other);
    assert_int_equal(metadata(other), 0);
    assert_true(object_put(world->cpu, object));
    assert_true(object_destroy_step(world->cpu, object, MANY));
    ledger_put(world->cpu, other);
}

static void a_claim_that_is_refused_changes_nothing(void **state)
{
    uint32_t poor = world_ledger(world, 0, 19, CHARGE_CLAIM, 0);
    uint32_t plain = world_ledger(world, 0, 20, CHARGE_CLAIM - 1, 0);
    uint32_t enough = world_ledger(world, 0, 20, CHARGE_CLAIM, 0);
    uint32_t object = create(20);
    uint64_t before = world_hash(world);

    (void)state;
    assert_int_equal(object_claim(world->cpu, object, poor), CAD_QUOTA_COMMITTED);
    assert_int_equal(object_claim(world->cpu, object, plain), CAD_QUOTA_METADATA);
    world_fail_after(world, 0);
    assert_int_equal(object_claim(world->cpu, object, enough), CAD_PRESSURE);
    world_fail_never(world);
    assert_int_equal(world_hash(world), before);
    destroy(object);
    ledger_put(world->cpu, poor);
    ledger_put(world->cpu, plain);
    ledger_put(world->cpu, enough);
}

static void unclaiming_what_was_not_claimed_is_caught(void **state)
{
    uint32_t object = create(2);

    (void)state;
    expect_assert_failure(object_unclaim(world->cpu, object, world->root));
    destroy(object);
}

static void an_object_lives_until_its_last_reference(void **state)
{
    uint32_t object = create(2);
    uint64_t generation = world->cadastre.objects.ids.slots[object].generation;

    (void)state;
    object_take(world->cpu, object);
    object_take(world->cpu, object);
    assert_false(object_put(world->cpu, object));
    assert_false(object_put(world->cpu, object));
    assert_false(record(object)->dying);
    check_page(object, 1);
    destroy(object);
    assert_false(id_matches(&world->cadastre.objects.ids, object, generation));
}

static void a_last_reference_with_a_claim_left_is_caught(void **state)
{
    uint32_t object = create(2);

    (void)state;
    object_take(world->cpu, object);
    assert_false(object_put(world->cpu, object));
    expect_assert_failure((void)object_put(world->cpu, object));
    record(object)->references = 1; /* as before the wrong call */
    destroy(object);
}

static void a_dying_object_takes_no_reference(void **state)
{
    uint32_t object = create(2);

    (void)state;
    object_unclaim(world->cpu, object, world->ledger);
    assert_true(object_put(world->cpu, object));
    expect_assert_failure(object_take(world->cpu, object));
    assert_true(object_destroy_step(world->cpu, object, MANY));
}

static void destruction_is_bounded_by_its_budget(void **state)
{
    static const uint32_t budgets[] = { 1, 7, 1024, 1025 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(budgets); i++) {
        uint32_t object = create(1100);
        uint32_t steps = 0;
        bool gone = false;

        object_unclaim(world->cpu, object, world->ledger);
        assert_true(object_put(world->cpu, object));
        while (!gone) {
            uint64_t before = world_free_frames(world);

            gone = object_destroy_step(world->cpu, object, budgets[i]);
            steps++;
            /* at most the three nodes beside */
            assert_in_range(world_free_frames(world) - before, 1, budgets[i] + 3);
        }
        assert_int_equal(steps, (1100 + budgets[i] - 1) / budgets[i]);
    }
}

static void a_page_that_is_mapped_is_not_given_back(void **state)
{
    uint32_t object = create(5);
    frame_no_t frame = object_page(world->cpu, object, 3);

    (void)state;
    frame_map(&world->cadastre.frames, frame, FRAME_OBJECT);
    object_unclaim(world->cpu, object, world->ledger);
    assert_true(object_put(world->cpu, object));
    assert_false(object_destroy_step(world->cpu, object, 3));
    expect_assert_failure((void)object_destroy_step(world->cpu, object, 1));
    frame_unmap(&world->cadastre.frames, frame, FRAME_OBJECT);
    assert_true(object_destroy_step(world->cpu, object, 2));
}

static void a_living_object_is_not_destroyed(void **state)
{
    uint32_t object = create(1);

    (void)state;
    expect_assert_failure((void)object_destroy_step(world->cpu, object, 1));
    destroy(object);
}

static void a_contiguous_object_is_an_aligned_run(void **state)
{
    static const struct {
        uint32_t pages, alignment;
    } runs[] = { { 1, 1 }, { 3, 1 }, { 5, 64 }, { 64, 64 }, { 100, 512 } };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(runs); i++) {
        uint64_t free_before = world_free_frames(world);
        uint32_t object;

        assert_int_equal(object_create_contiguous(world->cpu, world->ledger, runs[i].pages,
                                                  runs[i].alignment, &object), CAD_OK);
        assert_int_equal(record(object)->first % runs[i].alignment, 0);
        for (uint32_t page = 0; page < runs[i].pages; page++) {
            check_page(object, page);
            assert_int_equal(object_page(world->cpu, object, page), record(object)->first + page);
        }
        assert_int_equal(world_free_frames(world), free_before - runs[i].pages);
        assert_int_equal(committed(world->ledger), runs[i].pages);
        assert_int_equal(metadata(world->ledger), CHARGE_OBJECT + CHARGE_CLAIM);
        destroy(object);
    }
}

static void a_run_that_cannot_be_is_refused(void **state)
{
    uint64_t before = world_hash(world);
    struct core_cpu *cpu = world->cpu;
    uint32_t object = 7;

    (void)state;
    assert_int_equal(object_create_contiguous(cpu, world->ledger, 0, 1, &object), CAD_INVALID);
    assert_int_equal(object_create_contiguous(cpu, world->ledger, 1, 0, &object), CAD_INVALID);
    assert_int_equal(object_create_contiguous(cpu, world->ledger, 1, 3, &object), CAD_INVALID);
    assert_int_equal(object_create_contiguous(cpu, world->ledger, 1, 1u << 19, &object),
                     CAD_INVALID);
    assert_int_equal(object_create_contiguous(cpu, world->ledger, (1u << 18) + 1, 1, &object),
                     CAD_INVALID);
    assert_int_equal(object_create_contiguous(cpu, world->ledger, 4, 1u << 18, &object),
                     CAD_PRESSURE);
    for (uint64_t granted = 0; granted < 2; granted++) { /* records are there by now */
        world_fail_after(world, 0);
        assert_int_equal(object_create_contiguous(cpu, world->ledger, 4, 1, &object),
                         CAD_PRESSURE);
    }
    world_fail_never(world);
    assert_int_equal(object, 7);
    assert_int_equal(world_hash(world), before);
}

static void an_object_of_an_untyped_gives_its_pages_back_to_it(void **state)
{
    uint32_t untyped, object;
    uint64_t before;

    (void)state;
    assert_int_equal(untyped_create(world->cpu, world->ledger, 16, &untyped), CAD_OK);
    before = committed(world->ledger);
    assert_int_equal(object_create_untyped(world->cpu, world->ledger, untyped, 10, &object),
                     CAD_OK);
    assert_int_equal(committed(world->ledger), before); /* the untyped paid */
    assert_int_equal(record(object)->kind, CAD_OBJECT_CONTIGUOUS);
    check_page(object, 0);
    check_page(object, 9);
    assert_int_equal(untyped_reset(world->cpu, untyped), CAD_BUSY);
    world_check_invariants(world);

    object_unclaim(world->cpu, object, world->ledger);
    assert_true(object_put(world->cpu, object));
    assert_true(object_destroy_step(world->cpu, object, 1)); /* a run goes in one step */
    assert_int_equal(untyped_reset(world->cpu, untyped), CAD_OK);
    untyped_put(world->cpu, untyped);
}

static void an_untyped_with_too_little_left_is_refused(void **state)
{
    uint32_t untyped, object = 7;
    uint64_t before;

    (void)state;
    assert_int_equal(untyped_create(world->cpu, world->ledger, 16, &untyped), CAD_OK);
    before = world_hash(world);
    assert_int_equal(object_create_untyped(world->cpu, world->ledger, untyped, 17, &object),
                     CAD_USED_UP);
    assert_int_equal(object_create_untyped(world->cpu, world->ledger, untyped, 0, &object),
                     CAD_INVALID);
    assert_int_equal(object, 7);
    assert_int_equal(world_hash(world), before);
    untyped_put(world->cpu, untyped);
}

/* Frames as boot leaves those of the archive. */
static frame_no_t reserve_frames(unsigned order)
{
    frame_no_t first = frame_block_take(&world->cadastre.frames, order);

    for (frame_no_t frame = first; frame < first + (1u << order); frame++) {
        world->cadastre.frames.frames[frame] = (struct frame){ .state = FRAME_RESERVED };
    }
    return first;
}

static void a_boot_object_keeps_what_the_loader_put_there_and_charges_no_pages(void **state)
{
    frame_no_t first = reserve_frames(2);
    uint32_t object;

    (void)state;
    world_page(world, first + 3)[17] = 0x5c;
    assert_int_equal(object_create_boot(world->cpu, world->ledger, first, 4, &object), CAD_OK);
    assert_int_equal(committed(world->ledger), 0);
    assert_int_equal(record(object)->kind, CAD_OBJECT_BOOT);
    assert_int_equal(object_page(world->cpu, object, 3), first + 3);
    assert_int_equal(world_page(world, first + 3)[17], 0x5c);
    assert_int_equal(frame_entry(first + 3)->owner, object);
    destroy(object);
}

#define OBJECT_TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_grows_by_a_level_when_its_root_is_full),
        cmocka_unit_test(index_nodes_are_counted_over_all_levels),
        OBJECT_TEST(every_page_is_there_once_and_clear),
        OBJECT_TEST(every_index_node_points_back_at_its_place),
        OBJECT_TEST(runs_of_pages_are_what_each_page_is),
        OBJECT_TEST(sizes_out_of_range_are_invalid),
        OBJECT_TEST(quota_is_checked_before_anything_is_taken),
        OBJECT_TEST(a_ledger_pays_once_however_many_reasons_it_has),
        OBJECT_TEST(each_ledger_that_holds_an_object_pays_for_all_of_it),
        OBJECT_TEST(a_claim_that_is_refused_changes_nothing),
        OBJECT_TEST(unclaiming_what_was_not_claimed_is_caught),
        OBJECT_TEST(an_object_lives_until_its_last_reference),
        OBJECT_TEST(a_last_reference_with_a_claim_left_is_caught),
        OBJECT_TEST(a_dying_object_takes_no_reference),
        OBJECT_TEST(destruction_is_bounded_by_its_budget),
        OBJECT_TEST(a_page_that_is_mapped_is_not_given_back),
        OBJECT_TEST(a_living_object_is_not_destroyed),
        OBJECT_TEST(a_contiguous_object_is_an_aligned_run),
        OBJECT_TEST(a_run_that_cannot_be_is_refused),
        OBJECT_TEST(an_object_of_an_untyped_gives_its_pages_back_to_it),
        OBJECT_TEST(an_untyped_with_too_little_left_is_refused),
        OBJECT_TEST(a_boot_object_keeps_what_the_loader_put_there_and_charges_no_pages),
    };

    return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
