// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spaces here are records without page tables: all that mapping records need.
 */
#include "core/mapping.h"

#include "core/charge.h"
#include "core/test_world.h"

#define PAGES   40u
#define ADDRESS UINT64_C(0x400000)

static struct test_world *world;
static uint32_t object, space;

static uint32_t space_of(uint32_t ledger)
{
    struct space_table *spaces = &world->cadastre.spaces;
    uint32_t made;

    assert_true(id_pool_take(world->cpu, &spaces->ids, &made));
    spaces->spaces[made].ledger = ledger;
    spaces->spaces[made].mappings = ID_NONE;
    spaces->spaces[made].mapping_count = 0;
    return made;
}

static int make(void **state)
{
    (void)state;
    world = world_create(1024);
    space = space_of(world->ledger);
    assert_int_equal(object_create(world->cpu, world->ledger, PAGES, &object), CAD_OK);
    return 0;
}

/* Needs: no mapping left. */
static int end(void **state)
{
    (void)state;
    object_check_invariants(world->cpu);
    object_unclaim(world->cpu, object, world->ledger);
    assert_true(object_put(world->cpu, object));
    assert_true(object_destroy_step(world->cpu, object, PAGES));
    id_pool_put(&world->cadastre.spaces.ids, space);
    world_destroy(world);
    return 0;
}

static struct mapping *record(uint32_t mapping)
{
    return &world->cadastre.mappings.mappings[mapping];
}

static uint32_t map(uint32_t into, virt_addr_t address, uint32_t first_page, uint32_t pages)
{
    uint32_t mapping;

    assert_int_equal(mapping_create(world->cpu, object, into, address, first_page, pages,
                                    CAD_PROT_READ | CAD_PROT_WRITE, &mapping), CAD_OK);
    object_check_invariants(world->cpu);
    return mapping;
}

static void unmap(uint32_t mapping)
{
    assert_false(mapping_destroy(world->cpu, mapping)); /* the creator's reference is left */
    object_check_invariants(world->cpu);
}

static uint64_t used(enum cad_resource what)
{
    return world_used(world, world->ledger, what);
}

/* The space's list, checked link by link. */
static uint32_t space_list_count(uint32_t of)
{
    const struct space *listed = &world->cadastre.spaces.spaces[of];
    uint32_t count = 0, before = ID_NONE;

    for (uint32_t at = listed->mappings; at != ID_NONE; at = record(at)->space_next) {
        assert_int_equal(record(at)->space, of);
        assert_int_equal(record(at)->space_previous, before);
        before = at;
        count++;
    }
    assert_int_equal(count, listed->mapping_count);
    return count;
}

static void a_record_is_the_identity_of_its_mapping(void **state)
{
    uint32_t mapping = map(space, ADDRESS, 3, 5);
    const struct cadastre *cadastre = &world->cadastre;

    (void)state;
    assert_int_equal(record(mapping)->object, object);
    assert_int_equal(record(mapping)->object_generation,
                     cadastre->objects.ids.slots[object].generation);
    assert_int_equal(record(mapping)->space, space);
    assert_int_equal(record(mapping)->space_generation,
                     cadastre->spaces.ids.slots[space].generation);
    assert_int_equal(record(mapping)->address, ADDRESS);
    assert_int_equal(record(mapping)->first_page, 3);
    assert_int_equal(record(mapping)->pages, 5);
    assert_int_equal(record(mapping)->ceiling, CAD_PROT_READ | CAD_PROT_WRITE);
    assert_int_equal(record(mapping)->ledger, world->ledger);
    assert_int_equal(mapping_page(record(mapping), ADDRESS), 3);
    assert_int_equal(mapping_page(record(mapping), ADDRESS + 4 * PAGE_SIZE + 77), 7);
    unmap(mapping);
}

static void a_mapping_costs_its_record_where_the_object_is_paid_already(void **state)
{
    uint64_t metadata = used(CAD_RESOURCE_METADATA);
    uint32_t mapping = map(space, ADDRESS, 0, PAGES);

    (void)state;
    assert_int_equal(used(CAD_RESOURCE_METADATA), metadata + CHARGE_MAPPING);
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), PAGES);
    unmap(mapping);
    assert_int_equal(used(CAD_RESOURCE_METADATA), metadata);
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), PAGES);
}

