// SPDX-License-Identifier: BSD-2-Clause
#include "core/space.h"

#include "core/space_fixture.h"

#define COUNT_TABLES(...) assert_int_equal(record()->table_pages, 1 + (__VA_ARGS__))

/* --- walking --- */

static void a_run_is_as_long_as_the_state_is_the_same(void **state)
{
    (void)state;
    uint64_t words[20];
    for (unsigned length = 1; length <= ARRAY_COUNT(words); length++) {
        for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
            enum entry_state kind = i < length ? ENTRY_HIDDEN : ENTRY_COMMITTED;
            words[i] = entry_make_absent(kind, i % 2 == 0 ? R : RX, 1u << i);
        }
        for (unsigned limit = 1; limit <= ARRAY_COUNT(words); limit++) {
            struct state_run run = state_run(words, limit);
            assert_int_equal(run.count, length < limit ? length : limit);
            uint64_t any = 0, all = UINT64_MAX;
            for (unsigned i = 0; i < run.count; i++) {
                any |= words[i];
                all &= words[i];
            }
            assert_true(run.any == any && run.all == all);
        }
    }
}

static void the_range_to_flush_covers_every_part(void **state)
{
    (void)state;
    work_init(&work);
    work_flush(&work, 5 * KIB4, 6 * KIB4);
    work_flush(&work, 9 * KIB4, 10 * KIB4);
    work_flush(&work, 2 * KIB4, 3 * KIB4);
    work_flush(&work, 4 * KIB4, 7 * KIB4);
    assert_true(work.flush && work.start == 2 * KIB4 && work.end == 10 * KIB4);
}

/* --- ranges and hints --- */

static void ranges_outside_user_memory_are_refused(void **state)
{
    (void)state;
    const struct {
        virt_addr_t address;
        uint64_t pages;
        status_t expected;
    } ranges[] = {
        { BASE + 1, 1, CAD_INVALID },
        { BASE, 0, CAD_INVALID },
        { CAD_USER_BASE - KIB4, 1, CAD_INVALID },
        { CAD_USER_END, 1, CAD_INVALID },
        { CAD_USER_END - KIB4, 2, CAD_INVALID },
        { UINT64_MAX & ~(KIB4 - 1), 1, CAD_INVALID },
        { UINT64_C(0xffffffff80000000), 1, CAD_INVALID },
        { BASE, UINT64_MAX, CAD_INVALID },
        { BASE, UINT64_MAX >> PAGE_SHIFT, CAD_INVALID },
        { BASE, (UINT64_C(1) << 52) + 1, CAD_INVALID },
        { CAD_SYSTEM_BASE - KIB4, 2, CAD_PROTECTED_RANGE },
        { CAD_RING_BASE, 4, CAD_PROTECTED_RANGE },
        { CAD_CAPSET_ADDRESS, 1, CAD_PROTECTED_RANGE },
    };
    uint64_t hash = world_hash(world);
    for (unsigned i = 0; i < ARRAY_COUNT(ranges); i++) {
        virt_addr_t at = ranges[i].address;
        uint64_t pages = ranges[i].pages;
        status_t expected = ranges[i].expected;
        assert_int_equal(space_reserve(cpu, space, &at, pages, RW), expected);
        assert_int_equal(space_commit(cpu, space, at, pages, RW, 0), expected);
        assert_int_equal(space_decommit(cpu, space, at, pages, &work), expected);
        assert_int_equal(space_protect(cpu, space, at, pages, R, &work), expected);
        assert_int_equal(space_unmap(cpu, space, at, pages, &work), expected);
        assert_int_equal(space_unmap_object(cpu, space, 1, at, pages, &work), expected);
        assert_int_equal(space_protect_object(cpu, space, 1, at, pages, R, &work), expected);
        assert_int_equal(space_guard(cpu, space, at, pages), expected);
    }
    assert_true(world_hash(world) == hash);
}

