// SPDX-License-Identifier: BSD-2-Clause
#include "core/space_fixture.h"

static void a_touch_finds_zeroes_and_keeps_what_is_written(void **state)
{
    (void)state;
    reserve(BASE, 4);
    commit(BASE, 4);
    assert_int_equal(state_at(BASE + KIB4), ENTRY_COMMITTED);
    OK(space_fault(cpu, space, BASE + KIB4 + 123, CAD_PROT_WRITE));
    frame_no_t frame = entry_value(space_entry(cpu, space, BASE + KIB4));
    assert_true(world_page_is_zero(world, frame));
    *user_byte(BASE + KIB4 + 123, CAD_PROT_WRITE) = 5;
    OK(space_fault(cpu, space, BASE + KIB4, CAD_PROT_READ));
    assert_int_equal(entry_value(space_entry(cpu, space, BASE + KIB4)), frame);
    assert_int_equal(world_page(world, frame)[123], 5);
    assert_int_equal(record()->resident_pages, 1);
    assert_int_equal(record()->committed_pages, 4);
    fixture_check();
    fixture_check_charges();
}

static void a_frame_knows_the_entry_that_holds_it(void **state)
{
    (void)state;
    reserve(BASE, 512);
    commit(BASE, 512);
    OK(space_fault(cpu, space, BASE + 77 * KIB4, CAD_PROT_READ));
    frame_no_t frame = entry_value(space_entry(cpu, space, BASE + 77 * KIB4));
    const struct frame *owned = &world->cadastre.frames.frames[frame];
    assert_int_equal(owned->state, FRAME_ANON);
    assert_int_equal(owned->detail, 77);
    const struct frame *table = &world->cadastre.frames.frames[owned->owner];
    assert_int_equal(table->kind, FRAME_KIND_TABLE);
    assert_int_equal(table->owner, space);
}

static void a_touch_is_held_against_the_owed_protection(void **state)
{
    (void)state;
    const struct {
        uint32_t protection;
        status_t read, write, execute;
    } cases[] = {
        { CAD_PROT_NONE, CAD_BAD_ADDRESS, CAD_BAD_ADDRESS, CAD_BAD_ADDRESS },
        { R, CAD_OK, CAD_BAD_ADDRESS, CAD_BAD_ADDRESS },
        { RW, CAD_OK, CAD_OK, CAD_BAD_ADDRESS },
        { RX, CAD_OK, CAD_BAD_ADDRESS, CAD_OK },
    };
    reserve(BASE, 8);
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        virt_addr_t at = BASE + i * KIB4;
        OK(space_commit(cpu, space, at, 1, cases[i].protection, 0));
        for (unsigned present = 0; present < 2; present++) {
            assert_int_equal(space_fault(cpu, space, at, CAD_PROT_WRITE), cases[i].write);
            assert_int_equal(space_fault(cpu, space, at, CAD_PROT_EXECUTE), cases[i].execute);
            assert_int_equal(space_fault(cpu, space, at, CAD_PROT_READ), cases[i].read);
        }
    }
    fixture_check();
}

static void a_touch_of_nothing_is_a_bad_address(void **state)
{
    (void)state;
    const virt_addr_t addresses[] = { 0, 1, CAD_USER_BASE - 1, CAD_USER_BASE, BASE, BASE + GIB1,
                                      CAD_SYSTEM_BASE, CAD_USER_END - 1, CAD_USER_END,
                                      UINT64_C(0x0000800000000000),
                                      UINT64_C(0xffff800000000000), UINT64_MAX };
    reserve(BASE + GIB1, PAGES_1G);
    OK(space_guard(cpu, space, BASE, 1));
    frame_no_t frame = 7;
    for (unsigned i = 0; i < ARRAY_COUNT(addresses); i++) {
        REFUSED(BAD_ADDRESS, space_fault(cpu, space, addresses[i], CAD_PROT_READ));
        REFUSED(BAD_ADDRESS, world_resolve(cpu, space, addresses[i], CAD_PROT_READ, &frame));
    }
    assert_int_equal(frame, 7);
}

