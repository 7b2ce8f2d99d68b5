// SPDX-License-Identifier: BSD-2-Clause
#include "core/test_world.h"

#include <pthread.h>
#include <string.h>

#include "core/charge.h"

static struct test_world *world;

static int make(void **state)
{
    (void)state;
    world = world_create(1024);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_destroy(world);
    return 0;
}

static struct ledger *at(uint32_t ledger)
{
    return &world->cadastre.ledgers.ledgers[ledger];
}

/* limit = available + used + donated, and donated = the sum of the children's limits. */
static void check_sums(void)
{
    const struct id_pool *ids = &world->cadastre.ledgers.ids;

    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        for (uint32_t i = 1; i < ids->capacity; i++) {
            uint64_t children = 0;
            if (!id_is_live(ids, i))
                continue;
            for (uint32_t child = 1; child < ids->capacity; child++) {
                if (id_is_live(ids, child) && at(child)->parent == i)
                    children += at(child)->limit[what];
            }
            assert_int_equal(at(i)->donated[what], children);
            assert_true(ledger_used(at(i), what) <= at(i)->limit[what]);
        }
    }
}

static void each_resource_has_its_own_refusal(void **state)
{
    (void)state;
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++) {
        status_t status = ledger_quota_status(what);
        uint64_t all = at(world->ledger)->available[what];
        uint64_t before = world_hash(world);
        assert_int_equal(ledger_reserve(world->cpu, world->ledger, what, all + 1), status);
        assert_int_equal(ledger_reserve(world->cpu, world->ledger, what, UINT64_MAX), status);
        assert_int_equal(world_hash(world), before);
        for (unsigned other = 0; other < what; other++)
            assert_int_not_equal(ledger_quota_status(other), status);
        assert_string_not_equal(ledger_resource_name(what), "?");
    }
    assert_int_equal(ledger_quota_status(CAD_RESOURCE_COMMITTED), CAD_QUOTA_COMMITTED);
    assert_int_equal(ledger_quota_status(CAD_RESOURCE_WAITERS), CAD_QUOTA_WAITERS);
}

static void reserve_takes_up_to_the_last_unit(void **state)
{
    (void)state;
    uint32_t ledger = world_ledger(world, 0, 10, 0, 0);

    assert_int_equal(ledger_reserve(world->cpu, ledger, CAD_RESOURCE_COMMITTED, 4), CAD_OK);
    assert_int_equal(ledger_reserve(world->cpu, ledger, CAD_RESOURCE_COMMITTED, 7),
                     CAD_QUOTA_COMMITTED);
    assert_int_equal(ledger_reserve(world->cpu, ledger, CAD_RESOURCE_COMMITTED, 6), CAD_OK);
    assert_int_equal(ledger_reserve(world->cpu, ledger, CAD_RESOURCE_COMMITTED, 1),
                     CAD_QUOTA_COMMITTED);
    assert_int_equal(ledger_reserve(world->cpu, ledger, CAD_RESOURCE_COMMITTED, 0), CAD_OK);
    assert_int_equal(world_used(world, ledger, CAD_RESOURCE_COMMITTED), 10);
    ledger_release(world->cpu, ledger, CAD_RESOURCE_COMMITTED, 10);
    ledger_put(world->cpu, ledger);
}

static void releasing_more_than_is_used_is_caught(void **state)
{
    (void)state;
    assert_int_equal(ledger_reserve(world->cpu, world->ledger, CAD_RESOURCE_SLOTS, 5), CAD_OK);
    expect_assert_failure(ledger_release(world->cpu, world->ledger, CAD_RESOURCE_SLOTS, 6));
    expect_assert_failure(
        ledger_release(world->cpu, world->ledger, CAD_RESOURCE_SLOTS, UINT64_MAX));
    ledger_release(world->cpu, world->ledger, CAD_RESOURCE_SLOTS, 5);
    expect_assert_failure(ledger_release(world->cpu, world->ledger, CAD_RESOURCE_SLOTS, 1));
    /* What was donated is not used, so it cannot be released either. */
    expect_assert_failure(ledger_release(world->cpu, world->root, CAD_RESOURCE_SLOTS, 1));
}

static void child_is_charged_to_its_parent_and_starts_empty(void **state)
{
    uint32_t child;
    uint64_t before = world_used(world, world->ledger, CAD_RESOURCE_METADATA);

    (void)state;
    assert_int_equal(ledger_create_child(world->cpu, world->ledger,
                                         "a name that is longer than it may be", &child),
                     CAD_OK);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_METADATA),
                     before + CHARGE_LEDGER);
    assert_int_equal(strlen(at(child)->name), LEDGER_NAME_BYTES - 1);
    for (unsigned what = 0; what < CAD_RESOURCE_COUNT; what++)
        assert_int_equal(ledger_reserve(world->cpu, child, what, 1), ledger_quota_status(what));
    ledger_put(world->cpu, child);
    assert_int_equal(world_used(world, world->ledger, CAD_RESOURCE_METADATA), before);
}