static void writable_and_executable_is_refused_everywhere(void **state)
{
    (void)state;
    virt_addr_t at = BASE + MIB2;
    reserve(BASE, 2);
    REFUSED(WRITE_EXECUTE, space_reserve(cpu, space, &at, 1, 7));
    REFUSED(WRITE_EXECUTE, space_reserve(cpu, space, &at, 1, 6));
    REFUSED(WRITE_EXECUTE, space_commit(cpu, space, BASE, 1, 7, 0));
    commit(BASE, 1);
    REFUSED(WRITE_EXECUTE, space_protect(cpu, space, BASE, 1, 6, &work));
    REFUSED(INVALID, space_protect(cpu, space, BASE, 1, 8, &work));
    REFUSED(INVALID, space_commit(cpu, space, BASE, 1, 0x80000001, 0));
}

static void a_fixed_address_never_replaces(void **state)
{
    (void)state;
    reserve(BASE + 4 * KIB4, 4);
    for (unsigned first = 1; first < 8; first++) {
        virt_addr_t at = BASE + first * KIB4;
        REFUSED(OVERLAP, space_reserve(cpu, space, &at, 4, RW));
        assert_true(at == BASE + first * KIB4);
    }
    reserve(BASE, 4);
    reserve(BASE + 8 * KIB4, 4);
    virt_addr_t around = BASE - GIB1;
    REFUSED(OVERLAP, space_reserve(cpu, space, &around, 3 * PAGES_1G, RW));
}

static void chosen_addresses_are_free_disjoint_and_aligned(void **state)
{
    (void)state;
    virt_addr_t small = 0, large = 0, huge = 0, again = 0;
    OK(space_reserve(cpu, space, &small, 3, RW));
    OK(space_reserve(cpu, space, &large, PAGES_2M, RW));
    OK(space_reserve(cpu, space, &huge, 64 * PAGES_1G, RW));
    OK(space_reserve(cpu, space, &again, 3, RW));
    assert_true(large % MIB2 == 0 && huge % MIB2 == 0);
    assert_true(record()->search == again + 3 * KIB4);
    assert_true(large >= small + 3 * KIB4 && huge >= large + MIB2);
    assert_int_equal(record()->virtual_pages, 6 + PAGES_2M + 64 * PAGES_1G);
    fixture_check();
    fixture_check_charges();
}

static void a_freed_hole_is_found_again(void **state)
{
    (void)state;
    virt_addr_t first = 0, hole = 0, last = 0, again = 0, larger = 0;
    OK(space_reserve(cpu, space, &first, 10, RW));
    OK(space_reserve(cpu, space, &hole, 10, RW));
    OK(space_reserve(cpu, space, &last, 10, RW));
    OK(space_unmap(cpu, space, hole, 10, &work));
    fixture_finish();
    OK(space_reserve(cpu, space, &larger, 11, RW));
    assert_true(larger == last + 10 * KIB4);
    OK(space_unmap(cpu, space, hole - KIB4, 1, &work));
    OK(space_reserve(cpu, space, &again, 11, RW));
    assert_true(again == hole - KIB4);
}

static void a_search_that_reaches_the_end_starts_over(void **state)
{
    (void)state;
    const uint64_t all = (CAD_SYSTEM_BASE - CAD_SEARCH_BASE) >> PAGE_SHIFT;
    virt_addr_t low = 0;
    reserve(CAD_SEARCH_BASE, all - 2);
    OK(space_reserve(cpu, space, &low, 4, RW));
    assert_true(low >= CAD_USER_BASE && low + 4 * KIB4 <= CAD_SEARCH_BASE);
    virt_addr_t none = 0;
    REFUSED(NO_SPACE, space_reserve(cpu, space, &none, all, RW));
    REFUSED(NO_SPACE, space_reserve(cpu, space, &none, UINT64_MAX, RW));
    REFUSED(INVALID, space_reserve(cpu, space, &none, 0, RW));
}

/* --- levels --- */

static void a_uniform_reservation_is_one_entry(void **state)
{
    (void)state;
    reserve(BASE, UINT64_C(512) * PAGES_1G);
    COUNT_TABLES(0);
    reserve(2 * BASE, PAGES_1G);
    COUNT_TABLES(1);
    reserve(2 * BASE + 2 * GIB1, PAGES_2M);
    COUNT_TABLES(2);
    reserve(2 * BASE + 2 * GIB1 + 2 * MIB2, 1);
    COUNT_TABLES(3);
    fixture_check();
    fixture_check_charges();
}