static void another_spaces_ledger_pays_for_the_object_too(void **state)
{
    uint32_t ledger = world_ledger(world, 0, PAGES, CHARGE_MAPPING + CHARGE_CLAIM, 0);
    uint32_t other = space_of(ledger);
    uint32_t mapping = map(other, ADDRESS, 0, 1);

    (void)state;
    assert_int_equal(world_used(world, ledger, CAD_RESOURCE_COMMITTED), PAGES);
    assert_int_equal(world_used(world, ledger, CAD_RESOURCE_METADATA),
                     CHARGE_MAPPING + CHARGE_CLAIM);
    unmap(mapping);
    assert_int_equal(world_used(world, ledger, CAD_RESOURCE_COMMITTED), 0);
    id_pool_put(&world->cadastre.spaces.ids, other);
    ledger_put(world->cpu, ledger); /* CHECKs that nothing is used */
}

/* LG4 and MO2: capability dropped, mapping left. */
static void mapping_and_dropping_the_capability_frees_nothing(void **state)
{
    uint32_t made, mapping;

    (void)state;
    assert_int_equal(object_create(world->cpu, world->ledger, 7, &made), CAD_OK);
    assert_int_equal(mapping_create(world->cpu, made, space, ADDRESS, 0, 7, CAD_PROT_READ,
                                    &mapping), CAD_OK);
    object_unclaim(world->cpu, made, world->ledger);
    assert_false(object_put(world->cpu, made));
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), PAGES + 7);
    assert_true(mapping_destroy(world->cpu, mapping)); /* the last reference */
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), PAGES);
    assert_true(object_destroy_step(world->cpu, made, 7));
}

static void a_refused_mapping_changes_nothing(void **state)
{
    static const struct {
        uint64_t pages, bytes;
        status_t status;
    } limits[] = {
        { PAGES, CHARGE_MAPPING - 1, CAD_QUOTA_METADATA },
        { PAGES, CHARGE_MAPPING + CHARGE_CLAIM - 1, CAD_QUOTA_METADATA },
        { PAGES - 1, CHARGE_MAPPING + CHARGE_CLAIM, CAD_QUOTA_COMMITTED },
        { PAGES, CHARGE_MAPPING + CHARGE_CLAIM, CAD_PRESSURE },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(limits); i++) {
        uint32_t ledger = world_ledger(world, 0, limits[i].pages, limits[i].bytes, 0);
        uint32_t other = space_of(ledger);
        uint32_t mapping = 7;
        uint64_t before = world_hash(world);

        if (limits[i].status == CAD_PRESSURE) {
            world_fail_after(world, 1); /* the claim's record comes, the mapping's does not */
        }
        assert_int_equal(mapping_create(world->cpu, object, other, ADDRESS, 0, 1, CAD_PROT_READ,
                                        &mapping), limits[i].status);
        world_fail_never(world);
        assert_int_equal(mapping, 7);
        assert_int_equal(world_hash(world), before);
        id_pool_put(&world->cadastre.spaces.ids, other);
        ledger_put(world->cpu, ledger);
    }
}

static void an_object_and_a_space_list_all_their_mappings(void **state)
{
    uint32_t other = space_of(world->ledger);
    uint32_t mappings[6];

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(mappings); i++) {
        mappings[i] = map(i % 2 == 0 ? space : other, ADDRESS + i * PAGE_SIZE, i, 1);
    }
    assert_int_equal(world->cadastre.objects.objects[object].mapping_count, 6);
    assert_int_equal(space_list_count(space), 3);
    assert_int_equal(space_list_count(other), 3);
    unmap(mappings[2]); /* from the middle, the newest, the oldest */
    assert_int_equal(space_list_count(space), 2);
    unmap(mappings[5]);
    unmap(mappings[0]);
    assert_int_equal(space_list_count(space), 1);
    assert_int_equal(space_list_count(other), 2);
    unmap(mappings[1]);
    unmap(mappings[3]);
    unmap(mappings[4]);
    assert_int_equal(space_list_count(space) + space_list_count(other), 0);
    id_pool_put(&world->cadastre.spaces.ids, other);
}

