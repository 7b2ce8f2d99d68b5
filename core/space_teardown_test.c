// SPDX-License-Identifier: BSD-2-Clause
#include "core/space_fixture.h"

/* Everything a space can hold, spread over it. */
static void fill(uint32_t object)
{
    frame_no_t frame;
    reserve(CAD_USER_BASE, 16);
    commit(CAD_USER_BASE, 8);
    reserve(BASE, UINT64_C(512) * PAGES_1G);
    for (unsigned i = 0; i < 8; i++) {
        virt_addr_t at = BASE + i * 64 * GIB1 + i * KIB4;
        OK(space_commit(cpu, space, at, 40, RW, CAD_COMMIT_EAGER));
        OK(space_protect(cpu, space, at, 9, CAD_PROT_NONE, &work));
        map(object, 3 * BASE + i * 5 * MIB2, 16, RW, i % 2 == 0);
    }
    OK(space_guard(cpu, space, 5 * BASE + KIB4, PAGES_2M));
    OK(space_map_system(cpu, space, CAD_CAPSET_ADDRESS, R, &frame));
    OK(space_map_system(cpu, space, CAD_RING_BASE, RW, &frame));
    OK(space_map_system(cpu, space, CAD_USER_END - KIB4, RW, &frame));
    reserve(CAD_SYSTEM_BASE - KIB4, 1);
    fixture_check();
    fixture_check_charges();
}

/* Runs a teardown to its end in steps of `budget`, and starts another space for the
 * fixture's own end. Gives: steps. */
static unsigned teardown_in_steps(uint32_t budget)
{
    uint32_t old = space;
    unsigned steps = 1;
    while (!space_teardown_step(cpu, old, budget, &work)) {
        /* Between steps everything agrees. */
        assert_false(work.flush);
        fixture_check();
        fixture_check_charges();
        fixture_finish();
        steps++;
    }
    assert_false(work.flush);
    fixture_finish();
    assert_false(id_is_live(&world->cadastre.spaces.ids, old));
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_VIRTUAL), 0);
    OK(space_create(cpu, world->ledger, &space));
    return steps;
}

static void teardown_gives_everything_back(void **state)
{
    (void)state;
    uint32_t object = object_of(16);
    fill(object);
    assert_int_equal(teardown_in_steps(MANY - 1), 1);
    object_drop(object);
}

static void teardown_is_cut_into_steps_that_each_leave_order(void **state)
{
    (void)state;
    for (uint32_t budget = 0; budget <= 1000; budget = budget * 10 + 1) {
        uint32_t object = object_of(16);
        fill(object);
        unsigned steps = teardown_in_steps(budget);
        assert_true(steps > 1);
        assert_true(budget > 0 || steps > 30);
        object_drop(object);
    }
}

static void the_work_of_a_step_is_bounded(void **state)
{
    (void)state;
    reserve(BASE, 8 * PAGES_2M);
    for (unsigned i = 0; i < 8; i++) {
        OK(space_commit(cpu, space, BASE + i * MIB2, 100, RW, CAD_COMMIT_EAGER));
    }
    uint32_t old = space;
    OK(space_create(cpu, world->ledger, &space));
    bool done = false;
    while (!done) {
        done = space_teardown_step(cpu, old, 8, &work);
        /* A leaf table's pages, and the tables above it. */
        assert_true(work.chain.count <= 100 + MMU_LEVELS);
        fixture_finish();
    }
}

static void objects_that_died_with_it_come_out_a_few_at_a_time(void **state)
{
    (void)state;
    enum { OBJECTS = 2 * SPACE_DEAD_OBJECTS_MAX + 3 };
    for (unsigned i = 0; i < OBJECTS; i++) {
        uint32_t object = object_of(2);
        map(object, BASE + i * MIB2, 2, RW, true);
        object_unclaim(cpu, object, world->ledger);
        assert_false(object_put(cpu, object));
    }
    uint32_t old = space, dead = 0;
    OK(space_create(cpu, world->ledger, &space));
    bool done = false;
    while (!done) {
        done = space_teardown_step(cpu, old, MANY - 1, &work);
        assert_int_equal(work.more, !done);
        dead += work.dead_count;
        fixture_finish();
    }
    assert_int_equal(dead, OBJECTS);
    assert_int_equal(world->cadastre.objects.ids.live_count, 0);
}

static void a_space_number_comes_back_with_another_generation(void **state)
{
    (void)state;
    const struct id_pool *ids = &world->cadastre.spaces.ids;
    uint32_t old = space;
    uint64_t generation = ids->slots[old].generation;
    teardown_in_steps(MANY - 1);
    assert_false(id_matches(ids, old, generation));
}

/* The kernel's half of the root is not the space's (AS2). */
static void the_kernel_half_of_the_root_is_left_alone(void **state)
{
    (void)state;
    frame_no_t root = record()->root;
    uint64_t *words = table_words(cpu, root);
    for (unsigned i = MMU_TABLE_ENTRIES / 2; i < MMU_TABLE_ENTRIES; i++) {
        words[i] = UINT64_C(0x1000003) + i * PAGE_SIZE; /* frames there are none of */
    }
    uint32_t object = object_of(16);
    fill(object);
    assert_true(words[MMU_TABLE_ENTRIES - 1] != 0);
    teardown_in_steps(3);
    object_drop(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPACE_TEST(teardown_gives_everything_back),
        SPACE_TEST(teardown_is_cut_into_steps_that_each_leave_order),
        SPACE_TEST(the_work_of_a_step_is_bounded),
        SPACE_TEST(objects_that_died_with_it_come_out_a_few_at_a_time),
        SPACE_TEST(a_space_number_comes_back_with_another_generation),
        SPACE_TEST(the_kernel_half_of_the_root_is_left_alone),
    };
    return cmocka_run_group_tests_name("space teardown", tests, NULL, NULL);
}