static void only_the_changed_part_of_a_reservation_is_split(void **state)
{
    (void)state;
    reserve(BASE, UINT64_C(512) * PAGES_1G);
    commit(BASE + 7 * GIB1 + 3 * MIB2 + 9 * KIB4, 1);
    COUNT_TABLES(3);
    struct space_run run;
    space_query(cpu, space, BASE, &run);
    assert_int_equal(run.state, ENTRY_RESERVED);
    assert_true(run.start == BASE);
    assert_int_equal(run.pages, 7 * PAGES_1G + 3 * PAGES_2M + 9);
    fixture_check();
    fixture_check_charges();
}

static void a_split_larger_entry_can_change_at_both_ends(void **state)
{
    (void)state;
    reserve(BASE, 2 * PAGES_1G);
    OK(space_protect(cpu, space, BASE + GIB1 - KIB4, 2, R, &work));
    assert_false(work.flush);
    COUNT_TABLES(1 + 2 + 2);
    assert_int_equal(protection_at(BASE + GIB1 - KIB4), R);
    assert_int_equal(protection_at(BASE + GIB1), R);
    assert_int_equal(protection_at(BASE + GIB1 + KIB4), RW);
    assert_int_equal(protection_at(BASE + GIB1 - 2 * KIB4), RW);
    fixture_check();
}

static void the_last_entry_gone_takes_the_tables_with_it(void **state)
{
    (void)state;
    reserve(BASE, PAGES_1G);
    commit(BASE + MIB2, PAGES_2M + 1);
    COUNT_TABLES(1 + 1 + 2);
    OK(space_unmap(cpu, space, BASE, PAGES_1G, &work));
    COUNT_TABLES(0);
    /* A table that is no longer reachable may still be in a CPU's walk cache. */
    assert_true(work.flush);
    assert_int_equal(fixture_finish(), 3); /* the one that stood by goes at once */
    fixture_check_charges();
}

static void growing_ranges_cost_no_more_tables_than_levels(void **state)
{
    (void)state;
    for (uint64_t pages = 1; pages <= UINT64_C(100) * PAGES_1G; pages *= 100) {
        virt_addr_t at = BASE + GIB1 - KIB4;
        OK(space_reserve(cpu, space, &at, pages, RW));
        assert_true(record()->table_pages <= 1 + 2 * 3);
        OK(space_protect(cpu, space, at, pages, R, &work));
        assert_true(record()->table_pages <= 1 + 2 * 3);
        OK(space_unmap(cpu, space, at, pages, &work));
        COUNT_TABLES(0);
        fixture_finish();
        fixture_check();
    }
}

/* --- VM1: what is charged when --- */

static void reserve_charges_virtual_pages_only(void **state)
{
    (void)state;
    NEEDS_QUOTA(VIRTUAL, 100, space_reserve(cpu, space, &(virt_addr_t){ BASE }, 100, RW));
    assert_int_equal(used(CAD_RESOURCE_VIRTUAL), 100);
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), 0);
    fixture_check_charges();
}

static void commit_is_charged_before_anything_is_touched(void **state)
{
    (void)state;
    reserve(BASE, 100);
    uint64_t free_frames = world_free_frames(world);
    NEEDS_QUOTA(COMMITTED, 60, space_commit(cpu, space, BASE, 60, RW, 0));
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), 60);
    assert_int_equal(world_free_frames(world), free_frames);
    NEEDS_QUOTA(COMMITTED, 40, space_commit(cpu, space, BASE, 100, RW, CAD_COMMIT_EAGER));
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), 100);
    assert_int_equal(record()->resident_pages, 40);
    assert_int_equal(world_free_frames(world), free_frames - 40);
    fixture_check_charges();
}

