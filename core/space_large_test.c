// SPDX-License-Identifier: BSD-2-Clause
/* Large pages: made, filled, changed whole, changed in part, and given back (AS7). */
#include "core/frame_priv.h"
#include "core/space_fixture.h"

static uint32_t level_at(virt_addr_t address)
{
    struct cursor cursor = cursor_unlocked(cpu, space);
    struct span span;
    span_find(cpu, &cursor, address, address + KIB4, &span);
    return span.level;
}

static frame_no_t frame_at(virt_addr_t address)
{
    return entry_value(space_entry(cpu, space, address));
}

static void large_page(virt_addr_t address)
{
    reserve(address, PAGES_2M);
    commit(address, PAGES_2M);
}

/* Every page of it holds its number, so that it can be told from all others. */
static void large_page_of_numbers(virt_addr_t address)
{
    large_page(address);
    for (unsigned i = 0; i < PAGES_2M; i++) {
        *(uint16_t *)(void *)user_byte(address + i * KIB4, CAD_PROT_WRITE) = (uint16_t)(i + 1);
    }
    assert_int_equal(level_at(address), 1);
}

static unsigned number_at(virt_addr_t address)
{
    uint8_t *byte = user_byte(address, CAD_PROT_READ);
    assert_non_null(byte);
    return *(uint16_t *)(void *)byte;
}

/* One frame of each free run of 512 is in use, until they are mended. */
static frame_no_t in_use[8];
static unsigned in_use_count;

static void break_runs(void)
{
    struct frame_table *table = &world->cadastre.frames;
    const struct frame_change change = { .from = FRAME_FREE, .from_kind = FRAME_FREE_MAGAZINE,
                                         .to = FRAME_KERNEL, .to_kind = FRAME_KIND_BOOT };
    frame_no_t first;
    while ((first = frame_block_take(table, 9)) != FRAME_NONE) {
        frame_run_put(table, first + 1, PAGES_2M - 1);
        frame_set_state(table, first, 1, &change);
        in_use[in_use_count++] = first;
    }
    assert_true(in_use_count > 0);
}

static void mend_runs(void)
{
    while (in_use_count > 0) {
        frame_release(cpu, in_use[--in_use_count], FRAME_KERNEL, 0);
    }
}

static void a_whole_2_mib_commit_is_one_entry(void **state)
{
    (void)state;
    reserve(BASE, 3 * PAGES_2M);
    uint32_t before = record()->table_pages;
    commit(BASE + MIB2, PAGES_2M);
    assert_int_equal(record()->table_pages, before + 1);
    assert_int_equal(level_at(BASE + MIB2), 1);
    assert_int_equal(state_at(BASE + MIB2 + 7 * KIB4), ENTRY_COMMITTED);
    assert_int_equal(record()->committed_pages, PAGES_2M);
    assert_int_equal(record()->resident_pages, 0);
    fixture_check();
    fixture_check_charges();
}

static void only_whole_entries_become_large_pages(void **state)
{
    (void)state;
    reserve(BASE + MIB2, PAGES_2M);
    OK(space_commit(cpu, space, BASE + MIB2, PAGES_2M, RW, CAD_COMMIT_SMALL));
    assert_int_equal(level_at(BASE + MIB2), 0);
    uint32_t small = record()->table_pages;
    OK(space_unmap(cpu, space, BASE + MIB2, PAGES_2M, &work));
    fixture_finish();
    reserve(BASE, PAGES_1G);
    commit(BASE + MIB2 - KIB4, PAGES_2M + 2);
    assert_int_equal(level_at(BASE + MIB2 - KIB4), 0);
    assert_int_equal(level_at(BASE + MIB2), 1);
    assert_int_equal(level_at(BASE + 2 * MIB2), 0);
    assert_int_equal(record()->table_pages, small + 2); /* the same one each */
    fixture_check_charges();
    OK(space_decommit(cpu, space, BASE + MIB2, PAGES_2M - 1, &work));
    commit(BASE + MIB2, PAGES_2M);
    assert_int_equal(level_at(BASE + MIB2), 0); /* it has its pages by now */
    fixture_check();
}

