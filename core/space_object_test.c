// SPDX-License-Identifier: BSD-2-Clause
#include "core/space_fixture.h"

static struct frame *frame_at(frame_no_t frame)
{
    return &world->cadastre.frames.frames[frame];
}

static uint32_t mapping_at_address(virt_addr_t address)
{
    struct space_run run;
    space_query(cpu, space, address, &run);
    return run.mapping;
}

static const struct mapping *mapping_record(virt_addr_t address)
{
    return &world->cadastre.mappings.mappings[mapping_at_address(address)];
}

static void unmap(uint32_t object, virt_addr_t address, uint64_t pages)
{
    OK(space_unmap_object(cpu, space, object, address, pages, &work));
    assert_true(work.flush);
    assert_true(work.start <= address && work.end >= address + pages * KIB4);
    fixture_check();
}

/* --- map --- */

static void a_mapping_names_its_object_page_and_space(void **state)
{
    (void)state;
    uint32_t object = object_of(16);
    struct object_map_request request = { .object = object, .first_page = 5, .pages = 7,
                                          .address = BASE, .protection = R, .ceiling = RW };
    virt_addr_t at;
    OK(space_map_object(cpu, space, &request, &at));
    assert_true(at == BASE);
    const struct mapping *mapping = mapping_record(BASE + 6 * KIB4);
    assert_int_equal(mapping->object, object);
    assert_true(mapping->address == BASE);
    assert_int_equal(mapping->first_page, 5);
    assert_int_equal(mapping->pages, 7);
    assert_int_equal(mapping->ceiling, RW);
    assert_int_equal(mapping->space, space);
    assert_int_equal(record()->mapping_count, 1);
    assert_int_equal(record()->borrowed_pages, 7);
    fixture_check();
    fixture_check_charges();
    unmap(object, BASE, 7);
    fixture_finish();
    object_drop(object);
    assert_int_equal(record()->table_pages, 1);
    fixture_check_charges();
}

static void a_touch_fills_a_mapping_with_the_objects_frames(void **state)
{
    (void)state;
    uint32_t object = object_of(4);
    map(object, BASE, 4, RW, false);
    assert_false(entry_is_present(space_entry(cpu, space, BASE + 2 * KIB4)));
    *user_byte(BASE + 2 * KIB4 + 9, CAD_PROT_WRITE) = 0x42;
    frame_no_t frame = object_page(cpu, object, 2);
    assert_int_equal(world_page(world, frame)[9], 0x42);
    assert_int_equal(frame_at(frame)->maps, 1);
    assert_int_equal(frame_at(object_page(cpu, object, 1))->maps, 0);
    map(object, BASE + GIB1, 4, R, true);
    assert_int_equal(frame_at(frame)->maps, 2);
    assert_int_equal(*user_byte(BASE + GIB1 + 2 * KIB4 + 9, CAD_PROT_READ), 0x42);
    assert_null(user_byte(BASE + GIB1, CAD_PROT_WRITE));
    fixture_check();
    object_drop(object);
}

/* MO7 */
static void two_spaces_share_frames_and_give_everything_back(void **state)
{
    (void)state;
    uint32_t object = object_of(8), first = space, second;
    OK(space_create(cpu, world->ledger, &second));
    map(object, BASE, 8, RW, false);
    *user_byte(BASE + KIB4, CAD_PROT_WRITE) = 1;
    space = second;
    map(object, 2 * BASE + MIB2, 8, RW, true);
    *user_byte(2 * BASE + MIB2 + KIB4, CAD_PROT_WRITE) += 1;
    space = first;
    assert_int_equal(*user_byte(BASE + KIB4, CAD_PROT_READ), 2);
    object_unclaim(cpu, object, world->ledger);
    assert_false(object_put(cpu, object));
    unmap(object, BASE, 8);
    assert_int_equal(work.dead_count, 0);
    fixture_finish();
    space = second;
    unmap(object, 2 * BASE + MIB2, 8);
    assert_int_equal(work.dead_count, 1);
    assert_int_equal(work.dead_objects[0], object);
    fixture_finish();
    fixture_teardown(second);
    space = first;
    fixture_check_charges();
}