static void tables_are_charged_before_they_are_taken(void **state)
{
    (void)state;
    NEEDS_QUOTA(METADATA, 3 * CHARGE_FRAME,
                space_reserve(cpu, space, &(virt_addr_t){ BASE + KIB4 }, 8, RW));
    reserve(2 * BASE, UINT64_C(512) * PAGES_1G);
    NEEDS_QUOTA(METADATA, 4 * CHARGE_FRAME,
                space_commit(cpu, space, 2 * BASE + MIB2 - KIB4, 2, RW, 0));
    NEEDS_QUOTA(METADATA, CHARGE_FRAME,
                space_protect(cpu, space, 2 * BASE + 2 * MIB2, 2, R, &work));
    NEEDS_QUOTA(METADATA, 2 * CHARGE_FRAME,
                space_unmap(cpu, space, 2 * BASE + GIB1, 1, &work));
    NEEDS_QUOTA(METADATA, 3 * CHARGE_FRAME,
                space_guard(cpu, space, 3 * BASE + KIB4, 1));
    fixture_check_charges();
}

static void a_space_is_charged_for_its_record_and_root(void **state)
{
    (void)state;
    uint32_t second;
    NEEDS_QUOTA(METADATA, CHARGE_SPACE + CHARGE_FRAME,
                space_create(cpu, world->ledger, &second));
    fixture_teardown(second);
    fixture_check_charges();
}

static void eager_commit_fills_as_far_as_frames_go(void **state)
{
    (void)state;
    reserve(BASE, 64);
    commit(BASE, 1);
    world_fail_after(world, 10);
    OK(space_commit(cpu, space, BASE, 64, RW, CAD_COMMIT_EAGER));
    world_fail_never(world);
    assert_int_equal(record()->resident_pages, 10);
    assert_int_equal(record()->committed_pages, 64);
    assert_int_equal(state_at(BASE), ENTRY_COMMITTED);
    assert_int_equal(state_at(BASE + 10 * KIB4), ENTRY_RESIDENT);
    assert_int_equal(state_at(BASE + 11 * KIB4), ENTRY_COMMITTED);
    fixture_check_charges();
}

static void eager_commit_without_access_takes_no_frame(void **state)
{
    (void)state;
    reserve(BASE, 8);
    OK(space_commit(cpu, space, BASE, 8, CAD_PROT_NONE, CAD_COMMIT_EAGER));
    assert_int_equal(record()->resident_pages, 0);
    assert_int_equal(state_at(BASE), ENTRY_COMMITTED);
    assert_int_equal(space_fault(cpu, space, BASE, CAD_PROT_READ), CAD_BAD_ADDRESS);
    OK(space_protect(cpu, space, BASE, 8, RW, &work));
    OK(space_fault(cpu, space, BASE, CAD_PROT_WRITE));
}

static void committing_twice_changes_and_charges_nothing(void **state)
{
    (void)state;
    reserve(BASE, 16);
    OK(space_commit(cpu, space, BASE + 4 * KIB4, 4, R, 0));
    OK(space_commit(cpu, space, BASE + 8 * KIB4, 2, R, CAD_COMMIT_EAGER));
    OK(space_commit(cpu, space, BASE, 16, RW, 0));
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), 16);
    assert_int_equal(protection_at(BASE + 4 * KIB4), R);
    assert_int_equal(state_at(BASE + 8 * KIB4), ENTRY_RESIDENT);
    assert_int_equal(protection_at(BASE + 8 * KIB4), R);
    assert_int_equal(protection_at(BASE + 10 * KIB4), RW);
    uint64_t hash = world_hash(world);
    OK(space_commit(cpu, space, BASE, 16, RX, CAD_COMMIT_EAGER));
    assert_true(world_hash(world) == hash);
}

