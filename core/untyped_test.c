// SPDX-License-Identifier: BSD-2-Clause
#include "core/test_world.h"

#include "core/charge.h"

static struct test_world *world;
static struct frame *frames;

static int make(void **state)
{
    (void)state;
    world = world_create(2048);
    frames = world->cadastre.frames.frames;
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_destroy(world);
    return 0;
}

static struct untyped *at(uint32_t untyped)
{
    return &world->cadastre.untypeds.untypeds[untyped];
}

static uint32_t create(uint32_t pages)
{
    uint32_t untyped;

    assert_int_equal(untyped_create(world->cpu, world->ledger, pages, &untyped), CAD_OK);
    world_check_invariants(world);
    return untyped;
}

static uint32_t split(uint32_t parent, uint32_t pages)
{
    uint32_t child;

    assert_int_equal(untyped_retype_untyped(world->cpu, parent, world->ledger, pages, &child),
                     CAD_OK);
    world_check_invariants(world);
    return child;
}

static void check_run(frame_no_t first, uint32_t pages, enum frame_state state, uint32_t owner)
{
    for (uint32_t i = 0; i < pages; i++) {
        assert_int_equal(frames[first + i].state, state);
        assert_int_equal(frames[first + i].owner, owner);
    }
}

static void creation_moves_the_whole_range_and_charges_it(void **state)
{
    (void)state;
    uint64_t free_before = world_free_frames(world);
    uint32_t untyped = create(100);

    assert_int_equal(world_free_frames(world), free_before - 100);
    check_run(at(untyped)->first, 100, FRAME_UNTYPED, untyped);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_COMMITTED), 100);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_METADATA), CHARGE_UNTYPED);
    untyped_put(world->cpu, untyped);
    assert_int_equal(world_free_frames(world), free_before);
}

static void creation_refuses_what_it_cannot_give(void **state)
{
    (void)state;
    uint32_t untyped = 77, poor = world_ledger(world, 0, 10, CHARGE_UNTYPED, 0);
    uint32_t bare = world_ledger(world, 0, 10, CHARGE_UNTYPED - 1, 0);
    uint64_t before = world_hash(world);

    assert_int_equal(untyped_create(world->cpu, poor, 0, &untyped), CAD_INVALID);
    assert_int_equal(untyped_create(world->cpu, poor, (1u << FRAME_ORDER_MAX) + 1, &untyped),
                     CAD_INVALID);
    assert_int_equal(untyped_create(world->cpu, poor, 11, &untyped), CAD_QUOTA_COMMITTED);
    assert_int_equal(untyped_create(world->cpu, bare, 1, &untyped), CAD_QUOTA_METADATA);
    assert_int_equal(untyped, 77);
    assert_int_equal(world_hash(world), before);
    ledger_put(world->cpu, poor);
    ledger_put(world->cpu, bare);
}

static void creation_undoes_itself_at_every_failing_allocation(void **state)
{
    (void)state;
    for (unsigned allocations = 0; allocations < 2; allocations++) {
        uint32_t untyped = 77;
        uint64_t before = world_hash(world);
        world_fail_after(world, allocations);
        assert_int_equal(untyped_create(world->cpu, world->ledger, 5, &untyped), CAD_PRESSURE);
        assert_int_equal(untyped, 77);
        assert_int_equal(world_hash(world), before);
        world_fail_never(world);
    }
}

static void fragmented_memory_refuses_a_run_with_pressure(void **state)
{
    (void)state;
    uint32_t big = create(1), untyped;

    assert_int_equal(ledger_donate(world->cpu, world->root, world->ledger,
                                   CAD_RESOURCE_COMMITTED,
                                   world->cadastre.ledgers.ledgers[world->root]
                                       .available[CAD_RESOURCE_COMMITTED]), CAD_OK);
    uint64_t before = world_hash(world);

    assert_int_equal(untyped_create(world->cpu, world->ledger, 1025, &untyped), CAD_PRESSURE);
    assert_int_equal(world_hash(world), before);
    untyped_put(world->cpu, big);
}

static void children_take_the_next_pages_in_order(void **state)
{
    (void)state;
    uint32_t top = create(64), one = split(top, 10), two = split(top, 20);

    assert_int_equal(at(one)->first, at(top)->first);
    assert_int_equal(at(two)->first, at(top)->first + 10);
    check_run(at(one)->first, 10, FRAME_UNTYPED, one);
    check_run(at(two)->first, 20, FRAME_UNTYPED, two);
    check_run(at(top)->first + 30, 34, FRAME_UNTYPED, top);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_COMMITTED), 64);
    untyped_put(world->cpu, one);
    untyped_put(world->cpu, two);
    check_run(at(top)->first, 64, FRAME_UNTYPED, top);
    untyped_put(world->cpu, top);
}