static void a_committed_page_needs_only_its_frame(void **state)
{
    (void)state;
    reserve(BASE, PAGES_2M);
    commit(BASE, PAGES_2M);
    uint64_t squeezed = quota_squeeze(CAD_RESOURCE_METADATA, 0);
    uint64_t pages = quota_squeeze(CAD_RESOURCE_COMMITTED, 0);
    world_fail_after(world, 0);
    REFUSED(PRESSURE, space_fault(cpu, space, BASE, CAD_PROT_WRITE));
    world_fail_after(world, 1);
    OK(space_fault(cpu, space, BASE, CAD_PROT_WRITE));
    world_fail_never(world);
    ledger_release(cpu, world->ledger, CAD_RESOURCE_METADATA, squeezed);
    ledger_release(cpu, world->ledger, CAD_RESOURCE_COMMITTED, pages);
    fixture_check_charges();
}

static void a_page_of_an_object_needs_nothing(void **state)
{
    (void)state;
    uint32_t object = object_of(4);
    map(object, BASE, 4, RW, false);
    world_fail_after(world, 0);
    OK(space_fault(cpu, space, BASE + 3 * KIB4, CAD_PROT_WRITE));
    world_fail_never(world);
    assert_int_equal(entry_value(space_entry(cpu, space, BASE + 3 * KIB4)),
                     object_page(cpu, object, 3));
    fixture_check();
    object_drop(object);
}

static void resolving_leaves_the_marks_of_its_access(void **state)
{
    (void)state;
    frame_no_t frame;
    reserve(BASE, 2);
    commit(BASE, 2);
    OK(world_resolve(cpu, space, BASE, CAD_PROT_READ, &frame));
    assert_true((space_entry(cpu, space, BASE) & world_format.accessed) != 0);
    assert_true((space_entry(cpu, space, BASE) & world_format.dirty) == 0);
    OK(world_resolve(cpu, space, BASE + 4095, CAD_PROT_WRITE, &frame));
    assert_true((space_entry(cpu, space, BASE) & world_format.dirty) != 0);
    assert_int_equal(entry_value(space_entry(cpu, space, BASE)), frame);
}

static uint64_t *word_at(virt_addr_t address)
{
    struct cursor cursor = cursor_unlocked(cpu, space);
    struct span span;
    span_find(cpu, &cursor, address, address + KIB4, &span);
    return span.words;
}

static bool reads(virt_addr_t address, uint32_t *value)
{
    return space_try_read(cpu, space, address, value);
}

static void a_word_of_an_absent_page_is_not_read(void **state)
{
    (void)state;
    uint32_t object = object_of(1), value;
    map(object, BASE, 1, RW, true);
    (void)user_byte(BASE, CAD_PROT_READ);
    assert_true(reads(BASE, &value));
    OK(space_protect_object(cpu, space, object, BASE, 1, CAD_PROT_NONE, &work));
    fixture_finish();
    OK(space_protect_object(cpu, space, object, BASE, 1, R, &work));
    fixture_finish();
    assert_true((space_entry(cpu, space, BASE) & world_format.accessed) != 0);
    assert_false(reads(BASE, &value));
    object_drop(object);
}

static void a_word_is_read_only_where_a_user_reads_it_without_a_fault(void **state)
{
    (void)state;
    const uint64_t accessed = cpu->cadastre->format->accessed;
    const virt_addr_t word = BASE + KIB4 + 20;
    uint32_t value = 7;
    reserve(BASE, 4);
    assert_false(reads(word, &value));
    commit(BASE, 3);
    assert_false(reads(word, &value));
    *user_byte(word, CAD_PROT_WRITE) = 5;
    assert_true(reads(word, &value));
    assert_int_equal(value, 5);
    value = 7;
    assert_false(reads(word - 20 - KIB4, &value));
    assert_false(reads((UINT64_C(1) << 48) + word, &value));
    *word_at(word) &= ~accessed;
    assert_false(reads(word, &value));
    *word_at(word) |= accessed;
    OK(space_protect(cpu, space, BASE, 3, CAD_PROT_NONE, &work));
    fixture_finish();
    assert_false(reads(word, &value));
    OK(space_protect(cpu, space, BASE, 3, R, &work));
    fixture_finish();
    assert_true(reads(word, &value));
    OK(space_unmap(cpu, space, BASE, 4, &work));
    assert_false(reads(word, &value));
    fixture_finish();
    fixture_check();
}