static void a_touch_fills_all_of_it_with_a_run(void **state)
{
    (void)state;
    large_page(BASE);
    OK(space_fault(cpu, space, BASE + 5 * KIB4 + 9, CAD_PROT_WRITE));
    assert_int_equal(record()->resident_pages, PAGES_2M);
    frame_no_t first = frame_at(BASE), frame;
    assert_int_equal(first % PAGES_2M, 0);
    for (unsigned i = 0; i < PAGES_2M; i++) {
        OK(world_resolve(cpu, space, BASE + i * KIB4, CAD_PROT_READ, &frame));
        assert_int_equal(frame, first + i);
        assert_int_equal(number_at(BASE + i * KIB4), 0);
    }
    assert_int_equal(state_at(BASE + MIB2 - KIB4), ENTRY_RESIDENT);
    REFUSED(BAD_ADDRESS, space_fault(cpu, space, BASE, CAD_PROT_EXECUTE));
}

static void without_a_run_a_touch_fills_one_page(void **state)
{
    (void)state;
    large_page(BASE);
    break_runs();
    OK(space_fault(cpu, space, BASE + 5 * KIB4, CAD_PROT_READ));
    assert_int_equal(record()->resident_pages, 1);
    assert_int_equal(level_at(BASE), 0);
    assert_int_equal(state_at(BASE + 4 * KIB4), ENTRY_COMMITTED);
    assert_int_equal(state_at(BASE + 5 * KIB4), ENTRY_RESIDENT);
    fixture_check();
    fixture_check_charges();
    world_fail_after(world, 0);
    REFUSED(PRESSURE, space_fault(cpu, space, BASE, CAD_PROT_READ));
    world_fail_never(world);
    mend_runs();
}

static void a_refused_touch_leaves_it_whole(void **state)
{
    (void)state;
    large_page(BASE);
    world_fail_after(world, 0);
    REFUSED(PRESSURE, space_fault(cpu, space, BASE, CAD_PROT_WRITE));
    world_fail_never(world);
    assert_int_equal(level_at(BASE), 1);
    OK(space_protect(cpu, space, BASE, PAGES_2M, CAD_PROT_NONE, &work));
    REFUSED(BAD_ADDRESS, space_fault(cpu, space, BASE, CAD_PROT_READ));
}

static void eager_commit_takes_runs_and_else_single_frames(void **state)
{
    (void)state;
    reserve(BASE, 2 * PAGES_2M);
    OK(space_commit(cpu, space, BASE, PAGES_2M, RW, CAD_COMMIT_EAGER));
    assert_int_equal(record()->resident_pages, PAGES_2M);
    assert_int_equal(level_at(BASE), 1);
    OK(space_unmap(cpu, space, BASE, PAGES_2M, &work));
    assert_int_equal(fixture_finish(), PAGES_2M);
    break_runs();
    uint64_t free = world_free_frames(world);
    OK(space_commit(cpu, space, BASE + MIB2, PAGES_2M, RW, CAD_COMMIT_EAGER));
    assert_int_equal(level_at(BASE + MIB2), 0);
    assert_true(record()->resident_pages > 0 && record()->resident_pages <= PAGES_2M);
    assert_int_equal(world_free_frames(world), free - record()->resident_pages - 1);
    fixture_check_charges();
    mend_runs();
}

/* Changes of pages [3, 6) of a large page for which nothing is to be had any more. */
struct part {
    const char *name;
    status_t (*change)(virt_addr_t address, uint64_t pages);
    enum entry_state state;
    uint32_t protection;
    uint32_t frames; /* that leave */
};

static status_t weaken(virt_addr_t address, uint64_t pages)
{
    return space_protect(cpu, space, address, pages, R, &work);
}
static status_t make_executable(virt_addr_t address, uint64_t pages)
{
    return space_protect(cpu, space, address, pages, RX, &work);
}
static status_t hide(virt_addr_t address, uint64_t pages)
{
    return space_protect(cpu, space, address, pages, CAD_PROT_NONE, &work);
}
static status_t decommit(virt_addr_t address, uint64_t pages)
{
    return space_decommit(cpu, space, address, pages, &work);
}
static status_t unmap(virt_addr_t address, uint64_t pages)
{
    return space_unmap(cpu, space, address, pages, &work);
}