static void a_map_request_out_of_range_is_refused(void **state)
{
    (void)state;
    uint32_t object = object_of(8);
    virt_addr_t at;
    const struct {
        struct object_map_request request;
        status_t expected;
    } cases[] = {
        { { .pages = 0, .address = BASE, .protection = R, .ceiling = RW }, CAD_INVALID },
        { { .pages = 9, .address = BASE, .protection = R, .ceiling = RW }, CAD_INVALID },
        { { .first_page = 8, .pages = 1, .address = BASE, .protection = R, .ceiling = RW },
          CAD_INVALID },
        { { .first_page = 5, .pages = 4, .address = BASE, .protection = R, .ceiling = RW },
          CAD_INVALID },
        { { .first_page = UINT32_MAX, .pages = 2, .address = BASE, .protection = R,
            .ceiling = RW }, CAD_INVALID },
        { { .first_page = 1, .pages = UINT64_MAX, .address = BASE, .protection = R,
            .ceiling = RW }, CAD_INVALID },
        { { .first_page = 1, .pages = UINT64_MAX, .protection = R, .ceiling = RW }, CAD_INVALID },
        { { .pages = 1, .address = BASE + 8, .protection = R, .ceiling = RW }, CAD_INVALID },
        { { .pages = 1, .address = CAD_USER_END, .protection = R, .ceiling = RW }, CAD_INVALID },
        { { .pages = 1, .address = BASE, .protection = 16, .ceiling = 31 }, CAD_INVALID },
        { { .pages = 1, .address = BASE, .protection = 7, .ceiling = 7 }, CAD_WRITE_EXECUTE },
        { { .pages = 1, .address = BASE, .protection = RW, .ceiling = R }, CAD_NO_RIGHT },
        { { .pages = 1, .address = BASE, .protection = RX, .ceiling = RW }, CAD_NO_RIGHT },
        { { .pages = 1, .address = BASE, .protection = R, .ceiling = 0 }, CAD_NO_RIGHT },
        { { .pages = 1, .address = BASE, .protection = CAD_PROT_WRITE, .ceiling = CAD_PROT_WRITE },
          CAD_NO_RIGHT },
        { { .pages = 1, .address = CAD_RING_BASE, .protection = R, .ceiling = RW },
          CAD_PROTECTED_RANGE },
        { { .pages = 8, .address = CAD_SYSTEM_BASE - KIB4, .protection = R, .ceiling = RW },
          CAD_PROTECTED_RANGE },
    };
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        struct object_map_request request = cases[i].request;
        request.object = object;
        uint64_t hash = world_hash(world);
        assert_int_equal(space_map_object(cpu, space, &request, &at), cases[i].expected);
        assert_true(world_hash(world) == hash);
    }
    object_drop(object);
}

static void a_mapping_needs_every_page_free(void **state)
{
    (void)state;
    uint32_t object = object_of(4);
    struct object_map_request request = { .object = object, .pages = 4, .address = BASE,
                                          .protection = R, .ceiling = RW };
    virt_addr_t at;
    reserve(BASE + 3 * KIB4, 1);
    REFUSED(OVERLAP, space_map_object(cpu, space, &request, &at));
    OK(space_guard(cpu, space, BASE + 2 * KIB4, 1));
    REFUSED(PROTECTED_RANGE, space_map_object(cpu, space, &request, &at));
    map(object, BASE + 8 * KIB4, 4, R, false);
    request.address = BASE + 5 * KIB4;
    REFUSED(OVERLAP, space_map_object(cpu, space, &request, &at));
    object_drop(object);
}

static void the_space_chooses_a_free_address(void **state)
{
    (void)state;
    uint32_t object = object_of(PAGES_2M);
    struct object_map_request request = { .object = object, .pages = PAGES_2M,
                                          .protection = R, .ceiling = RW };
    virt_addr_t first, second, anonymous = 0;
    OK(space_map_object(cpu, space, &request, &first));
    OK(space_map_object(cpu, space, &request, &second));
    assert_true(record()->search == second + MIB2);
    OK(space_reserve(cpu, space, &anonymous, 1, RW));
    assert_true(record()->search == anonymous + KIB4);
    assert_true(first % MIB2 == 0 && second >= first + MIB2 && anonymous >= second + MIB2);
    fixture_check();
    object_drop(object);
}

