// SPDX-License-Identifier: BSD-2-Clause
#include "core/park.h"

#include <stdlib.h>
#include <string.h>

#include "core/test_world.h" /* assert_failed */

#define WAITERS 64

struct park_world {
    struct park_table table;
    struct park_waiter waiters[WAITERS];
};

static int setup(void **state)
{
    struct park_world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    park_init(&world->table, world->waiters);
    *state = world;
    return 0;
}

/* Every queue is well linked, and empty at a test's end. */
static int teardown(void **state)
{
    struct park_world *world = *state;

    for (uint32_t bucket = 0; bucket < PARK_BUCKETS; bucket++) {
        park_check_invariants(&world->table, bucket);
        assert_int_equal(world->table.head[bucket], PARK_NONE);
    }
    free(world);
    return 0;
}

static struct park_key key_of(uint32_t space, uint64_t generation, virt_addr_t address)
{
    struct park_key key = { .space = space, .generation = generation, .address = address };

    return key;
}

/* The next key after `from` of the same space and generation in the same bucket. */
static struct park_key colliding(const struct park_key *from)
{
    struct park_key key = *from;

    do {
        key.address += 4;
    } while (park_bucket(&key) != park_bucket(from));
    return key;
}

static void waiters_wake_in_the_order_they_came(void **state)
{
    struct park_world *world = *state;
    struct park_key key = key_of(1, 1, 0x10000);

    for (uint32_t waiter = 0; waiter < 5; waiter++) {
        park_enqueue(&world->table, waiter, &key);
        park_check_invariants(&world->table, park_bucket(&key));
    }
    for (uint32_t waiter = 0; waiter < 5; waiter++) {
        assert_int_equal(park_dequeue(&world->table, &key), waiter);
        assert_false(world->waiters[waiter].queued);
    }
    assert_int_equal(park_dequeue(&world->table, &key), PARK_NONE);
}

static void only_the_whole_key_wakes(void **state)
{
    struct park_world *world = *state;
    struct park_key key = key_of(3, 8, 0x20000);
    struct park_key space = key_of(4, 8, 0x20000);
    struct park_key generation = key_of(3, 9, 0x20000);
    struct park_key address = key_of(3, 8, 0x20004);
    struct park_key neighbour = colliding(&key);

    park_enqueue(&world->table, 6, &key);
    assert_int_equal(park_dequeue(&world->table, &space), PARK_NONE);
    assert_int_equal(park_dequeue(&world->table, &generation), PARK_NONE);
    assert_int_equal(park_dequeue(&world->table, &address), PARK_NONE);
    assert_int_equal(park_dequeue(&world->table, &neighbour), PARK_NONE);
    assert_int_equal(park_dequeue(&world->table, &key), 6);
}

/* Keys that differ in one part only and share a bucket by chance are told apart too. */
static void a_reused_space_with_a_colliding_key_wakes_nobody(void **state)
{
    struct park_world *world = *state;
    struct park_key key = key_of(3, 1, 0x20000);
    struct park_key later = key;
    struct park_key other = key;

    do {
        later.generation++;
    } while (park_bucket(&later) != park_bucket(&key));
    do {
        other.space++;
    } while (park_bucket(&other) != park_bucket(&key));
    park_enqueue(&world->table, 6, &key);
    assert_int_equal(park_dequeue(&world->table, &later), PARK_NONE);
    assert_int_equal(park_dequeue(&world->table, &other), PARK_NONE);
    assert_int_equal(park_dequeue(&world->table, &key), 6);
}

static void keys_that_share_a_bucket_keep_their_own_order(void **state)
{
    struct park_world *world = *state;
    struct park_key one = key_of(1, 1, 0x10000);
    struct park_key two = colliding(&one);

    park_enqueue(&world->table, 0, &one);
    park_enqueue(&world->table, 1, &two);
    park_enqueue(&world->table, 2, &one);
    park_enqueue(&world->table, 3, &two);
    assert_int_equal(park_dequeue(&world->table, &two), 1);
    assert_int_equal(park_dequeue(&world->table, &one), 0);
    assert_int_equal(park_dequeue(&world->table, &one), 2);
    park_check_invariants(&world->table, park_bucket(&one));
    assert_int_equal(park_dequeue(&world->table, &two), 3);
}