static void refused_child_changes_nothing(void **state)
{
    (void)state;
    uint32_t poor = world_ledger(world, 0, 0, CHARGE_LEDGER - 1, 0), child = 77;
    uint64_t before = world_hash(world);

    assert_int_equal(ledger_create_child(world->cpu, poor, "", &child), CAD_QUOTA_METADATA);
    assert_int_equal(child, 77);
    assert_int_equal(world_hash(world), before);
    world_fail_after(world, 0);
    assert_int_equal(ledger_create_child(world->cpu, world->ledger, "", &child), CAD_PRESSURE);
    assert_int_equal(child, 77);
    assert_int_equal(world_hash(world), before);
    world_fail_never(world);
    ledger_put(world->cpu, poor);
}

static void donation_moves_a_limit_and_comes_back(void **state)
{
    (void)state;
    uint32_t child = world_ledger(world, 0, 10, 0, 0);

    check_sums();
    assert_int_equal(ledger_reserve(world->cpu, child, CAD_RESOURCE_COMMITTED, 7), CAD_OK);
    assert_int_equal(ledger_take_back(world->cpu, world->root, child, CAD_RESOURCE_COMMITTED, 4),
                     CAD_UNCHARGED);
    assert_int_equal(ledger_take_back(world->cpu, world->root, child, CAD_RESOURCE_COMMITTED, 3),
                     CAD_OK);
    assert_int_equal(at(child)->limit[CAD_RESOURCE_COMMITTED], 7);
    assert_int_equal(at(child)->available[CAD_RESOURCE_COMMITTED], 0);
    check_sums();
    ledger_release(world->cpu, child, CAD_RESOURCE_COMMITTED, 7);
    ledger_put(world->cpu, child);
}

static void bad_donations_are_refused_and_change_nothing(void **state)
{
    (void)state;
    uint32_t child = world_ledger(world, 0, 10, 4096, 0), other = world_ledger(world, 0, 0, 0, 0);
    enum cad_resource none = (enum cad_resource)CAD_RESOURCE_COUNT;
    uint64_t before = world_hash(world);

    assert_int_equal(ledger_donate(world->cpu, child, other, CAD_RESOURCE_COMMITTED, 1),
                     CAD_INVALID);
    assert_int_equal(ledger_take_back(world->cpu, child, other, CAD_RESOURCE_COMMITTED, 0),
                     CAD_INVALID);
    assert_int_equal(ledger_donate(world->cpu, world->root, child, none, 0),
                     CAD_INVALID);
    assert_int_equal(ledger_take_back(world->cpu, world->root, child, none, 0),
                     CAD_INVALID);
    assert_int_equal(ledger_donate(world->cpu, world->root, child, CAD_RESOURCE_SLOTS,
                                   at(world->root)->available[CAD_RESOURCE_SLOTS] + 1),
                     CAD_QUOTA_SLOTS);
    assert_int_equal(ledger_donate(world->cpu, child, child, CAD_RESOURCE_SLOTS, 0), CAD_INVALID);
    assert_int_equal(ledger_take_back(world->cpu, world->root, child, CAD_RESOURCE_COMMITTED, 11),
                     CAD_UNCHARGED);
    assert_int_equal(world_hash(world), before);
    ledger_put(world->cpu, child);
    ledger_put(world->cpu, other);
}

static void guarantees_never_exceed_the_root(void **state)
{
    (void)state;
    uint64_t machine = at(world->root)->limit[CAD_RESOURCE_COMMITTED], reserved = 0;
    uint32_t children[8];

    for (unsigned i = 0; i < 8; i++)
        children[i] = world_ledger(world, 0, 10 * i, 0, 0);
    for (uint32_t ledger = 1; ledger < world->cadastre.ledgers.ids.capacity; ledger++) {
        if (!id_is_live(&world->cadastre.ledgers.ids, ledger))
            continue;
        while (ledger_reserve(world->cpu, ledger, CAD_RESOURCE_COMMITTED, 1) == CAD_OK)
            reserved++;
    }
    assert_int_equal(reserved, machine);
    for (uint32_t ledger = 1; ledger < world->cadastre.ledgers.ids.capacity; ledger++) {
        if (id_is_live(&world->cadastre.ledgers.ids, ledger))
            ledger_release(world->cpu, ledger, CAD_RESOURCE_COMMITTED,
                           world_used(world, ledger, CAD_RESOURCE_COMMITTED));
    }
    for (unsigned i = 0; i < 8; i++)
        ledger_put(world->cpu, children[i]);
}