static void a_mapping_is_charged_before_it_exists(void **state)
{
    (void)state;
    uint32_t object = object_of(8);
    struct object_map_request request = { .object = object, .pages = 8,
                                          .address = BASE + MIB2 - 4 * KIB4, .protection = RW,
                                          .ceiling = RW };
    virt_addr_t at;
    NEEDS_QUOTA(VIRTUAL, 8, space_map_object(cpu, space, &request, &at));
    request.address += GIB1;
    /* Level 1 and two leaf tables, a companion each, the record. */
    NEEDS_QUOTA(METADATA, 5 * CHARGE_FRAME + CHARGE_MAPPING,
                space_map_object(cpu, space, &request, &at));
    fixture_check_charges();
    object_drop(object);
}

static void another_ledgers_mapping_is_a_claim_of_its_own(void **state)
{
    (void)state;
    uint32_t ledger = world_ledger(world, 64, 7, 64 * PAGE_SIZE, 0), poor, first = space;
    uint32_t large = object_of(8), small = object_of(7);
    struct object_map_request request = { .object = large, .pages = 1, .address = BASE,
                                          .protection = R, .ceiling = R };
    virt_addr_t at;
    OK(space_create(cpu, ledger, &poor));
    space = poor;
    REFUSED(QUOTA_COMMITTED, space_map_object(cpu, space, &request, &at));
    request.object = small;
    OK(space_map_object(cpu, space, &request, &at));
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), 7);
    object_drop(small);
    fixture_check();
    fixture_teardown(poor);
    assert_int_equal(world_used(world, ledger, CAD_RESOURCE_COMMITTED), 0);
    ledger_put(cpu, ledger);
    space = first;
    object_drop(large);
}

/* --- unmap --- */

static void unmapping_ends_trims_the_record(void **state)
{
    (void)state;
    uint32_t object = object_of(10);
    map(object, BASE, 10, RW, true);
    uint64_t squeezed = quota_squeeze(CAD_RESOURCE_METADATA, 0);
    unmap(object, BASE, 3);
    assert_true(mapping_record(BASE + 3 * KIB4)->address == BASE + 3 * KIB4);
    assert_int_equal(mapping_record(BASE + 3 * KIB4)->first_page, 3);
    unmap(object, BASE + 8 * KIB4, 2);
    assert_int_equal(mapping_record(BASE + 3 * KIB4)->pages, 5);
    assert_int_equal(frame_at(object_page(cpu, object, 2))->maps, 0);
    assert_int_equal(frame_at(object_page(cpu, object, 3))->maps, 1);
    assert_int_equal(frame_at(object_page(cpu, object, 8))->maps, 0);
    assert_int_equal(record()->mapping_count, 1);
    ledger_release(cpu, world->ledger, CAD_RESOURCE_METADATA, squeezed);
    fixture_check_charges();
    object_drop(object);
}

static void a_hole_splits_the_record_in_two(void **state)
{
    (void)state;
    uint32_t object = object_of(16);
    map(object, BASE + MIB2 - 8 * KIB4, 16, RW, false);
    assert_non_null(user_byte(BASE + MIB2 + 7 * KIB4, CAD_PROT_WRITE));
    NEEDS_QUOTA(METADATA, CHARGE_MAPPING,
                space_unmap_object(cpu, space, object, BASE + MIB2 - 4 * KIB4, 6, &work));
    assert_int_equal(record()->mapping_count, 2);
    const struct mapping *head = mapping_record(BASE + MIB2 - 8 * KIB4);
    const struct mapping *tail = mapping_record(BASE + MIB2 + 2 * KIB4);
    assert_int_equal(head->pages, 4);
    assert_int_equal(tail->pages, 6);
    assert_int_equal(tail->first_page, 10);
    /* Absent and present pages of the tail still reach the object's page. */
    *user_byte(BASE + MIB2 + 6 * KIB4, CAD_PROT_WRITE) = 0x14;
    assert_int_equal(world_page(world, object_page(cpu, object, 14))[0], 0x14);
    *user_byte(BASE + MIB2 + 7 * KIB4, CAD_PROT_WRITE) = 0x15;
    assert_int_equal(world_page(world, object_page(cpu, object, 15))[0], 0x15);
    fixture_check_charges();
    object_drop(object);
}

