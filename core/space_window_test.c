// SPDX-License-Identifier: BSD-2-Clause
/*
 * What lasts lets interrupts in at bounded steps (EX7): no more than WINDOW_STEPS pages are
 * cleared, nor entries of a leaf table changed, from one window to the next.
 */
#include "core/space_fixture.h"

#define SLACK 3u /* what is cleared beside pages: tables, companions, nodes of an index */

static void (*world_clear)(frame_no_t first, uint32_t count);
static unsigned windows, cleared, most_cleared;

static void counted_clear(frame_no_t first, uint32_t count)
{
    world_clear(first, count);
    cleared += count;
    most_cleared = cleared > most_cleared ? cleared : most_cleared;
}

static void counted_window(const struct core_cpu *unused)
{
    (void)unused;
    windows++;
    cleared = 0;
}

static int windows_watch(void **state)
{
    fixture_make(state);
    world_clear = world->cadastre.host.pages_clear;
    world->cadastre.host.pages_clear = counted_clear;
    world->cadastre.host.interrupt_window = counted_window;
    return 0;
}

static void begin(void)
{
    windows = cleared = most_cleared = 0;
}

static void expect_windows(unsigned entries)
{
    assert_true(windows >= entries / WINDOW_STEPS);
    assert_true(most_cleared <= WINDOW_STEPS + SLACK);
}

static void an_eager_commit_clears_few_pages_from_window_to_window(void **state)
{
    (void)state;
    reserve(BASE, 700);
    begin();
    OK(space_commit(cpu, space, BASE, 700, RW, true));
    expect_windows(700);
}

static void a_range_of_many_tables_lets_interrupts_in_at_each(void **state)
{
    (void)state;
    reserve(BASE, 100 * PAGES_2M);
    for (unsigned i = 0; i < 100; i++) {
        OK(space_protect(cpu, space, BASE + i * MIB2, 1, R, &work)); /* a table for each 2 MiB */
    }
    begin();
    OK(space_protect(cpu, space, BASE, 100 * PAGES_2M, R, &work));
    assert_true(windows >= 2 * 99); /* by the check and by the change */
    begin();
    OK(space_unmap(cpu, space, BASE, 100 * PAGES_2M, &work));
    fixture_finish();
    assert_true(windows >= 2 * 99);
}

static void objects_are_cleared_a_few_pages_from_window_to_window(void **state)
{
    uint32_t made[3], untyped;
    (void)state;
    OK(untyped_create(cpu, world->ledger, 200, &untyped));
    begin();
    OK(object_create(cpu, world->ledger, 200, &made[0]));
    expect_windows(200);
    begin();
    OK(object_create_contiguous(cpu, world->ledger, 200, 1, &made[1]));
    expect_windows(200);
    begin();
    OK(object_create_untyped(cpu, world->ledger, untyped, 200, &made[2]));
    expect_windows(200);
    for (unsigned i = 0; i < 3; i++) {
        object_unclaim(cpu, made[i], world->ledger);
        assert_true(object_put(cpu, made[i]));
        assert_true(object_destroy_step(cpu, made[i], MANY));
    }
    untyped_put(cpu, untyped);
}

/* Pages of two states in turn: each entry is a run of its own. */
static void alternate(uint64_t pages)
{
    reserve(BASE, pages);
    for (uint64_t i = 0; i < pages; i += 2) {
        OK(space_commit(cpu, space, BASE + i * KIB4, 1, RW, true));
    }
}

static void changes_of_entries_let_interrupts_in_within_a_table(void **state)
{
    uint32_t object;
    (void)state;
    alternate(PAGES_2M);
    begin();
    OK(space_decommit(cpu, space, BASE, PAGES_2M, &work));
    fixture_finish();
    expect_windows(PAGES_2M);
    begin();
    OK(space_unmap(cpu, space, BASE, PAGES_2M, &work));
    fixture_finish();
    OK(object_create(cpu, world->ledger, PAGES_2M, &object));
    begin();
    map(object, BASE, PAGES_2M, RW, true);
    expect_windows(PAGES_2M);
    begin();
    OK(space_unmap_object(cpu, space, object, BASE, PAGES_2M, &work));
    fixture_finish();
    object_unclaim(cpu, object, world->ledger);
    assert_true(object_put(cpu, object));
    assert_true(object_destroy_step(cpu, object, MANY));
    alternate(PAGES_2M);
    begin();
    OK(space_unmap(cpu, space, BASE, PAGES_2M, &work));
    fixture_finish();
    expect_windows(PAGES_2M);
}

/* The lowest addresses are full, with a table for each 2 MiB. */
static void a_search_lets_interrupts_in_between_its_walks(void **state)
{
    virt_addr_t at = 0;
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        reserve(CAD_SEARCH_BASE + i * MIB2 + KIB4, 1);
    }
    begin();
    OK(space_reserve(cpu, space, &at, 2 * PAGES_2M, RW));
    assert_true(at >= CAD_SEARCH_BASE + 63 * MIB2);
    assert_true(windows >= 64 / 8);
}

#define WINDOW_TEST(name) cmocka_unit_test_setup_teardown(name, windows_watch, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WINDOW_TEST(an_eager_commit_clears_few_pages_from_window_to_window),
        WINDOW_TEST(a_range_of_many_tables_lets_interrupts_in_at_each),
        WINDOW_TEST(objects_are_cleared_a_few_pages_from_window_to_window),
        WINDOW_TEST(changes_of_entries_let_interrupts_in_within_a_table),
        WINDOW_TEST(a_search_lets_interrupts_in_between_its_walks),
    };
    return cmocka_run_group_tests_name("interrupt windows", tests, NULL, NULL);
}
