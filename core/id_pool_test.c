// SPDX-License-Identifier: BSD-2-Clause
#include "core/test_world.h"

#include <stdlib.h>

static struct test_world *world;
static struct id_pool pool;

static int make(void **state)
{
    (void)state;
    world = world_create(1024);
    id_pool_init(&pool, 99, calloc(16, sizeof(struct id_slot)), 16, 3);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(pool.slots);
    world_destroy(world);
    return 0;
}

static uint32_t take(void)
{
    uint32_t index;

    assert_true(id_pool_take(world->cpu, &pool, &index));
    id_pool_check_invariants(&pool);
    return index;
}

static void never_gives_index_0(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 15; i++)
        assert_int_not_equal(take(), ID_NONE);
    assert_false(id_is_live(&pool, ID_NONE));
    assert_int_equal(pool.live_count, 15);
}

static void gives_each_index_once(void **state)
{
    bool seen[16] = { false };

    (void)state;
    for (unsigned i = 0; i < 15; i++) {
        uint32_t index = take();
        assert_true(index < 16 && !seen[index]);
        seen[index] = true;
    }
}

static void refuses_when_the_limit_is_reached_and_changes_nothing(void **state)
{
    uint32_t index = 77;

    (void)state;
    for (unsigned i = 0; i < 15; i++)
        (void)take();
    assert_false(id_pool_take(world->cpu, &pool, &index));
    assert_int_equal(index, 77);
    assert_int_equal(pool.live_count, 15);
    id_pool_check_invariants(&pool);
}

static void refuses_when_the_host_cannot_grow(void **state)
{
    uint32_t index = 77;

    (void)state;
    world_fail_after(world, 0);
    assert_false(id_pool_take(world->cpu, &pool, &index));
    assert_int_equal(index, 77);
    assert_int_equal(pool.capacity, 0);
    world_fail_never(world);
}

static void old_name_is_stale_after_put_and_reuse(void **state)
{
    (void)state;
    uint32_t index = take();
    uint64_t generation = pool.slots[index].generation;

    assert_true(id_matches(&pool, index, generation));
    id_pool_put(&pool, index);
    assert_false(id_matches(&pool, index, generation));
    assert_int_equal(take(), index);
    assert_false(id_matches(&pool, index, generation));
    assert_true(id_matches(&pool, index, generation + 1));
}

static void index_at_its_last_generation_is_retired(void **state)
{
    (void)state;
    uint32_t index = take();

    for (unsigned i = 1; i < 3; i++) {
        id_pool_put(&pool, index);
        assert_int_equal(take(), index);
    }
    id_pool_put(&pool, index);
    assert_int_equal(pool.retired_count, 1);
    assert_false(id_is_live(&pool, index));
    assert_int_not_equal(take(), index);
}

static void put_of_an_index_that_is_not_live_is_caught(void **state)
{
    (void)state;
    uint32_t index = take();

    expect_assert_failure(id_pool_put(&pool, 0));
    expect_assert_failure(id_pool_put(&pool, 15));
    id_pool_put(&pool, index);
    expect_assert_failure(id_pool_put(&pool, index));
}

static void indices_beyond_the_capacity_are_not_live(void **state)
{
    (void)state;
    assert_false(id_is_live(&pool, 1));
    assert_false(id_is_live(&pool, 15));
    assert_false(id_matches(&pool, UINT32_MAX, 1));
}

static void check_finds_a_broken_free_list(void **state)
{
    (void)state;
    uint32_t first = take(), second = take();

    id_pool_put(&pool, first);
    id_pool_put(&pool, second);
    pool.slots[first].next = second; /* a circle */
    expect_assert_failure(id_pool_check_invariants(&pool));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)
    const struct CMUnitTest tests[] = {
        TEST(never_gives_index_0),
        TEST(gives_each_index_once),
        TEST(refuses_when_the_limit_is_reached_and_changes_nothing),
        TEST(refuses_when_the_host_cannot_grow),
        TEST(old_name_is_stale_after_put_and_reuse),
        TEST(index_at_its_last_generation_is_retired),
        TEST(put_of_an_index_that_is_not_live_is_caught),
        TEST(indices_beyond_the_capacity_are_not_live),
        TEST(check_finds_a_broken_free_list),
    };
    return cmocka_run_group_tests_name("id_pool", tests, NULL, NULL);
}
