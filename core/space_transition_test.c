// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each cell of the transition table, through the public operations: a page in
 * each state, each operation on it, and the outcome that the table states.
 */
#include "core/space_fixture.h"

#define HERE (BASE + 5 * KIB4)                        /* the page, in a leaf table with others */
#define THERE (CAD_RING_BASE + 3 * KIB4)              /* where system pages may be */

static uint32_t object, other;

/* A page in `from` at `address`, alone in what it charges. */
static void page_make(enum entry_state from, virt_addr_t address)
{
    frame_no_t frame;
    switch (from) {
    case ENTRY_NONE:
    case ENTRY_TABLE:
        break;
    case ENTRY_RESERVED:
        reserve(address, 1);
        break;
    case ENTRY_COMMITTED:
        reserve(address, 1);
        commit(address, 1);
        break;
    case ENTRY_RESIDENT:
    case ENTRY_HIDDEN:
        reserve(address, 1);
        OK(space_commit(cpu, space, address, 1, RW, CAD_COMMIT_EAGER));
        if (from == ENTRY_HIDDEN) {
            OK(space_protect(cpu, space, address, 1, CAD_PROT_NONE, &work));
            fixture_finish();
        }
        break;
    case ENTRY_BORROWED:
        map(object, address, 1, RW, true);
        break;
    case ENTRY_GUARD:
        OK(space_guard(cpu, space, address, 1));
        break;
    case ENTRY_SYSTEM:
        OK(space_map_system(cpu, space, address, RW, &frame));
        break;
    }
    assert_int_equal(state_at(address), from);
}

static status_t operate(enum entry_operation operation, virt_addr_t address)
{
    struct object_map_request request = { .object = other, .pages = 1, .address = address,
                                          .protection = R, .ceiling = RW };
    virt_addr_t at = address;
    frame_no_t frame;
    work_init(&work);
    switch (operation) {
    case ENTRY_OP_RESERVE:
        return space_reserve(cpu, space, &at, 1, R);
    case ENTRY_OP_COMMIT:
        return space_commit(cpu, space, address, 1, R, 0);
    case ENTRY_OP_DECOMMIT:
        return space_decommit(cpu, space, address, 1, &work);
    case ENTRY_OP_PROTECT:
        return space_protect(cpu, space, address, 1, RX, &work);
    case ENTRY_OP_HIDE:
        return space_protect(cpu, space, address, 1, CAD_PROT_NONE, &work);
    case ENTRY_OP_UNMAP:
        return space_unmap(cpu, space, address, 1, &work);
    case ENTRY_OP_MAP_OBJECT:
        return space_map_object(cpu, space, &request, &at);
    case ENTRY_OP_PROTECT_OBJECT:
        return space_protect_object(cpu, space, object, address, 1, R, &work);
    case ENTRY_OP_UNMAP_OBJECT:
        return space_unmap_object(cpu, space, object, address, 1, &work);
    case ENTRY_OP_FAULT:
        return space_fault(cpu, space, address, CAD_PROT_READ);
    case ENTRY_OP_GUARD:
        return space_guard(cpu, space, address, 1);
    case ENTRY_OP_MAP_SYSTEM:
        return space_map_system(cpu, space, address, R, &frame);
    case ENTRY_OP_UNMAP_SYSTEM:
        return space_unmap_system(cpu, space, address, &work);
    case ENTRY_OP_TEARDOWN:
        break;
    }
    return CAD_BAD_CALL;
}

/* System pages exist only at system addresses, which refuse all other operations by
 * range; so their cells, and those of the system operations, are met there. */
static virt_addr_t place_of(enum entry_state from, enum entry_operation operation)
{
    bool is_system = from == ENTRY_SYSTEM || operation == ENTRY_OP_MAP_SYSTEM ||
                     operation == ENTRY_OP_UNMAP_SYSTEM;
    return is_system ? THERE : HERE;
}

/* Frames of the page itself, told apart from tables and companions. */
static uint64_t page_frames(void)
{
    return record()->resident_pages + record()->system_pages;
}