static void a_new_commit_is_of_reserved_pages_alone(void **state)
{
    (void)state;
    const uint32_t new_flag = CAD_COMMIT_NEW;
    reserve(BASE, 16);
    OK(space_commit(cpu, space, BASE + 4 * KIB4, 1, R, new_flag));
    OK(space_commit(cpu, space, BASE + 8 * KIB4, 1, R, new_flag | CAD_COMMIT_EAGER));
    REFUSED(OVERLAP, space_commit(cpu, space, BASE, 5, RW, new_flag));
    REFUSED(OVERLAP, space_commit(cpu, space, BASE + 8 * KIB4, 2, RW, new_flag));
    OK(space_protect(cpu, space, BASE + 8 * KIB4, 1, CAD_PROT_NONE, &work));
    REFUSED(OVERLAP, space_commit(cpu, space, BASE + 7 * KIB4, 2, RW, new_flag));
    REFUSED(NOT_RESERVED, space_commit(cpu, space, BASE + 8 * KIB4, 9, RW, new_flag));
    OK(space_commit(cpu, space, BASE + 5 * KIB4, 3, RW, new_flag));
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), 5);
    assert_int_equal(protection_at(BASE + 5 * KIB4), RW);
    reserve(2 * BASE, 2 * PAGES_2M);
    OK(space_commit(cpu, space, 2 * BASE, PAGES_2M, RW, new_flag));
    REFUSED(OVERLAP, space_commit(cpu, space, 2 * BASE + MIB2 - KIB4, 2, RW, new_flag));
    OK(space_decommit(cpu, space, 2 * BASE, PAGES_2M, &work));
    fixture_finish();
    OK(space_commit(cpu, space, 2 * BASE, 2 * PAGES_2M, RW, new_flag));
    fixture_check_charges();
}

static void decommit_keeps_the_reservation_and_recommit_reads_zero(void **state)
{
    (void)state;
    reserve(BASE, 8);
    commit(BASE, 8);
    for (unsigned i = 0; i < 8; i++) {
        *user_byte(BASE + i * KIB4, CAD_PROT_WRITE) = 0xee;
    }
    OK(space_decommit(cpu, space, BASE + 2 * KIB4, 4, &work));
    assert_true(work.flush && work.start == BASE + 2 * KIB4 && work.end == BASE + 6 * KIB4);
    assert_int_equal(used(CAD_RESOURCE_VIRTUAL), 8);
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), 4);
    assert_int_equal(world->cadastre.frames.frames[work.chain.head].state, FRAME_QUARANTINE);
    assert_int_equal(fixture_finish(), 4);
    assert_null(user_byte(BASE + 2 * KIB4, CAD_PROT_READ));
    commit(BASE, 8);
    for (unsigned i = 0; i < 8; i++) {
        bool kept = i < 2 || i >= 6;
        assert_int_equal(*user_byte(BASE + i * KIB4, CAD_PROT_READ), kept ? 0xee : 0);
    }
    OK(space_decommit(cpu, space, BASE, 8, &work));
    assert_int_equal(fixture_finish(), 8);
    OK(space_decommit(cpu, space, BASE, 8, &work));
    assert_false(work.flush);
    fixture_check();
    fixture_check_charges();
}

static void operations_need_every_page_reserved(void **state)
{
    (void)state;
    reserve(BASE, 2);
    reserve(BASE + 3 * KIB4, 2);
    REFUSED(NOT_RESERVED, space_commit(cpu, space, BASE, 5, RW, 0));
    REFUSED(NOT_RESERVED, space_decommit(cpu, space, BASE, 5, &work));
    REFUSED(NOT_RESERVED, space_protect(cpu, space, BASE, 5, R, &work));
    REFUSED(NOT_RESERVED, space_protect(cpu, space, BASE, 5, CAD_PROT_NONE, &work));
    REFUSED(NOT_RESERVED, space_unmap(cpu, space, BASE, 5, &work));
    REFUSED(NOT_RESERVED, space_unmap(cpu, space, BASE - KIB4, 2, &work));
}

static void the_lowest_refused_page_decides(void **state)
{
    (void)state;
    reserve(BASE, 1);
    OK(space_guard(cpu, space, BASE + 2 * KIB4, 1));
    REFUSED(NOT_RESERVED, space_commit(cpu, space, BASE, 3, RW, 0));
    REFUSED(PROTECTED_RANGE, space_commit(cpu, space, BASE + 2 * KIB4, 2, RW, 0));
    virt_addr_t at = BASE;
    REFUSED(OVERLAP, space_reserve(cpu, space, &at, 3, RW));
    at = BASE + KIB4;
    REFUSED(PROTECTED_RANGE, space_reserve(cpu, space, &at, 3, RW));
}

/* --- VM2: splits --- */