static void last_reference_returns_all_it_was_given(void **state)
{
    (void)state;
    uint64_t before = at(world->root)->available[CAD_RESOURCE_VIRTUAL];
    uint32_t child = world_ledger(world, 1000, 10, 4096, 3);

    ledger_take(world->cpu, child);
    ledger_put(world->cpu, child);
    assert_true(id_is_live(&world->cadastre.ledgers.ids, child));
    ledger_put(world->cpu, child);
    assert_false(id_is_live(&world->cadastre.ledgers.ids, child));
    assert_int_equal(at(world->root)->available[CAD_RESOURCE_VIRTUAL], before);
    check_sums();
}

static void parent_without_references_lives_as_long_as_its_children(void **state)
{
    (void)state;
    uint32_t chain[6];

    chain[0] = world_ledger(world, 0, 0, 4096, 0);
    for (unsigned i = 1; i < 6; i++) {
        assert_int_equal(ledger_create_child(world->cpu, chain[i - 1], "link", &chain[i]), CAD_OK);
        assert_int_equal(ledger_donate(world->cpu, chain[i - 1], chain[i], CAD_RESOURCE_METADATA,
                                       4096 - 512 * i), CAD_OK);
    }
    for (unsigned i = 0; i < 5; i++) {
        ledger_put(world->cpu, chain[i]);
        assert_true(id_is_live(&world->cadastre.ledgers.ids, chain[i]));
    }
    check_sums();
    ledger_put(world->cpu, chain[5]); /* and all of them go */
    for (unsigned i = 0; i < 6; i++)
        assert_false(id_is_live(&world->cadastre.ledgers.ids, chain[i]));
}

static void collecting_twice_or_too_early_does_nothing(void **state)
{
    (void)state;
    uint32_t child = world_ledger(world, 0, 0, 0, 0);

    ledger_collect(world->cpu, child);
    assert_true(id_is_live(&world->cadastre.ledgers.ids, child));
    ledger_put(world->cpu, child);
    uint64_t before = world_hash(world);
    ledger_collect(world->cpu, child);
    ledger_collect(world->cpu, ID_NONE);
    assert_int_equal(world_hash(world), before);
    expect_assert_failure(ledger_put(world->cpu, child));
    expect_assert_failure(ledger_take(world->cpu, child));
}

static void ledger_that_ends_with_charges_is_caught(void **state)
{
    (void)state;
    uint32_t child = world_ledger(world, 0, 5, 0, 0);

    assert_int_equal(ledger_reserve(world->cpu, child, CAD_RESOURCE_COMMITTED, 1), CAD_OK);
    expect_assert_failure(ledger_put(world->cpu, child));
    ledger_release(world->cpu, child, CAD_RESOURCE_COMMITTED, 1);
    ledger_collect(world->cpu, child);
}

/* --- several CPUs --- */

enum { RACERS = 3, RACES = 20000 };

static void *race_charges(void *ledger)
{
    for (unsigned i = 0; i < RACES; i++) {
        if (ledger_reserve(world->cpu, *(uint32_t *)ledger, CAD_RESOURCE_COMMITTED, 3) == CAD_OK)
            ledger_release(world->cpu, *(uint32_t *)ledger, CAD_RESOURCE_COMMITTED, 3);
        ledger_take(world->cpu, *(uint32_t *)ledger);
        ledger_put(world->cpu, *(uint32_t *)ledger);
    }
    return NULL;
}

static void racing_charges_and_donations_lose_nothing(void **state)
{
    (void)state;
    uint32_t child = world_ledger(world, 0, 8, 0, 0);
    pthread_t threads[RACERS];

    for (unsigned i = 0; i < RACERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race_charges, &child), 0);
    for (unsigned i = 0; i < RACES; i++) {
        assert_int_equal(ledger_donate(world->cpu, world->root, child, CAD_RESOURCE_COMMITTED, 2),
                         CAD_OK);
        while (ledger_take_back(world->cpu, world->root, child, CAD_RESOURCE_COMMITTED, 2) !=
               CAD_OK)
            ;
    }
    for (unsigned i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(at(child)->limit[CAD_RESOURCE_COMMITTED], 8);
    assert_int_equal(at(child)->available[CAD_RESOURCE_COMMITTED], 8);
    check_sums();
    ledger_put(world->cpu, child);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)
    const struct CMUnitTest tests[] = {
        TEST(each_resource_has_its_own_refusal),
        TEST(reserve_takes_up_to_the_last_unit),
        TEST(releasing_more_than_is_used_is_caught),
        TEST(child_is_charged_to_its_parent_and_starts_empty),
        TEST(refused_child_changes_nothing),
        TEST(donation_moves_a_limit_and_comes_back),
        TEST(bad_donations_are_refused_and_change_nothing),
        TEST(guarantees_never_exceed_the_root),
        TEST(last_reference_returns_all_it_was_given),
        TEST(parent_without_references_lives_as_long_as_its_children),
        TEST(collecting_twice_or_too_early_does_nothing),
        TEST(ledger_that_ends_with_charges_is_caught),
        TEST(racing_charges_and_donations_lose_nothing),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