static const struct part parts[] = {
    { "protect R", weaken, ENTRY_RESIDENT, R, 0 },
    { "protect RX", make_executable, ENTRY_RESIDENT, RX, 0 },
    { "hide", hide, ENTRY_HIDDEN, CAD_PROT_NONE, 0 },
    { "decommit", decommit, ENTRY_RESERVED, RW, 3 },
    { "unmap", unmap, ENTRY_NONE, CAD_PROT_NONE, 3 },
};

static void rest_is_as_it_was(virt_addr_t base, frame_no_t first)
{
    for (unsigned i = 0; i < PAGES_2M; i++) {
        if (i < 3 || i >= 6) {
            assert_int_equal(state_at(base + i * KIB4), ENTRY_RESIDENT);
            assert_int_equal(protection_at(base + i * KIB4), RW);
            assert_int_equal(frame_at(base + i * KIB4), first + i);
            assert_int_equal(number_at(base + i * KIB4), i + 1);
        }
    }
}

static void part_of_it_changes_when_nothing_is_to_be_had(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(parts); i++) {
        const struct part *part = &parts[i];
        virt_addr_t base = BASE + i * GIB1;
        large_page_of_numbers(base);
        frame_no_t first = frame_at(base);
        uint64_t squeezed = quota_squeeze(CAD_RESOURCE_METADATA, 0);
        world_fail_after(world, 0);
        OK(part->change(base + 3 * KIB4, 3));
        world_fail_never(world);
        ledger_release(cpu, world->ledger, CAD_RESOURCE_METADATA, squeezed);
        /* The whole of it, as its size changed. */
        assert_true(work.flush && work.start <= base && work.end >= base + MIB2);
        assert_int_equal(fixture_finish(), part->frames);
        for (unsigned page = 3; page < 6; page++) {
            assert_int_equal(state_at(base + page * KIB4), part->state);
            assert_int_equal(protection_at(base + page * KIB4), part->protection);
        }
        rest_is_as_it_was(base, first);
        fixture_check();
        fixture_check_charges();
        OK(space_unmap(cpu, space, base, part->state == ENTRY_NONE ? 3 : PAGES_2M, &work));
        fixture_finish();
        if (part->state == ENTRY_NONE) {
            OK(space_unmap(cpu, space, base + 6 * KIB4, PAGES_2M - 6, &work));
            fixture_finish();
        }
    }
}

static void a_committed_one_is_split_without_a_flush(void **state)
{
    (void)state;
    large_page(BASE);
    OK(space_protect(cpu, space, BASE, 1, R, &work));
    assert_false(work.flush);
    assert_int_equal(state_at(BASE), ENTRY_COMMITTED);
    assert_int_equal(protection_at(BASE), R);
    assert_int_equal(protection_at(BASE + KIB4), RW);
    assert_int_equal(frame_at(BASE), FRAME_NONE);
    fixture_check();
}

static void it_changes_whole_and_stays_large(void **state)
{
    (void)state;
    large_page_of_numbers(BASE);
    frame_no_t first = frame_at(BASE);
    OK(space_protect(cpu, space, BASE, PAGES_2M, R, &work));
    assert_true(work.flush);
    OK(space_protect(cpu, space, BASE, PAGES_2M, CAD_PROT_NONE, &work));
    assert_true(work.flush);
    assert_int_equal(state_at(BASE + 9 * KIB4), ENTRY_HIDDEN);
    assert_int_equal(frame_at(BASE + 9 * KIB4), first + 9);
    fixture_check();
    OK(space_protect(cpu, space, BASE, PAGES_2M, RW, &work));
    assert_int_equal(level_at(BASE), 1);
    assert_int_equal(number_at(BASE + 9 * KIB4), 10);
    fixture_check();
    OK(space_decommit(cpu, space, BASE, PAGES_2M, &work));
    assert_true(work.flush && work.start == BASE && work.end == BASE + MIB2);
    assert_int_equal(fixture_finish(), PAGES_2M);
    assert_int_equal(level_at(BASE), 1);
    assert_int_equal(state_at(BASE), ENTRY_RESERVED);
    assert_int_equal(protection_at(BASE), RW);
    assert_int_equal(record()->committed_pages, 0);
    fixture_check_charges();
    commit(BASE, PAGES_2M);
    assert_int_equal(number_at(BASE + 9 * KIB4), 0);
}