static void one_unmap_spans_several_mappings_of_the_object(void **state)
{
    (void)state;
    uint32_t object = object_of(8);
    map(object, BASE, 8, R, true);
    map(object, BASE + 8 * KIB4, 4, RW, false);
    map(object, BASE + 12 * KIB4, 8, RW, true);
    unmap(object, BASE + 4 * KIB4, 12);
    assert_int_equal(record()->mapping_count, 2);
    assert_int_equal(record()->borrowed_pages, 8);
    assert_int_equal(mapping_record(BASE)->pages, 4);
    assert_int_equal(mapping_record(BASE + 16 * KIB4)->first_page, 4);
    unmap(object, BASE, 4);
    unmap(object, BASE + 16 * KIB4, 4);
    fixture_finish();
    assert_int_equal(record()->table_pages, 1);
    object_drop(object);
}

static void only_the_same_object_is_unmapped_or_protected(void **state)
{
    (void)state;
    uint32_t object = object_of(4), other = object_of(4);
    map(object, BASE, 4, RW, false);
    map(other, BASE + 4 * KIB4, 4, RW, true);
    REFUSED(WRONG_OBJECT, space_unmap_object(cpu, space, other, BASE, 4, &work));
    REFUSED(WRONG_OBJECT, space_unmap_object(cpu, space, object, BASE, 5, &work));
    REFUSED(WRONG_OBJECT, space_protect_object(cpu, space, object, BASE, 8, R, &work));
    REFUSED(WRONG_OBJECT, space_unmap_object(cpu, space, object, BASE - KIB4, 2, &work));
    REFUSED(NOT_RESERVED, space_unmap(cpu, space, BASE, 4, &work));
    REFUSED(NOT_RESERVED, space_protect(cpu, space, BASE, 4, R, &work));
    REFUSED(NOT_RESERVED, space_decommit(cpu, space, BASE, 4, &work));
    REFUSED(NOT_RESERVED, space_commit(cpu, space, BASE, 4, RW, 0));
    reserve(BASE + 8 * KIB4, 1);
    REFUSED(WRONG_OBJECT, space_unmap_object(cpu, space, other, BASE + 7 * KIB4, 2, &work));
    object_drop(object);
    object_drop(other);
}

/* MO2 */
static void the_last_mapping_keeps_the_object_alive(void **state)
{
    (void)state;
    uint32_t object = object_of(4);
    map(object, BASE, 4, RW, true);
    *user_byte(BASE, CAD_PROT_WRITE) = 9;
    object_unclaim(cpu, object, world->ledger);
    assert_false(object_put(cpu, object));
    fixture_check_charges();
    assert_int_equal(*user_byte(BASE, CAD_PROT_READ), 9);
    unmap(object, BASE, 2);
    assert_int_equal(work.dead_count, 0);
    unmap(object, BASE + 2 * KIB4, 2);
    assert_int_equal(work.dead_count, 1);
    fixture_finish();
    fixture_check_charges();
}

/* --- protect --- */

static void protection_stays_under_the_mappings_ceiling(void **state)
{
    (void)state;
    uint32_t object = object_of(4);
    struct object_map_request request = { .object = object, .pages = 2, .address = BASE,
                                          .protection = R, .ceiling = RW, .populate = true };
    virt_addr_t at;
    OK(space_map_object(cpu, space, &request, &at));
    request.address += 2 * KIB4;
    request.ceiling = R;
    OK(space_map_object(cpu, space, &request, &at));
    REFUSED(NO_RIGHT, space_protect_object(cpu, space, object, BASE, 4, RW, &work));
    REFUSED(NO_RIGHT, space_protect_object(cpu, space, object, BASE, 1, RX, &work));
    REFUSED(WRITE_EXECUTE, space_protect_object(cpu, space, object, BASE, 1, 7, &work));
    REFUSED(INVALID, space_protect_object(cpu, space, object, BASE, 1, 8, &work));
    OK(space_protect_object(cpu, space, object, BASE, 2, RW, &work));
    assert_false(work.flush);
    OK(space_protect_object(cpu, space, object, BASE, 4, R, &work));
    assert_true(work.flush);
    assert_null(user_byte(BASE, CAD_PROT_WRITE));
    fixture_check();
    object_drop(object);
}