static void unmapping_middle_head_and_tail_leaves_the_rest(void **state)
{
    (void)state;
    reserve(BASE, 3 * PAGES_2M);
    OK(space_commit(cpu, space, BASE + MIB2 - 4 * KIB4, 8, RW, CAD_COMMIT_EAGER));
    OK(space_unmap(cpu, space, BASE + MIB2 - KIB4, 2, &work));
    assert_int_equal(fixture_finish(), 2);
    assert_int_equal(state_at(BASE + MIB2 - 2 * KIB4), ENTRY_RESIDENT);
    assert_int_equal(state_at(BASE + MIB2 - KIB4), ENTRY_NONE);
    assert_int_equal(state_at(BASE + MIB2), ENTRY_NONE);
    assert_int_equal(state_at(BASE + MIB2 + KIB4), ENTRY_RESIDENT);
    OK(space_unmap(cpu, space, BASE, 5, &work));
    OK(space_unmap(cpu, space, BASE + 3 * MIB2 - 5 * KIB4, 5, &work));
    fixture_check();
    assert_int_equal(record()->virtual_pages, 3 * PAGES_2M - 12);
    fixture_check_charges();
    OK(space_unmap(cpu, space, BASE + 5 * KIB4, PAGES_2M - 6, &work));
    fixture_finish();
    OK(space_unmap(cpu, space, BASE + MIB2 + KIB4, 2 * PAGES_2M - 6, &work));
    fixture_finish();
    COUNT_TABLES(0);
    assert_int_equal(record()->virtual_pages, 0);
}

static void adjacent_reservations_work_as_one_range(void **state)
{
    (void)state;
    reserve(BASE + 4 * KIB4, 4);
    reserve(BASE, 4);
    OK(space_commit(cpu, space, BASE + 2 * KIB4, 4, RW, CAD_COMMIT_EAGER));
    OK(space_protect(cpu, space, BASE, 8, R, &work));
    OK(space_unmap(cpu, space, BASE, 8, &work));
    fixture_finish();
    COUNT_TABLES(0);
}

/* --- VM3: protections --- */

static void protection_none_keeps_frame_data_and_charge(void **state)
{
    (void)state;
    reserve(BASE, 4);
    commit(BASE, 4);
    *user_byte(BASE + KIB4, CAD_PROT_WRITE) = 0x77;
    frame_no_t frame = entry_value(space_entry(cpu, space, BASE + KIB4));
    OK(space_protect(cpu, space, BASE, 4, CAD_PROT_NONE, &work));
    assert_true(work.flush && work.start == BASE + KIB4 && work.end == BASE + 2 * KIB4);
    assert_int_equal(work.chain.count, 0);
    assert_int_equal(state_at(BASE + KIB4), ENTRY_HIDDEN);
    assert_false(entry_is_present(space_entry(cpu, space, BASE + KIB4)));
    assert_null(user_byte(BASE + KIB4, CAD_PROT_READ));
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), 4);
    assert_int_equal(record()->resident_pages, 1);
    fixture_check();
    OK(space_protect(cpu, space, BASE, 4, R, &work));
    assert_false(work.flush);
    assert_int_equal(entry_value(space_entry(cpu, space, BASE + KIB4)), frame);
    assert_int_equal(*user_byte(BASE + KIB4, CAD_PROT_READ), 0x77);
    assert_null(user_byte(BASE + KIB4, CAD_PROT_WRITE));
}

static void hidden_pages_are_given_back_behind_a_flush(void **state)
{
    (void)state;
    reserve(BASE, 4);
    OK(space_commit(cpu, space, BASE, 4, RW, CAD_COMMIT_EAGER));
    OK(space_protect(cpu, space, BASE, 4, CAD_PROT_NONE, &work));
    OK(space_decommit(cpu, space, BASE, 2, &work));
    assert_true(work.flush);
    assert_int_equal(fixture_finish(), 2);
    OK(space_unmap(cpu, space, BASE + 2 * KIB4, 2, &work));
    assert_true(work.flush);
    assert_int_equal(fixture_finish(), 2);
}