static void split_refuses_more_than_is_left(void **state)
{
    (void)state;
    uint32_t top = create(16), child = split(top, 10), other = 77;
    uint32_t poor = world_ledger(world, 0, 0, CHARGE_UNTYPED - 1, 0);
    uint64_t before = world_hash(world);

    assert_int_equal(untyped_retype_untyped(world->cpu, top, world->ledger, 0, &other),
                     CAD_INVALID);
    assert_int_equal(untyped_retype_untyped(world->cpu, top, world->ledger, 7, &other),
                     CAD_USED_UP);
    assert_int_equal(untyped_retype_untyped(world->cpu, top, world->ledger, UINT32_MAX, &other),
                     CAD_USED_UP);
    assert_int_equal(untyped_retype_untyped(world->cpu, top, poor, 6, &other),
                     CAD_QUOTA_METADATA);
    world_fail_after(world, 0);
    assert_int_equal(untyped_retype_untyped(world->cpu, top, world->ledger, 6, &other),
                     CAD_PRESSURE);
    world_fail_never(world);
    assert_int_equal(other, 77);
    assert_int_equal(world_hash(world), before);
    ledger_put(world->cpu, poor);
    untyped_put(world->cpu, child);
    untyped_put(world->cpu, top);
}

static void object_pages_are_zeroed_numbered_and_come_back_here(void **state)
{
    (void)state;
    uint32_t top = create(32), object = 1234;
    frame_no_t first;

    assert_int_equal(untyped_retype_object(world->cpu, top, object, 8, &first), CAD_OK);
    assert_int_equal(first, at(top)->first);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(frames[first + i].state, FRAME_OBJECT);
        assert_int_equal(frames[first + i].detail, i);
        assert_true(world_page_is_zero(world, first + i));
    }
    uint64_t before = world_hash(world);
    frame_no_t none = 77;
    assert_int_equal(untyped_retype_object(world->cpu, top, object, 0, &none), CAD_INVALID);
    assert_int_equal(untyped_retype_object(world->cpu, top, object, 25, &none), CAD_USED_UP);
    assert_int_equal(none, 77);
    assert_int_equal(world_hash(world), before);

    uint64_t free_frames = world_free_frames(world);
    untyped_return_object(world->cpu, top, object, first, 8);
    assert_int_equal(world_free_frames(world), free_frames); /* not to the allocator (UT2) */
    check_run(first, 8, FRAME_UNTYPED, top);
    untyped_put(world->cpu, top);
}

static void return_of_frames_in_use_or_of_another_is_caught(void **state)
{
    (void)state;
    uint32_t top = create(32), other = create(4);
    struct frame_table *table = &world->cadastre.frames;
    frame_no_t first, elsewhere;

    assert_int_equal(untyped_retype_object(world->cpu, top, 1, 8, &first), CAD_OK);
    assert_int_equal(untyped_retype_object(world->cpu, other, 2, 2, &elsewhere), CAD_OK);
    frame_map(table, first + 3, FRAME_OBJECT);
    expect_assert_failure(untyped_return_object(world->cpu, top, 1, first, 8));
    frame_unmap(table, first + 3, FRAME_OBJECT);
    frames[first + 7].pins = 1;
    expect_assert_failure(untyped_return_object(world->cpu, top, 1, first, 8));
    frames[first + 7].pins = 0;
    expect_assert_failure(untyped_return_object(world->cpu, top, 9, first, 8));
    expect_assert_failure(untyped_return_object(world->cpu, top, 1, first, 9));
    expect_assert_failure(untyped_return_object(world->cpu, top, 2, elsewhere, 2));
    check_run(first, 8, FRAME_OBJECT, 1);
    untyped_return_object(world->cpu, top, 1, first, 8);
    untyped_return_object(world->cpu, other, 2, elsewhere, 2);
    untyped_put(world->cpu, top);
    untyped_put(world->cpu, other);
}

static void reset_is_refused_while_a_child_lives(void **state)
{
    (void)state;
    uint32_t top = create(32), child = split(top, 8);
    frame_no_t first;

    assert_int_equal(untyped_reset(world->cpu, top), CAD_BUSY);
    assert_int_equal(at(top)->next, 8);
    untyped_put(world->cpu, child);
    assert_int_equal(at(top)->next, 8); /* falls back by reset alone (UT3) */
    assert_int_equal(untyped_retype_object(world->cpu, top, 5, 2, &first), CAD_OK);
    assert_int_equal(untyped_reset(world->cpu, top), CAD_BUSY);
    untyped_return_object(world->cpu, top, 5, first, 2);
    assert_int_equal(untyped_reset(world->cpu, top), CAD_OK);
    assert_int_equal(at(top)->next, 0);
    child = split(top, 32);
    untyped_put(world->cpu, child);
    untyped_put(world->cpu, top);
}