/* --- system pages --- */

/* A ring that shares no leaf table with the CapSet. */
#define FAR_RING (CAD_RING_BASE + GIB1)

static void system_pages_are_charged_zeroed_and_given_back(void **state)
{
    (void)state;
    frame_no_t ring = FRAME_NONE, capset;
    /* Levels 2, 1 and 0, and the page. */
    NEEDS_QUOTA(METADATA, 4 * CHARGE_FRAME,
                space_map_system(cpu, space, FAR_RING, RW, &ring));
    OK(space_map_system(cpu, space, CAD_CAPSET_ADDRESS, R, &capset));
    assert_true(world_page_is_zero(world, ring));
    assert_int_equal(record()->system_pages, 2);
    fixture_check_charges();
    world_page(world, ring)[5] = 6;
    assert_int_equal(*user_byte(FAR_RING + 5, CAD_PROT_WRITE), 6);
    assert_null(user_byte(CAD_CAPSET_ADDRESS, CAD_PROT_WRITE));
    REFUSED(NOT_FOUND, space_unmap_system(cpu, space, FAR_RING + KIB4, &work));
    OK(space_unmap_system(cpu, space, FAR_RING, &work));
    assert_true(work.flush);
    assert_true(fixture_finish() >= 2);
    assert_int_equal(record()->system_pages, 1);
    fixture_check();
    fixture_check_charges();
}

/* --- views --- */

static void runs_are_as_long_as_pages_are_alike(void **state)
{
    (void)state;
    struct space_run run;
    uint32_t object = object_of(8);
    reserve(BASE + KIB4, PAGES_1G);
    OK(space_commit(cpu, space, BASE + MIB2, 4, RW, CAD_COMMIT_EAGER));
    OK(space_protect(cpu, space, BASE + MIB2 + KIB4, 1, R, &work));
    map(object, BASE + 2 * GIB1, 4, R, true);
    map(object, BASE + 2 * GIB1 + 4 * KIB4, 4, R, true);
    const struct {
        virt_addr_t start;
        uint64_t pages;
        enum entry_state state;
        uint32_t protection, level;
    } expected[] = {
        { BASE + KIB4, PAGES_2M - 1, ENTRY_RESERVED, RW, 0 },
        { BASE + MIB2, 1, ENTRY_RESIDENT, RW, 0 },
        { BASE + MIB2 + KIB4, 1, ENTRY_RESIDENT, R, 0 },
        { BASE + MIB2 + 2 * KIB4, 2, ENTRY_RESIDENT, RW, 0 },
        { BASE + MIB2 + 4 * KIB4, PAGES_1G - PAGES_2M - 3, ENTRY_RESERVED, RW, 1 },
        { BASE + 2 * GIB1, 4, ENTRY_BORROWED, R, 0 },
        { BASE + 2 * GIB1 + 4 * KIB4, 4, ENTRY_BORROWED, R, 0 },
    };
    virt_addr_t at = 0;
    for (unsigned i = 0; i < ARRAY_COUNT(expected); i++) {
        assert_true(space_next_run(cpu, space, at, &run));
        assert_true(run.start == expected[i].start);
        assert_int_equal(run.pages, expected[i].pages);
        assert_int_equal(run.state, expected[i].state);
        assert_int_equal(run.protection, expected[i].protection);
        assert_int_equal(run.level, expected[i].level);
        at = run.start + (run.pages << PAGE_SHIFT);
        struct space_run same;
        space_query(cpu, space, at - KIB4, &same);
        assert_true(same.start == run.start && same.pages == run.pages);
    }
    assert_false(space_next_run(cpu, space, at, &run));
    object_drop(object);
}