static bool protect_flushes(uint32_t from, uint32_t to)
{
    OK(space_protect(cpu, space, BASE, 4, from, &work));
    OK(space_protect(cpu, space, BASE, 4, to, &work));
    return work.flush;
}

static void only_lost_rights_and_new_execution_owe_a_flush(void **state)
{
    (void)state;
    reserve(BASE, 4);
    OK(space_commit(cpu, space, BASE, 4, RW, CAD_COMMIT_EAGER));
    assert_true(protect_flushes(RW, R));
    assert_false(protect_flushes(R, RW));
    assert_true(protect_flushes(RW, RX));
    assert_true(protect_flushes(RX, RW));
    assert_true(protect_flushes(R, RX));
    assert_true(protect_flushes(RX, R));
    assert_false(protect_flushes(R, R));
    assert_true(protect_flushes(R, CAD_PROT_NONE));
    assert_true(protect_flushes(CAD_PROT_NONE, RX));
    assert_false(protect_flushes(CAD_PROT_NONE, RW));
    /* One page of many that loses a right is enough. */
    OK(space_protect(cpu, space, BASE, 4, R, &work));
    OK(space_protect(cpu, space, BASE + KIB4, 1, RW, &work));
    OK(space_protect(cpu, space, BASE, 4, R, &work));
    assert_true(work.flush);
}

static void write_and_execute_imply_read(void **state)
{
    (void)state;
    reserve(BASE, 2);
    OK(space_commit(cpu, space, BASE, 1, CAD_PROT_WRITE, CAD_COMMIT_EAGER));
    OK(space_commit(cpu, space, BASE + KIB4, 1, CAD_PROT_EXECUTE, 0));
    assert_int_equal(protection_at(BASE), RW);
    assert_int_equal(protection_at(BASE + KIB4), RX);
    OK(space_fault(cpu, space, BASE, CAD_PROT_READ));
    OK(space_fault(cpu, space, BASE + KIB4, CAD_PROT_READ));
}

/* What the hardware does to an entry behind our back. */
static void hardware_marks(virt_addr_t address)
{
    struct cursor cursor = cursor_unlocked(cpu, space);
    struct span span;
    span_find(cpu, &cursor, address, address + KIB4, &span);
    span.words[0] |= world_format.accessed | world_format.dirty;
}

static void accessed_and_dirty_outlive_every_change_of_protection(void **state)
{
    (void)state;
    const uint64_t marks = world_format.accessed | world_format.dirty;
    const uint32_t steps[] = { R, RX, RW, CAD_PROT_NONE, R, CAD_PROT_NONE, RW };
    reserve(BASE, 4);
    OK(space_commit(cpu, space, BASE, 4, RW, CAD_COMMIT_EAGER));
    hardware_marks(BASE + KIB4);
    for (unsigned i = 0; i < ARRAY_COUNT(steps); i++) {
        OK(space_protect(cpu, space, BASE, 4, steps[i], &work));
        assert_true((space_entry(cpu, space, BASE + KIB4) & marks) == marks);
        assert_true((space_entry(cpu, space, BASE) & marks) == 0);
        fixture_check();
    }
}

static void guard_pages_refuse_everybody_until_the_end(void **state)
{
    (void)state;
    OK(space_guard(cpu, space, BASE, PAGES_2M + 1));
    COUNT_TABLES(3);
    assert_int_equal(record()->virtual_pages, 0);
    fixture_check_charges();
    REFUSED(PROTECTED_RANGE, space_unmap(cpu, space, BASE + KIB4, 1, &work));
    REFUSED(PROTECTED_RANGE, space_protect(cpu, space, BASE, 1, RW, &work));
    virt_addr_t at = BASE + MIB2;
    REFUSED(PROTECTED_RANGE, space_reserve(cpu, space, &at, 1, RW));
    REFUSED(OVERLAP, space_guard(cpu, space, BASE + MIB2, 2));
    assert_int_equal(space_fault(cpu, space, BASE, CAD_PROT_READ), CAD_BAD_ADDRESS);
}

/* --- VM5 --- */

/* Go: 64 MiB arenas inside a huge reservation, committed piece by piece, scavenged by
 * decommit in pieces that were not committed together, committed again. */