static void parent_outlives_its_capabilities_while_children_live(void **state)
{
    (void)state;
    uint64_t free_before = world_free_frames(world);
    uint32_t top = create(64), middle = split(top, 32), low = split(middle, 16);
    frame_no_t first;

    assert_int_equal(untyped_retype_object(world->cpu, low, 5, 16, &first), CAD_OK);
    untyped_put(world->cpu, top);
    untyped_put(world->cpu, middle);
    untyped_put(world->cpu, low);
    world_check_invariants(world);
    assert_true(id_is_live(&world->cadastre.untypeds.ids, top));
    assert_int_equal(world_free_frames(world), free_before - 64);
    untyped_return_object(world->cpu, low, 5, first, 16); /* the last of all of them */
    assert_int_equal(world->cadastre.untypeds.ids.live_count, 0);
    assert_int_equal(world_free_frames(world), free_before);
}

static void references_are_counted(void **state)
{
    (void)state;
    uint32_t top = create(4);

    untyped_take(world->cpu, top);
    untyped_put(world->cpu, top);
    assert_true(id_is_live(&world->cadastre.untypeds.ids, top));
    untyped_put(world->cpu, top);
    assert_false(id_is_live(&world->cadastre.untypeds.ids, top));
    expect_assert_failure(untyped_put(world->cpu, top));
    expect_assert_failure(untyped_take(world->cpu, top));
}

static void children_may_be_charged_to_another_ledger(void **state)
{
    (void)state;
    uint32_t other = world_ledger(world, 0, 0, 1024, 0), top = create(16), child;

    assert_int_equal(untyped_retype_untyped(world->cpu, top, other, 4, &child), CAD_OK);
    assert_int_equal(world_used(world, other, CAD_RESOURCE_METADATA), CHARGE_UNTYPED);
    assert_int_equal(world_used(world, other, CAD_RESOURCE_COMMITTED), 0);
    ledger_put(world->cpu, other); /* the child keeps it alive */
    assert_true(id_is_live(&world->cadastre.ledgers.ids, other));
    untyped_put(world->cpu, top);
    untyped_put(world->cpu, child);
    assert_false(id_is_live(&world->cadastre.ledgers.ids, other));
}

static void check_finds_damage(void **state)
{
    (void)state;
    uint32_t top = create(16), child = split(top, 4);
    struct untyped saved_top = *at(top), saved_child = *at(child);

    at(top)->next = 17;
    expect_assert_failure(untyped_check_invariants(world->cpu));
    *at(top) = saved_top;
    at(top)->children = 0;
    expect_assert_failure(untyped_check_invariants(world->cpu));
    *at(top) = saved_top;
    at(child)->pages = 5;
    expect_assert_failure(untyped_check_invariants(world->cpu));
    *at(child) = saved_child;
    at(child)->parent = 99;
    expect_assert_failure(untyped_check_invariants(world->cpu));
    *at(child) = saved_child;
    untyped_check_invariants(world->cpu);
    untyped_put(world->cpu, child);
    untyped_put(world->cpu, top);
}

/* Only what is still the newest goes back. */
static void a_retype_that_is_undone_costs_nothing(void **state)
{
    uint32_t top, first, second;

    (void)state;
    assert_int_equal(untyped_create(world->cpu, world->ledger, 16, &top), CAD_OK);
    uint64_t before = world_hash(world);

    assert_int_equal(untyped_retype_untyped(world->cpu, top, world->ledger, 5, &first), CAD_OK);
    frame_no_t frame = at(first)->first;

    untyped_put(world->cpu, first);
    untyped_retract(world->cpu, top, frame, 5);
    assert_int_equal(world_hash(world), before);

    assert_int_equal(untyped_retype_untyped(world->cpu, top, world->ledger, 5, &first), CAD_OK);
    assert_int_equal(untyped_retype_untyped(world->cpu, top, world->ledger, 2, &second), CAD_OK);
    untyped_put(world->cpu, first);
    untyped_retract(world->cpu, top, frame, 5);
    assert_int_equal(at(top)->next, 7);
    untyped_put(world->cpu, second);
    untyped_put(world->cpu, top);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)
    const struct CMUnitTest tests[] = {
        TEST(creation_moves_the_whole_range_and_charges_it),
        TEST(creation_refuses_what_it_cannot_give),
        TEST(creation_undoes_itself_at_every_failing_allocation),
        TEST(fragmented_memory_refuses_a_run_with_pressure),
        TEST(children_take_the_next_pages_in_order),
        TEST(a_retype_that_is_undone_costs_nothing),
        TEST(split_refuses_more_than_is_left),
        TEST(object_pages_are_zeroed_numbered_and_come_back_here),
        TEST(return_of_frames_in_use_or_of_another_is_caught),
        TEST(reset_is_refused_while_a_child_lives),
        TEST(parent_outlives_its_capabilities_while_children_live),
        TEST(references_are_counted),
        TEST(children_may_be_charged_to_another_ledger),
        TEST(check_finds_damage),
    };
    return cmocka_run_group_tests_name("untyped", tests, NULL, NULL);
}