static void protection_none_leaves_no_page_present(void **state)
{
    (void)state;
    uint32_t object = object_of(4);
    map(object, BASE, 4, RW, false);
    *user_byte(BASE, CAD_PROT_WRITE) = 3;
    OK(space_protect_object(cpu, space, object, BASE, 4, CAD_PROT_NONE, &work));
    assert_true(work.flush);
    assert_int_equal(frame_at(object_page(cpu, object, 0))->maps, 0);
    assert_null(user_byte(BASE, CAD_PROT_READ));
    fixture_check();
    OK(space_protect_object(cpu, space, object, BASE, 4, R, &work));
    assert_int_equal(*user_byte(BASE, CAD_PROT_READ), 3);
    fixture_check();
    object_drop(object);
}

static void accessed_and_dirty_outlive_every_change_of_protection(void **state)
{
    (void)state;
    const uint64_t marks = world_format.accessed | world_format.dirty;
    const uint32_t steps[] = { R, CAD_PROT_NONE, R, RW, CAD_PROT_NONE, RW };
    uint32_t object = object_of(4);
    map(object, BASE, 4, RW, true);
    assert_non_null(user_byte(BASE + 3 * KIB4, CAD_PROT_WRITE));
    assert_true((space_entry(cpu, space, BASE + 3 * KIB4) & marks) == marks);
    for (unsigned i = 0; i < ARRAY_COUNT(steps); i++) {
        OK(space_protect_object(cpu, space, object, BASE, 4, steps[i], &work));
        if (steps[i] != CAD_PROT_NONE) {
            OK(space_fault(cpu, space, BASE + 3 * KIB4, CAD_PROT_READ));
        }
        assert_true((space_entry(cpu, space, BASE + 3 * KIB4) & marks) == marks);
        assert_true((space_entry(cpu, space, BASE) & marks) == 0);
    }
    unmap(object, BASE + KIB4, 1);
    assert_true((space_entry(cpu, space, BASE + 3 * KIB4) & marks) == marks);
    object_drop(object);
}

static void anonymous_and_borrowed_pages_share_a_leaf_table(void **state)
{
    (void)state;
    uint32_t object = object_of(4);
    reserve(BASE, 4);
    OK(space_commit(cpu, space, BASE, 4, RW, CAD_COMMIT_EAGER));
    map(object, BASE + 4 * KIB4, 4, RW, true);
    assert_int_equal(record()->table_pages, 1 + 3 + 1);
    unmap(object, BASE + 4 * KIB4, 4);
    assert_int_equal(record()->table_pages, 1 + 3);
    map(object, BASE + 4 * KIB4, 4, RW, false);
    OK(space_unmap(cpu, space, BASE, 4, &work));
    fixture_finish();
    assert_int_equal(record()->table_pages, 1 + 3 + 1);
    fixture_check();
    fixture_check_charges();
    object_drop(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPACE_TEST(a_mapping_names_its_object_page_and_space),
        SPACE_TEST(a_touch_fills_a_mapping_with_the_objects_frames),
        SPACE_TEST(two_spaces_share_frames_and_give_everything_back),
        SPACE_TEST(a_map_request_out_of_range_is_refused),
        SPACE_TEST(a_mapping_needs_every_page_free),
        SPACE_TEST(the_space_chooses_a_free_address),
        SPACE_TEST(a_mapping_is_charged_before_it_exists),
        SPACE_TEST(another_ledgers_mapping_is_a_claim_of_its_own),
        SPACE_TEST(unmapping_ends_trims_the_record),
        SPACE_TEST(a_hole_splits_the_record_in_two),
        SPACE_TEST(one_unmap_spans_several_mappings_of_the_object),
        SPACE_TEST(only_the_same_object_is_unmapped_or_protected),
        SPACE_TEST(the_last_mapping_keeps_the_object_alive),
        SPACE_TEST(protection_stays_under_the_mappings_ceiling),
        SPACE_TEST(protection_none_leaves_no_page_present),
        SPACE_TEST(accessed_and_dirty_outlive_every_change_of_protection),
        SPACE_TEST(anonymous_and_borrowed_pages_share_a_leaf_table),
    };
    return cmocka_run_group_tests_name("space objects", tests, NULL, NULL);
}