static void a_split_makes_two_records_that_meet(void **state)
{
    uint64_t metadata = used(CAD_RESOURCE_METADATA);
    uint32_t mapping = map(space, ADDRESS, 10, 8);
    uint32_t tail;

    (void)state;
    assert_int_equal(mapping_split(world->cpu, mapping, 3, &tail), CAD_OK);
    assert_int_equal(record(mapping)->address, ADDRESS);
    assert_int_equal(record(mapping)->first_page, 10);
    assert_int_equal(record(mapping)->pages, 3);
    assert_int_equal(record(tail)->address, ADDRESS + 3 * PAGE_SIZE);
    assert_int_equal(record(tail)->first_page, 13);
    assert_int_equal(record(tail)->pages, 5);
    assert_int_equal(record(tail)->ceiling, record(mapping)->ceiling);
    assert_int_equal(record(tail)->object_generation, record(mapping)->object_generation);
    assert_int_equal(record(tail)->space_generation, record(mapping)->space_generation);
    assert_int_equal(used(CAD_RESOURCE_METADATA), metadata + 2 * CHARGE_MAPPING);
    assert_int_equal(world->cadastre.objects.objects[object].references, 3);
    assert_int_equal(space_list_count(space), 2);
    unmap(mapping); /* either half may go first */
    assert_int_equal(record(tail)->pages, 5);
    unmap(tail);
    assert_int_equal(used(CAD_RESOURCE_METADATA), metadata);
}

static void a_refused_split_changes_nothing(void **state)
{
    uint32_t ledger = world_ledger(world, 0, PAGES, 2 * CHARGE_MAPPING + CHARGE_CLAIM - 1, 0);
    uint32_t other = space_of(ledger);
    uint32_t poor = map(other, ADDRESS, 0, 4);
    uint32_t mapping = map(space, ADDRESS, 0, 4);
    uint32_t tail = 7;
    uint64_t before = world_hash(world);

    (void)state;
    assert_int_equal(mapping_split(world->cpu, poor, 2, &tail), CAD_QUOTA_METADATA);
    world_fail_after(world, 0);
    assert_int_equal(mapping_split(world->cpu, mapping, 2, &tail), CAD_PRESSURE);
    world_fail_never(world);
    assert_int_equal(tail, 7);
    assert_int_equal(world_hash(world), before);
    unmap(mapping);
    unmap(poor);
    id_pool_put(&world->cadastre.spaces.ids, other);
    ledger_put(world->cpu, ledger);
}

static void trimming_keeps_each_page_at_its_address(void **state)
{
    uint32_t mapping = map(space, ADDRESS, 10, 8);

    (void)state;
    mapping_trim_head(world->cpu, mapping, 2);
    mapping_trim_tail(world->cpu, mapping, 3);
    assert_int_equal(record(mapping)->address, ADDRESS + 2 * PAGE_SIZE);
    assert_int_equal(record(mapping)->first_page, 12);
    assert_int_equal(record(mapping)->pages, 3);
    assert_int_equal(mapping_page(record(mapping), ADDRESS + 2 * PAGE_SIZE), 12);
    expect_assert_failure(mapping_trim_head(world->cpu, mapping, 3));
    expect_assert_failure(mapping_trim_tail(world->cpu, mapping, 3));
    unmap(mapping);
}

static void check_is_caught(uint32_t first_page, uint32_t pages)
{
    expect_assert_failure((void)map(space, ADDRESS, first_page, pages));
}

static void pages_outside_the_object_are_caught(void **state)
{
    (void)state;
    check_is_caught(0, 0);
    check_is_caught(PAGES, 1);
    check_is_caught(0, PAGES + 1);
    check_is_caught(PAGES - 1, 2);
    check_is_caught(1, UINT32_MAX);
}

#define MAPPING_TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAPPING_TEST(a_record_is_the_identity_of_its_mapping),
        MAPPING_TEST(a_mapping_costs_its_record_where_the_object_is_paid_already),
        MAPPING_TEST(another_spaces_ledger_pays_for_the_object_too),
        MAPPING_TEST(mapping_and_dropping_the_capability_frees_nothing),
        MAPPING_TEST(a_refused_mapping_changes_nothing),
        MAPPING_TEST(an_object_and_a_space_list_all_their_mappings),
        MAPPING_TEST(a_split_makes_two_records_that_meet),
        MAPPING_TEST(a_refused_split_changes_nothing),
        MAPPING_TEST(trimming_keeps_each_page_at_its_address),
        MAPPING_TEST(pages_outside_the_object_are_caught),
    };

    return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