static void gos_arena_pattern_charges_what_is_in_use(void **state)
{
    (void)state;
    const uint64_t arena = UINT64_C(64) << 20;
    reserve(BASE, 100 * PAGES_1G);
    for (unsigned i = 0; i < 4; i++) {
        virt_addr_t start = BASE + i * arena;
        OK(space_commit(cpu, space, start, 512, RW, 0));
        OK(space_commit(cpu, space, start + 4 * MIB2, 16, RW, 0));
        for (unsigned page = 0; page < 512; page += 8) {
            *user_byte(start + page * KIB4, CAD_PROT_WRITE) = 1;
        }
        OK(space_decommit(cpu, space, start + 100 * KIB4, 300, &work));
        assert_true(fixture_finish() > 30);
        fixture_check();
    }
    assert_int_equal(record()->committed_pages, 4 * (512 - 300 + 16));
    OK(space_commit(cpu, space, BASE, 512, RW, 0));
    assert_int_equal(*user_byte(BASE + 104 * KIB4, CAD_PROT_READ), 0);
    assert_int_equal(*user_byte(BASE + 96 * KIB4, CAD_PROT_READ), 1);
    fixture_check_charges();
    for (unsigned i = 0; i < 4; i++) {
        OK(space_decommit(cpu, space, BASE + i * arena, arena >> PAGE_SHIFT, &work));
        fixture_finish();
    }
    assert_int_equal(used(CAD_RESOURCE_COMMITTED), 0);
    OK(space_unmap(cpu, space, BASE, 100 * PAGES_1G, &work));
    fixture_finish();
    COUNT_TABLES(0);
    assert_int_equal(used(CAD_RESOURCE_VIRTUAL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_as_long_as_the_state_is_the_same),
        cmocka_unit_test(the_range_to_flush_covers_every_part),
        SPACE_TEST(ranges_outside_user_memory_are_refused),
        SPACE_TEST(writable_and_executable_is_refused_everywhere),
        SPACE_TEST(a_fixed_address_never_replaces),
        SPACE_TEST(chosen_addresses_are_free_disjoint_and_aligned),
        SPACE_TEST(a_freed_hole_is_found_again),
        SPACE_TEST(a_search_that_reaches_the_end_starts_over),
        SPACE_TEST(a_uniform_reservation_is_one_entry),
        SPACE_TEST(only_the_changed_part_of_a_reservation_is_split),
        SPACE_TEST(a_split_larger_entry_can_change_at_both_ends),
        SPACE_TEST(the_last_entry_gone_takes_the_tables_with_it),
        SPACE_TEST(growing_ranges_cost_no_more_tables_than_levels),
        SPACE_TEST(reserve_charges_virtual_pages_only),
        SPACE_TEST(commit_is_charged_before_anything_is_touched),
        SPACE_TEST(tables_are_charged_before_they_are_taken),
        SPACE_TEST(a_space_is_charged_for_its_record_and_root),
        SPACE_TEST(eager_commit_fills_as_far_as_frames_go),
        SPACE_TEST(eager_commit_without_access_takes_no_frame),
        SPACE_TEST(committing_twice_changes_and_charges_nothing),
        SPACE_TEST(a_new_commit_is_of_reserved_pages_alone),
        SPACE_TEST(decommit_keeps_the_reservation_and_recommit_reads_zero),
        SPACE_TEST(operations_need_every_page_reserved),
        SPACE_TEST(the_lowest_refused_page_decides),
        SPACE_TEST(unmapping_middle_head_and_tail_leaves_the_rest),
        SPACE_TEST(adjacent_reservations_work_as_one_range),
        SPACE_TEST(protection_none_keeps_frame_data_and_charge),
        SPACE_TEST(hidden_pages_are_given_back_behind_a_flush),
        SPACE_TEST(only_lost_rights_and_new_execution_owe_a_flush),
        SPACE_TEST(write_and_execute_imply_read),
        SPACE_TEST(accessed_and_dirty_outlive_every_change_of_protection),
        SPACE_TEST(guard_pages_refuse_everybody_until_the_end),
        SPACE_TEST(gos_arena_pattern_charges_what_is_in_use),
    };
    return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