static void committing_it_twice_changes_nothing(void **state)
{
    (void)state;
    large_page_of_numbers(BASE);
    uint64_t hash = world_hash(world);
    OK(space_commit(cpu, space, BASE + 5 * KIB4, 9, R, CAD_COMMIT_SMALL));
    OK(space_commit(cpu, space, BASE, PAGES_2M, R, CAD_COMMIT_EAGER));
    assert_true(world_hash(world) == hash);
}

static void marks_of_it_are_marks_of_each_page(void **state)
{
    (void)state;
    struct cursor cursor = cursor_unlocked(cpu, space);
    struct span span;
    large_page(BASE);
    OK(space_fault(cpu, space, BASE, CAD_PROT_READ));
    span_find(cpu, &cursor, BASE, BASE + KIB4, &span);
    span.words[0] |= world_format.accessed | world_format.dirty; /* the hardware */
    OK(space_protect(cpu, space, BASE + KIB4, 1, R, &work));
    for (unsigned i = 0; i < PAGES_2M; i += 73) {
        uint64_t word = space_entry(cpu, space, BASE + i * KIB4);
        assert_true((word & world_format.accessed) != 0 && (word & world_format.dirty) != 0);
        assert_true((word & world_format.block[RW] & ~world_format.page[RW]) == 0);
    }
    fixture_check();
}

static void what_is_at_its_ends_is_split_with_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* two do not fit the ledger */
        large_page_of_numbers(BASE);
        reserve(BASE + MIB2, PAGES_2M);
        OK(space_decommit(cpu, space, BASE + MIB2 - KIB4, 1 + i * PAGES_2M, &work));
        assert_int_equal(fixture_finish(), 1);
        assert_int_equal(state_at(BASE + MIB2 - KIB4), ENTRY_RESERVED);
        assert_int_equal(number_at(BASE + MIB2 - 2 * KIB4), PAGES_2M - 1);
        OK(space_unmap(cpu, space, BASE, 2 * PAGES_2M, &work));
        assert_int_equal(fixture_finish(), PAGES_2M - 1 + 3); /* frames, and tables */
        fixture_check_charges();
    }
}

static void the_check_finds_what_disagrees(void **state)
{
    (void)state;
    large_page_of_numbers(BASE);
    frame_no_t first = frame_at(BASE);
    struct frame *frames = world->cadastre.frames.frames;
    struct frame *page = &frames[first + 77], *table = &frames[page->owner];
#define BREAKS(what, back)                                                                         \
    what;                                                                                          \
    expect_assert_failure(space_check_invariants(cpu, space));                                     \
    back
    BREAKS(page->detail++, page->detail--);
    BREAKS(page->owner++, page->owner--);
    BREAKS(table->maps++, table->maps--);
    BREAKS(table->owner++, table->owner--);
#undef BREAKS
    fixture_check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPACE_TEST(a_whole_2_mib_commit_is_one_entry),
        SPACE_TEST(only_whole_entries_become_large_pages),
        SPACE_TEST(a_touch_fills_all_of_it_with_a_run),
        SPACE_TEST(without_a_run_a_touch_fills_one_page),
        SPACE_TEST(a_refused_touch_leaves_it_whole),
        SPACE_TEST(eager_commit_takes_runs_and_else_single_frames),
        SPACE_TEST(part_of_it_changes_when_nothing_is_to_be_had),
        SPACE_TEST(a_committed_one_is_split_without_a_flush),
        SPACE_TEST(it_changes_whole_and_stays_large),
        SPACE_TEST(committing_it_twice_changes_nothing),
        SPACE_TEST(marks_of_it_are_marks_of_each_page),
        SPACE_TEST(what_is_at_its_ends_is_split_with_it),
        SPACE_TEST(the_check_finds_what_disagrees),
    };
    return cmocka_run_group_tests_name("space large", tests, NULL, NULL);
}