static void cell_check(enum entry_state from, enum entry_operation operation)
{
    static const int virtual_change[] = { 0, 1, 0, 0, -1, -1 };
    static const int committed_change[] = { 0, 0, 1, -1, 0, -1 };
    const struct entry_transition *cell = entry_transition(from, operation);
    virt_addr_t address = place_of(from, operation);
    page_make(from, address);
    uint64_t virtual_pages = record()->virtual_pages;
    uint64_t committed_pages = record()->committed_pages, frames = page_frames();
    uint64_t hash = world_hash(world);

    assert_int_equal(operate(operation, address), cell->refusal);
    fixture_check();
    assert_int_equal(state_at(address), cell->to);
    if (cell->refusal != CAD_OK) {
        assert_true(world_hash(world) == hash);
        return;
    }
    assert_int_equal(record()->virtual_pages, virtual_pages + virtual_change[cell->charge]);
    assert_int_equal(record()->committed_pages, committed_pages + committed_change[cell->charge]);
    int frame_change = cell->frame == FRAME_FILL ? 1 : cell->frame == FRAME_DROP ? -1 : 0;
    assert_int_equal(page_frames(), frames + frame_change);
    if (cell->tlb == TLB_FLUSH) {
        assert_true(work.flush);
        assert_true(work.start <= address && work.end >= address + PAGE_SIZE);
    } else {
        assert_false(work.flush);
    }
    fixture_check_charges();
}

/* A neighbour in every leaf table, so that no table comes or goes (that owes a flush
 * of its own); object mapped there too, so that companions stay. */
static void neighbours_make(void)
{
    frame_no_t frame;
    reserve(HERE - KIB4, 1);
    commit(HERE - KIB4, 1);
    OK(space_map_system(cpu, space, THERE - KIB4, R, &frame));
}

static void every_cell_does_what_the_table_says(void **state)
{
    for (unsigned from = 0; from < ENTRY_STATE_COUNT; from++) {
        for (unsigned operation = 0; operation < ENTRY_OP_TEARDOWN; operation++) {
            bool cannot_be = from == ENTRY_TABLE || (place_of(from, operation) == THERE &&
                                                     from != ENTRY_SYSTEM && from != ENTRY_NONE);
            if (cannot_be) {
                continue;
            }
            fixture_make(state);
            object = object_of(1);
            other = object_of(1);
            neighbours_make();
            cell_check(from, operation);
            fixture_finish();
            object_drop(object);
            object_drop(other);
            fixture_end(state);
        }
    }
}

static void system_operations_are_refused_outside_their_addresses(void **state)
{
    (void)state;
    frame_no_t frame;
    REFUSED(INVALID, space_map_system(cpu, space, HERE, R, &frame));
    REFUSED(INVALID, space_unmap_system(cpu, space, HERE, &work));
    REFUSED(INVALID, space_map_system(cpu, space, CAD_SYSTEM_BASE - KIB4, R, &frame));
    REFUSED(INVALID, space_map_system(cpu, space, CAD_USER_END, R, &frame));
    REFUSED(INVALID, space_map_system(cpu, space, CAD_SYSTEM_BASE + 8, R, &frame));
    REFUSED(INVALID, space_map_system(cpu, space, CAD_SYSTEM_BASE, CAD_PROT_NONE, &frame));
    REFUSED(WRITE_EXECUTE, space_map_system(cpu, space, CAD_SYSTEM_BASE, 7, &frame));
}

/* Every state, also those a user cannot put there, is gone in the end. */
static void teardown_takes_a_page_of_every_state(void **state)
{
    (void)state;
    object = object_of(1);
    for (unsigned from = 0; from < ENTRY_STATE_COUNT; from++) {
        if (from == ENTRY_TABLE) {
            continue;
        }
        page_make(from, from == ENTRY_SYSTEM ? THERE : BASE + from * KIB4);
    }
    fixture_check();
    object_drop(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_does_what_the_table_says),
        SPACE_TEST(system_operations_are_refused_outside_their_addresses),
        SPACE_TEST(teardown_takes_a_page_of_every_state),
    };
    return cmocka_run_group_tests_name("space transitions", tests, NULL, NULL);
}
