// SPDX-License-Identifier: BSD-2-Clause
#include "core/entry.h"

#include "core/test_world.h"

/* What each state keeps charged, and whether it keeps a frame of its own: the
 * transitions' charges and frames must be the differences. */
static const struct holding {
    int virtual_pages, committed_pages, frame;
} holdings[ENTRY_STATE_COUNT] = {
    [ENTRY_RESERVED] = { 1, 0, 0 }, [ENTRY_COMMITTED] = { 1, 1, 0 },
    [ENTRY_RESIDENT] = { 1, 1, 1 }, [ENTRY_HIDDEN] = { 1, 1, 1 },
    [ENTRY_BORROWED] = { 1, 0, 0 }, [ENTRY_SYSTEM] = { 0, 0, 1 },
};

static const struct holding charges[] = {
    [CHARGE_NONE] = { 0, 0, 0 },         [CHARGE_VIRTUAL] = { 1, 0, 0 },
    [CHARGE_COMMITTED] = { 0, 1, 0 },    [UNCHARGE_COMMITTED] = { 0, -1, 0 },
    [UNCHARGE_VIRTUAL] = { -1, 0, 0 },   [UNCHARGE_BOTH] = { -1, -1, 0 },
};

static const int frames[] = {
    [FRAME_KEEP] = 0, [FRAME_FILL] = 1, [FRAME_DROP] = -1, [FRAME_BORROW] = 0, [FRAME_UNBORROW] = 0,
};

#define FOR_EACH_CELL(from, operation)                                                             \
    for (unsigned from = 0; from < ENTRY_STATE_COUNT; from++)                                      \
        for (unsigned operation = 0; operation < ENTRY_OPERATION_COUNT; operation++)               \
            if (from != ENTRY_TABLE)

static void every_legal_cell_charges_what_its_states_differ_in(void **state)
{
    (void)state;
    FOR_EACH_CELL(from, operation)
    {
        const struct entry_transition *cell = entry_transition(from, operation);
        if (cell->refusal != CAD_OK) {
            assert_int_equal(cell->to, from);
            assert_int_equal(cell->charge, CHARGE_NONE);
            assert_int_equal(cell->frame, FRAME_KEEP);
            continue;
        }
        assert_int_equal(charges[cell->charge].virtual_pages,
                         holdings[cell->to].virtual_pages - holdings[from].virtual_pages);
        assert_int_equal(charges[cell->charge].committed_pages,
                         holdings[cell->to].committed_pages - holdings[from].committed_pages);
        assert_int_equal(frames[cell->frame], holdings[cell->to].frame - holdings[from].frame);
    }
}

static void every_frame_that_leaves_a_living_space_owes_a_flush(void **state)
{
    (void)state;
    FOR_EACH_CELL(from, operation)
    {
        const struct entry_transition *cell = entry_transition(from, operation);
        bool leaves = cell->frame == FRAME_DROP || cell->frame == FRAME_UNBORROW;
        if (leaves && operation != ENTRY_OP_TEARDOWN) {
            assert_int_equal(cell->tlb, TLB_FLUSH);
        }
    }
}

static void teardown_is_refused_nowhere_and_leaves_none(void **state)
{
    (void)state;
    for (unsigned from = 0; from < ENTRY_STATE_COUNT; from++) {
        if (from != ENTRY_TABLE) {
            assert_int_equal(entry_transition(from, ENTRY_OP_TEARDOWN)->refusal, CAD_OK);
            assert_int_equal(entry_transition(from, ENTRY_OP_TEARDOWN)->to, ENTRY_NONE);
        }
    }
}

static void guard_and_system_pages_refuse_every_user_operation(void **state)
{
    (void)state;
    for (unsigned operation = ENTRY_OP_RESERVE; operation < ENTRY_OP_FAULT; operation++) {
        assert_int_equal(entry_transition(ENTRY_GUARD, operation)->refusal, CAD_PROTECTED_RANGE);
        assert_int_equal(entry_transition(ENTRY_SYSTEM, operation)->refusal, CAD_PROTECTED_RANGE);
    }
}

static void no_operation_is_legal_everywhere_but_teardown(void **state)
{
    (void)state;
    for (unsigned operation = 0; operation < ENTRY_OPERATION_COUNT; operation++) {
        unsigned legal = 0;
        for (unsigned from = 0; from < ENTRY_STATE_COUNT; from++) {
            if (from != ENTRY_TABLE && entry_transition(from, operation)->refusal == CAD_OK) {
                legal++;
            }
        }
        assert_true(legal > 0);
        assert_int_equal(legal == ENTRY_STATE_COUNT - 1, operation == ENTRY_OP_TEARDOWN);
    }
}

static void a_column_is_the_cells_of_its_operation(void **state)
{
    (void)state;
    FOR_EACH_CELL(from, operation)
    {
        assert_ptr_equal(&entry_operation_column(operation)[from],
                         entry_transition(from, operation));
    }
}