static void a_query_of_nothing_gives_the_hole_around_it(void **state)
{
    (void)state;
    struct space_run run;
    reserve(BASE, 1);
    space_query(cpu, space, BASE - 1, &run);
    assert_int_equal(run.state, ENTRY_NONE);
    assert_true(run.start == CAD_USER_BASE);
    assert_int_equal(run.pages, (BASE - CAD_USER_BASE) >> PAGE_SHIFT);
    space_query(cpu, space, BASE + KIB4, &run);
    assert_true(run.start == BASE + KIB4);
    assert_true(run.start + (run.pages << PAGE_SHIFT) == CAD_USER_END);
    assert_true(space_entry(cpu, space, CAD_USER_END) == 0);
    assert_true(space_entry(cpu, space, UINT64_MAX) == 0);
}

/* --- the check itself --- */

static void breaks(void (*corrupt)(void))
{
    fixture_check();
    corrupt();
    expect_assert_failure(space_check_invariants(cpu, space));
}

static void lose_a_count(void)
{
    record()->resident_pages--;
}

static void grant_write_unowed(void)
{
    *word_at(BASE) ^= world_format.page[RW] ^ world_format.page[R];
}

static void owe_both(void)
{
    *word_at(BASE) |= UINT64_C(7) << ENTRY_PROTECTION_SHIFT;
}

static void hold_one_frame_twice(void)
{
    *word_at(BASE) = *word_at(BASE + KIB4);
}

static void owe_both_later(void)
{
    *word_at(BASE + 3 * KIB4) |= UINT64_C(7) << ENTRY_PROTECTION_SHIFT;
}

static struct frame *leaf_table(void)
{
    return frame_of(cpu, frame_of(cpu, entry_value(*word_at(BASE)))->owner);
}

static void miscount_table(void)
{
    leaf_table()->maps++;
}

static void keep_old_mapping(void)
{
    table_companion(cpu, frame_of(cpu, entry_value(*word_at(BASE)))->owner)[0] = 1;
}

static void forget_entry(void)
{
    *word_at(BASE + KIB4) = 0;
}

static void the_check_finds_what_disagrees(void **state)
{
    (void)state;
    reserve(BASE, 4);
    OK(space_commit(cpu, space, BASE, 3, R, CAD_COMMIT_EAGER));
    OK(space_commit(cpu, space, BASE, 4, R, 0));
    uint32_t object = object_of(1);
    map(object, BASE + 5 * KIB4, 1, RW, true);
    uint64_t first = *word_at(BASE), second = *word_at(BASE + KIB4);
    breaks(lose_a_count);
    record()->resident_pages++;
    breaks(grant_write_unowed);
    *word_at(BASE) = first;
    breaks(owe_both);
    *word_at(BASE) = first;
    breaks(hold_one_frame_twice);
    *word_at(BASE) = first;
    breaks(owe_both_later);
    *word_at(BASE + 3 * KIB4) = entry_make_absent(ENTRY_COMMITTED, R, 0);
    breaks(miscount_table);
    leaf_table()->maps--;
    breaks(keep_old_mapping);
    table_companion(cpu, frame_of(cpu, entry_value(*word_at(BASE)))->owner)[0] = ID_NONE;
    breaks(forget_entry);
    *word_at(BASE + KIB4) = second;
    object_drop(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPACE_TEST(a_touch_finds_zeroes_and_keeps_what_is_written),
        SPACE_TEST(a_frame_knows_the_entry_that_holds_it),
        SPACE_TEST(a_touch_is_held_against_the_owed_protection),
        SPACE_TEST(a_touch_of_nothing_is_a_bad_address),
        SPACE_TEST(a_committed_page_needs_only_its_frame),
        SPACE_TEST(a_page_of_an_object_needs_nothing),
        SPACE_TEST(resolving_leaves_the_marks_of_its_access),
        SPACE_TEST(a_word_of_an_absent_page_is_not_read),
        SPACE_TEST(a_word_is_read_only_where_a_user_reads_it_without_a_fault),
        SPACE_TEST(system_pages_are_charged_zeroed_and_given_back),
        SPACE_TEST(runs_are_as_long_as_pages_are_alike),
        SPACE_TEST(a_query_of_nothing_gives_the_hole_around_it),
        SPACE_TEST(the_check_finds_what_disagrees),
    };
    return cmocka_run_group_tests_name("space faults", tests, NULL, NULL);
}