static void a_waiter_is_removed_from_head_middle_and_tail(void **state)
{
    struct park_world *world = *state;
    struct park_key key = key_of(1, 1, 0x10000);

    for (uint32_t waiter = 0; waiter < 5; waiter++) {
        park_enqueue(&world->table, waiter, &key);
    }
    assert_true(park_remove(&world->table, 0));
    park_check_invariants(&world->table, park_bucket(&key));
    assert_true(park_remove(&world->table, 4));
    park_check_invariants(&world->table, park_bucket(&key));
    assert_true(park_remove(&world->table, 2));
    park_check_invariants(&world->table, park_bucket(&key));
    assert_int_equal(park_dequeue(&world->table, &key), 1);
    assert_int_equal(park_dequeue(&world->table, &key), 3);
}

static void who_is_not_queued_is_not_removed(void **state)
{
    struct park_world *world = *state;
    struct park_key key = key_of(1, 1, 0x10000);

    assert_false(park_remove(&world->table, 9));
    park_enqueue(&world->table, 9, &key);
    assert_true(park_remove(&world->table, 9));
    assert_false(park_remove(&world->table, 9));
    park_enqueue(&world->table, 9, &key);
    assert_int_equal(park_dequeue(&world->table, &key), 9);
    assert_false(park_remove(&world->table, 9));
}

static void queueing_twice_is_caught(void **state)
{
    struct park_world *world = *state;
    struct park_key key = key_of(1, 1, 0x10000);

    park_enqueue(&world->table, 9, &key);
    expect_assert_failure(park_enqueue(&world->table, 9, &key));
    assert_int_equal(park_dequeue(&world->table, &key), 9);
}

/* All waiters of a space in [start, end), over all buckets, in no order. */
static uint64_t wake_range(struct park_world *world, uint32_t space, uint64_t generation,
                           virt_addr_t start, virt_addr_t end)
{
    uint64_t woken = 0;

    for (uint32_t bucket = 0; bucket < PARK_BUCKETS; bucket++) {
        uint32_t waiter = park_dequeue_range(&world->table, bucket, space, generation, start, end);

        while (waiter != PARK_NONE) {
            woken |= UINT64_C(1) << waiter;
            waiter = park_dequeue_range(&world->table, bucket, space, generation, start, end);
        }
    }
    return woken;
}

static void memory_that_goes_away_wakes_its_waiters_and_no_others(void **state)
{
    struct park_world *world = *state;
    struct park_key keys[] = {
        key_of(1, 1, 0x0fffc), key_of(1, 1, 0x10000), key_of(1, 1, 0x10ffc),
        key_of(1, 1, 0x11000), key_of(2, 1, 0x10000), key_of(1, 2, 0x10000),
    };

    for (uint32_t i = 0; i < ARRAY_COUNT(keys); i++) {
        park_enqueue(&world->table, i, &keys[i]);
    }
    assert_int_equal(wake_range(world, 1, 1, 0x10000, 0x11000), 1u << 1 | 1u << 2);
    assert_int_equal(wake_range(world, 1, 1, 0, UINT64_MAX), 1u << 0 | 1u << 3);
    assert_int_equal(wake_range(world, 1, 2, 0, UINT64_MAX), 1u << 5);
    assert_int_equal(wake_range(world, 2, 1, 0, UINT64_MAX), 1u << 4);
}

static void neighbouring_words_spread_over_the_buckets(void **state)
{
    bool used[PARK_BUCKETS];
    unsigned count = 0;

    (void)state;
    memset(used, 0, sizeof(used));
    for (virt_addr_t address = 0x10000; address < 0x10000 + 4 * PARK_BUCKETS; address += 4) {
        struct park_key key = key_of(1, 1, address);

        count += !used[park_bucket(&key)];
        used[park_bucket(&key)] = true;
    }
    assert_true(count > PARK_BUCKETS / 2);
}

#define PARK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARK_TEST(waiters_wake_in_the_order_they_came),
        PARK_TEST(only_the_whole_key_wakes),
        PARK_TEST(a_reused_space_with_a_colliding_key_wakes_nobody),
        PARK_TEST(keys_that_share_a_bucket_keep_their_own_order),
        PARK_TEST(a_waiter_is_removed_from_head_middle_and_tail),
        PARK_TEST(who_is_not_queued_is_not_removed),
        PARK_TEST(queueing_twice_is_caught),
        PARK_TEST(memory_that_goes_away_wakes_its_waiters_and_no_others),
        PARK_TEST(neighbouring_words_spread_over_the_buckets),
    };

    return cmocka_run_group_tests_name("park", tests, NULL, NULL);
}