static void a_word_says_what_it_was_made_of(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < ENTRY_STATE_COUNT; kind++) {
        for (uint32_t protection = 0; protection < 8; protection++) {
            uint64_t word = entry_make_absent(kind, protection, UINT32_MAX);
            assert_int_equal(entry_state(word), kind);
            assert_int_equal(entry_protection(word), protection);
            assert_int_equal(entry_value(word), UINT32_MAX);
            assert_false(entry_is_present(word));
        }
    }
    assert_true(entry_make_absent(ENTRY_NONE, 0, 0) == 0);
}

static void a_present_word_carries_the_rights_the_hardware_reads(void **state)
{
    (void)state;
    const uint32_t rights[] = { CAD_PROT_READ, CAD_PROT_READ | CAD_PROT_WRITE,
                                CAD_PROT_READ | CAD_PROT_EXECUTE };
    for (unsigned i = 0; i < ARRAY_COUNT(rights); i++) {
        uint64_t word = entry_make_page(&world_format, ENTRY_RESIDENT, rights[i], 0xabcdef);
        assert_true(entry_is_present(word));
        assert_int_equal(entry_state(word), ENTRY_RESIDENT);
        assert_int_equal(entry_protection(word), rights[i]);
        assert_int_equal(entry_value(word), 0xabcdef);
        assert_true((word & world_format.page[rights[i]]) == world_format.page[rights[i]]);
        for (unsigned other = 0; other < ARRAY_COUNT(rights); other++) {
            uint64_t lacking = world_format.page[rights[other]] & ~world_format.page[rights[i]];
            assert_true((word & lacking) == 0);
        }
    }
    uint64_t table = entry_make_table(&world_format, 77);
    assert_int_equal(entry_state(table), ENTRY_TABLE);
    assert_int_equal(entry_value(table), 77);
    assert_true((table & world_format.table) == world_format.table);
}

static void writable_and_executable_at_once_is_refused(void **state)
{
    (void)state;
    for (uint32_t protection = 0; protection < 8; protection++) {
        bool both = (protection & CAD_PROT_WRITE) != 0 && (protection & CAD_PROT_EXECUTE) != 0;
        assert_int_equal(protection_check(protection), both ? CAD_WRITE_EXECUTE : CAD_OK);
    }
    assert_int_equal(protection_check(8), CAD_INVALID);
    assert_int_equal(protection_check(UINT32_MAX), CAD_INVALID);
    assert_int_equal(protection_normal(CAD_PROT_NONE), CAD_PROT_NONE);
    assert_int_equal(protection_normal(CAD_PROT_WRITE), CAD_PROT_READ | CAD_PROT_WRITE);
    assert_int_equal(protection_normal(CAD_PROT_EXECUTE), CAD_PROT_READ | CAD_PROT_EXECUTE);
}

static void objects_and_system_pages_are_small_and_large_pages_anonymous(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < ENTRY_STATE_COUNT; kind++) {
        bool is_page = kind == ENTRY_BORROWED || kind == ENTRY_SYSTEM;
        bool is_large = kind == ENTRY_COMMITTED || kind == ENTRY_RESIDENT || kind == ENTRY_HIDDEN;
        if (kind != ENTRY_TABLE)
            assert_int_equal(entry_state_level_max(kind), is_page    ? 0
                                                          : is_large ? 1
                                                                     : MMU_LEVELS - 1);
    }
}

static void states_and_operations_have_names(void **state)
{
    (void)state;
    assert_string_equal(entry_state_name(ENTRY_HIDDEN), "hidden");
    assert_string_equal(entry_operation_name(ENTRY_OP_UNMAP_SYSTEM), "unmap_system");
    assert_string_equal(entry_state_name((enum entry_state)ENTRY_STATE_COUNT), "?");
    assert_string_equal(entry_operation_name((enum entry_operation)ENTRY_OPERATION_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_legal_cell_charges_what_its_states_differ_in),
        cmocka_unit_test(every_frame_that_leaves_a_living_space_owes_a_flush),
        cmocka_unit_test(teardown_is_refused_nowhere_and_leaves_none),
        cmocka_unit_test(guard_and_system_pages_refuse_every_user_operation),
        cmocka_unit_test(no_operation_is_legal_everywhere_but_teardown),
        cmocka_unit_test(a_column_is_the_cells_of_its_operation),
        cmocka_unit_test(a_word_says_what_it_was_made_of),
        cmocka_unit_test(a_present_word_carries_the_rights_the_hardware_reads),
        cmocka_unit_test(writable_and_executable_at_once_is_refused),
        cmocka_unit_test(objects_and_system_pages_are_small_and_large_pages_anonymous),
        cmocka_unit_test(states_and_operations_have_names),
    };
    return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
